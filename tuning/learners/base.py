"""The contract of a learner: how one family of estimators is fitted, and what its fits share.

The plan, the fits, the engines, the forecast, the refit and the checks of a spec ask a learner and know no library by
name. ``Learner`` itself is the plain way, which is right for every estimator with scikit-learn's API: a fit of its own
for each candidate, in a process of its own. A family overrides what its source shows to be exact, and no more.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from numpy.typing import NDArray

from tuning.control import UNATTENDED, Control
from tuning.dataset import Dataset
from tuning.learners.unfitted import class_name, fit_parameters, holds_xgboost, is_whole

Place = Literal["threads", "processes"]
Values = Callable[[str], Sequence[Any]]
"""Tells every value that a sweep can give a parameter; none where it leaves it alone."""
Made = TypeVar("Made")

_OF_CATEGORIES = ("sklearn.HistGradientBoostingClassifier", "sklearn.HistGradientBoostingRegressor")


class FoldRows(Protocol):
    """The rows of one fold as one fit sees them, and what the fits of that fold share.

    Private
        ``training`` and ``test`` give copies that nobody else has, so an estimator that writes into its rows does no
        more harm than in scikit-learn's own search.
    Shared
        ``shared_test`` and whatever ``once`` has made are read by other fits at the same time: for learners whose
        estimators only read.
    """

    threads: int
    control: Control

    @property
    def has_all_classes(self) -> bool:
        """Whether the training rows have a row of each class, as separate fits of some libraries need."""

    def training(self) -> Dataset:
        """Rows to learn from, made for the caller."""

    def test(self) -> Dataset:
        """Rows to be judged on, made for the caller."""

    def shared_test(self) -> Dataset:
        """Rows to be judged on, one copy for all fits of the fold."""

    def once(self, name: str, make: Callable[[], Made], for_all: bool = True) -> Made:
        """Return what `name` stands for in this fold, made by the first who asks.

        Without `for_all` it is of use to some candidates only, which the plan puts into one fit where it can.
        """


@dataclass(frozen=True, eq=False)
class Fitted:
    """What one fit has trained; it may stand for several candidates.

    Attributes
    ----------
    model : object
        Whatever ``Learner.cut`` takes.
    seconds : float
        Of training.
    ends : sequence of float
        Seconds from the start to the end of each round, where the library tells.
    shared : sequence of str
        What the fit had in common with others of its fold, a few words each, for the record.
    """

    model: Any
    seconds: float
    ends: Sequence[float] = ()
    shared: Sequence[str] = ()


class Learner:
    """How one family of estimators is fitted.

    Who
        ``knows`` answers for an estimator's exact class: a subclass may do anything in its own ``fit``, so it takes
        the plain way.
    Sharing
        ``free`` names the parameters of an estimator that need no fit of their own, each with the reason why that is
        exact. Candidates that differ only in parameters that are free for all of them are fitted once, as ``whole``;
        ``cut`` makes each of them from that fit. A value that the library would refuse is never free, so that the
        refusal is the library's. What ``cut`` gives answers every method that a scorer may call as a separate fit
        would, to the bit unless the class says otherwise.
    Rows
        ``fit`` takes what it needs from a FoldRows. Only a learner with ``only_reads`` may take the shared rows.
    Place
        ``threads`` where the library lets go of the interpreter lock for most of its time: workers then share one copy
        of the data. Else ``processes``.
    Failure
        ``fit`` and ``cut`` raise what the library raises. The caller then fits each candidate alone.
    Interrupt
        A fit that can be interrupted asks ``control.cancelled()`` from time to time and raises CancelledError.
    Cost and size
        ``cost`` orders fits and need not be in any unit. ``size`` compares models with each other, and is None where
        it cannot be known before a fit: such a model is never called simple.
    """

    name: ClassVar[str] = "general"
    rounds: ClassVar[str | None] = None
    """The parameter that counts rounds of training, for early stopping, halving and the forecast."""
    default_rounds: ClassVar[int] = 100
    only_reads: ClassVar[bool] = False
    asks_control: ClassVar[bool] = False
    """Whether a fit asks ``control`` so often that it ends soon after the sweep is interrupted."""
    any_threads: ClassVar[bool] = False
    """Whether a fit is the same to the bit whatever number of threads it has."""

    def knows(self, estimator: Any) -> bool:
        """Whether this learner is for estimators of the class of `estimator`."""
        return True

    def place(self, estimator: Any, n_values: int = 0) -> Place:
        """Where the fits of `estimator` run on one machine, over rows that hold `n_values`; 0 where nobody knows."""
        return "processes"

    def takes_codes(self, estimator: Any) -> bool:
        """Whether `estimator` must be given the codes of classes, 0 and up, in place of the labels themselves."""
        return holds_xgboost(estimator)

    def free(self, estimator: Any) -> Mapping[str, str]:
        """Parameters that need no fit of their own, and why that is exact; by the values that `estimator` has."""
        return {}

    def preparation(self, estimator: Any) -> tuple[str, ...]:
        """What of `estimator` is fitted once per fold for all who have it in common, a name for each step of it."""
        return ()

    def whole(self, estimators: Sequence[Any]) -> Any:
        """Return the estimator whose fit serves all of `estimators`, which differ in free parameters only."""
        return estimators[0]

    def fit(self, estimator: Any, rows: FoldRows) -> Fitted:
        """Train `estimator` on the training rows."""
        training = rows.training()
        begun = time.perf_counter()
        model = estimator.fit(training.X, self.target(estimator, training), **fit_parameters(estimator, training))
        return Fitted(model, time.perf_counter() - begun)

    def cut(self, fitted: Fitted, estimator: Any) -> Any:
        """Return the fitted model that `estimator` would have become."""
        return fitted.model

    def judged_on(self, estimator: Any, rows: FoldRows) -> Dataset:
        """Return the test rows as what ``cut`` returns takes them."""
        return rows.shared_test() if self.only_reads else rows.test()

    def seconds(self, fitted: Fitted, estimator: Any) -> float:
        """Seconds of training that a fit of `estimator` alone would have taken, so that times compare."""
        rounds = self.rounds_of(estimator)
        if fitted.ends and rounds is not None:
            return fitted.ends[min(rounds, len(fitted.ends)) - 1] if rounds > 0 else 0.0
        longest = self.rounds_of(fitted.model) if rounds and hasattr(fitted.model, "get_params") else None
        return fitted.seconds * rounds / longest if rounds and longest else fitted.seconds

    def curves(self, estimator: Any, rows: FoldRows, judge: Judge, patience: int) -> Curves:
        """Train for up to all rounds of `estimator` and score every round; only where ``can_stop_early``."""
        raise NotImplementedError(f"{self.name} has no rounds to stop at")

    def can_stop_early(self, estimator: Any) -> bool:
        """Whether the scores after every round of one fit are those of fits of that many rounds."""
        return False

    def rounds_name(self, estimator: Any) -> str | None:
        """Name the parameter that counts rounds of training, as `estimator` knows it; None where nothing does."""
        return self.rounds

    def with_rounds(self, estimator: Any, share: float) -> Any:
        """Set `estimator` to a share of its rounds, at least one."""
        name, rounds = self.rounds_name(estimator), self.rounds_of(estimator)
        if name is None or rounds is None or share >= 1.0:
            return estimator
        return estimator.set_params(**{name: max(1, math.ceil(share * rounds))})

    def rounds_of(self, estimator: Any) -> int | None:
        """Rounds that `estimator` is set to; None where it has none, or no whole number of them."""
        name = self.rounds_name(estimator)
        if name is None:
            return None
        value = estimator.get_params(deep=True).get(name)
        if value is None:
            return self.default_rounds
        return int(value) if is_whole(value) else None

    def with_threads(self, estimator: Any, threads: int) -> Any:
        """Hold `estimator` to so many threads, beyond what its ``n_jobs`` says."""
        return estimator

    def on_device(self, estimator: Any, device: str) -> Any:
        """Set the graphics card that `estimator` trains on."""
        return estimator

    def devices(self, estimator: Any) -> Sequence[str]:
        """Graphics cards that fits of `estimator` are shared out to; empty for the CPU."""
        return ()

    def cost(self, estimator: Any) -> float:
        """Relative cost of a fit of `estimator`, for the order of fits; only candidates of one sweep compare."""
        params = estimator.get_params(deep=False)
        rounds = next((params[name] for name in ("n_estimators", "max_iter") if is_whole(params.get(name))), 1)
        return float(max(1, rounds))

    def size(self, estimator: Any) -> float | None:
        """Relative size of the model that `estimator` becomes; None where nobody can know it before the fit."""
        return None

    def ignores_seed(self, estimator: Any) -> bool:
        """Whether fits of `estimator` are equal though some ``random_state`` is not set."""
        return False

    def draws_above(self, estimator: Any) -> float:
        """Training rows above which fits of `estimator` without a seed differ; what is `free` holds up to there."""
        return math.inf

    def tolerance(self, estimator: Any) -> float:
        """How far a score of a shared fit may be from that of a separate one; 0 where they are equal to the bit."""
        return 0.0

    def extra_parameters(self, estimator: Any) -> Collection[str]:
        """Parameters that `estimator` takes beyond those that its ``get_params()`` lists."""
        return ()

    def synonyms(self, estimator: Any) -> Collection[Collection[str]]:
        """Groups of names that the library takes for one parameter; a sweep may name one of each."""
        return ()

    def refusal(self, estimator: Any, parameter: str, value: Any) -> str | None:
        """Say why no model comes of `parameter` at `value`, where the library would train one without a word."""
        return None

    def approximation(self, estimator: Any, parameter: str, value: Any) -> str | None:
        """Say what `parameter` gives up for speed at `value`; None where it gives up nothing."""
        return None

    def takes_categories(self, estimator: Any, values: Values) -> bool:
        """Whether `estimator` is given the categories of a frame as they are; else each becomes a column."""
        return class_name(estimator) in _OF_CATEGORIES

    def with_categories(self, estimator: Any, columns: Sequence[str], values: Values) -> Mapping[str, Any]:
        """Return the parameters that tell `estimator` of the columns of categories in its frame."""
        return {}

    def takes_gaps_in_categories(self, estimator: Any) -> bool:
        """Whether a category may be missing, where categories are taken as they are."""
        return True

    def strange_characters(self, estimator: Any) -> str:
        """Return the characters that the library does not take in the name of a frame's column."""
        return ""

    def refit(self, estimator: Any, data: Dataset, threads: int, control: Control = UNATTENDED) -> Any:
        """Train `estimator` on all rows of `data` by its own ``fit``, with so many threads where they help.

        `control` is told of each round where the library tells.
        """
        return estimator.fit(data.X, self.target(estimator, data), **fit_parameters(estimator, data))

    def target(self, estimator: Any, rows: Dataset) -> NDArray[Any]:
        """Return the target of `rows` as `estimator` learns it."""
        return rows.y if self.takes_codes(estimator) else rows.labels


@dataclass(frozen=True)
class Curves:
    """Scores after every round of one fit.

    Attributes
    ----------
    scores : mapping of str to sequence of float
        By scorer name.
    seconds : float
        Of training and scoring.
    """

    scores: Mapping[str, Sequence[float]]
    seconds: float


class Judge(Protocol):
    """Scores a model of one fold on its test rows."""

    @property
    def scorers(self) -> Sequence[str]:
        """Names of the scorers."""

    @property
    def only_responses(self) -> bool:
        """Whether they look at nothing of a model but its predictions of the test rows."""

    def __call__(self, model: Any, test: Dataset) -> Mapping[str, float]:
        """Return the scores by scorer name; the first scorer decides."""
