"""Plan the fits of a sweep.

Candidates that one fit can serve are a group: they differ only in parameters that their learner calls free, such as the
number of rounds. A fit is one fold times one group; where groups have steps of a pipeline in common, one fold times all
groups that do, so that a worker fits the steps once. We do not continue shorter trainings (``warm_start``,
``xgb_model=``): most libraries restart their random state there, and sampled trees would differ from a separate fit's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from tuning.candidates import Candidate
from tuning.dataset import Dataset
from tuning.folds import Fold, make_folds
from tuning.kept.responses import Keeps
from tuning.learners import GENERAL, Learner, learner_for
from tuning.scoring import Scorers
from tuning.spec.estimators import for_candidate, make_estimator
from tuning.spec.modules import local_modules
from tuning.spec.sweep_spec import EarlyStopping, SweepSpec
from tuning.strategies import Proposal


@dataclass(frozen=True, eq=False)
class Workload:
    """All that the fits of one sweep have in common; an engine takes it to its workers once.

    Attributes
    ----------
    estimator : object
        Unfitted, with the spec's ``fixed`` set.
    scorers : Scorers
    data : Dataset
        The training rows; hold-out rows are not among them.
    folds : tuple of Fold
    early_stopping : EarlyStopping or None
    runner : callable or None
        Runs a fit in place of ``tuning.fitting.run_fit`` and with its arguments, for searches that are not of a spec.
    modules : tuple of Path
        Files and packages' folders of the user's own that the spec names modules of.
    max_fit_time : float or None
        Seconds that a candidate may take on a fold.
    """

    estimator: Any
    scorers: Scorers
    data: Dataset
    folds: tuple[Fold, ...]
    early_stopping: EarlyStopping | None = None
    runner: Callable[..., Any] | None = None
    modules: tuple[Path, ...] = ()
    max_fit_time: float | None = None

    @classmethod
    def for_spec(cls, spec: SweepSpec, data: Dataset) -> Workload:
        """Build what `spec` asks for over the rows of `data`.

        Raises
        ------
        SpecError
            The folds do not fit the data.
        """
        estimator = make_estimator(spec.estimator, spec.fixed)
        modules = tuple(local_modules(spec.model_dump()))
        return cls(
            estimator,
            Scorers.of(spec),
            data,
            make_folds(spec.cv, data),
            spec.early_stopping,
            modules=modules,
            max_fit_time=spec.budget.max_fit_time,
        )

    def own_modules(self) -> list[Path]:
        """Name the files and packages' folders of the user's own that a process needs to run these fits."""
        used = [self.estimator, *self.scorers.by_name.values()]
        return sorted({*self.modules, *local_modules(used)})

    def learner(self, candidates: Iterable[Candidate] = ()) -> Learner:
        """Return the learner of the estimator, or of what a candidate makes of it."""
        for candidate in candidates:
            return learner_for(for_candidate(self.estimator, candidate.params, threads=1))
        return learner_for(self.estimator)


@dataclass(frozen=True, eq=False)
class Fit:
    """The unit of work: one fold, and the candidates that are fitted together on it.

    Attributes
    ----------
    fold : int
        Index of the fold.
    candidates : tuple of Candidate
    cost : float
        Relative to other fits of the same sweep.
    threads : int
        Threads that the fit may use.
    rows, rounds : float
        Shares of the fold's training rows and of the candidates' rounds.
    device : str or None
        The graphics card that the engine gives it to.
    alone : bool
        Whether to fit in the plainest way, sharing nothing.
    apart : bool
        Whether it is suspected of having ended its process once, and is to be run where it does no harm.
    keeps : {'nothing', 'seen', 'all'}
        Which of the models' answers for the test rows it brings back, see ``tuning.kept.responses``.
    """

    fold: int
    candidates: tuple[Candidate, ...]
    cost: float = 1.0
    threads: int = 1
    rows: float = 1.0
    rounds: float = 1.0
    device: str | None = None
    alone: bool = False
    apart: bool = False
    keeps: Keeps = "nothing"


@dataclass(frozen=True, eq=False)
class Group:
    """Candidates that one training on a fold serves.

    Attributes
    ----------
    learner : Learner
    candidates : tuple of Candidate
    estimators : tuple of object
        One per candidate, unfitted; none where `error`.
    error : Exception or None
        Why no estimator can be made of the only candidate.
    """

    learner: Learner
    candidates: tuple[Candidate, ...]
    estimators: tuple[Any, ...] = ()
    error: Exception | None = None

    def of(self, candidates: Sequence[Candidate]) -> Group:
        """Return the part of the group that `candidates` are."""
        if len(candidates) == len(self.candidates):
            return self
        kept = [place for place, candidate in enumerate(self.candidates) if candidate in candidates]
        estimators = tuple(self.estimators[place] for place in kept)
        return replace(self, candidates=tuple(self.candidates[place] for place in kept), estimators=estimators)

    @property
    def reasons(self) -> Sequence[str]:
        """Why the training may be shared, a sentence for each parameter that varies; empty for one candidate."""
        if len(self.candidates) == 1:
            return []
        varied = _varied(self.candidates)
        free = self.learner.free(self.estimators[0])
        return [f"{name}: {why}" for name, why in free.items() if name in varied]

    @property
    def whole(self) -> Any:
        """The estimator whose training serves all; the candidate's own where nothing of it is free."""
        first = self.estimators[0]
        return self.learner.whole(self.estimators) if self.learner.free(first) else first

    @cached_property
    def preparation(self) -> tuple[str, ...]:
        """What the training has in common with other groups' on its fold, a name for each step of it."""
        return () if self.error else self.learner.preparation(self.estimators[0])

    @cached_property
    def cost(self) -> float:
        """Relative cost of the training."""
        if self.error:
            return 0.0
        return self.learner.cost(self.whole)


def plan_fits(workload: Workload, proposals: Sequence[Proposal], workers: int) -> list[Fit]:
    """Turn `proposals` into fits, the costliest first.

    Parameters
    ----------
    workload : Workload
    proposals : sequence of Proposal
    workers : int
        Fits that run side by side. One-thread fits side by side beat one fit with many threads, so a fit gets more
        than one only where there are fewer fits than workers.
    """
    work = _work(workload, proposals)
    bundled = bundles(work, workers)
    threads = max(1, workers // max(1, len(bundled)))
    planned = [
        Fit(
            tried.fold,
            tuple(candidate for _, group in bundle for candidate in group.candidates),
            sum(group.cost for _, group in bundle) * tried.rounds,
            threads,
            tried.rows,
            tried.rounds,
        )
        for bundle in bundled
        for tried in [bundle[0][0]]
    ]
    return _with_idle_threads(sorted(planned, key=lambda fit: -fit.cost), workers, workload)


@dataclass(frozen=True)
class Tried:
    """On what candidates are tried together."""

    fold: int
    rows: float
    rounds: float


Work = tuple[Tried, Group]


def _work(workload: Workload, proposals: Sequence[Proposal]) -> list[Work]:
    """Every training that `proposals` need: by share of rows and rounds, by group, by fold."""
    shares: dict[tuple[float, float], dict[Candidate, Proposal]] = {}
    for proposal in proposals:
        shares.setdefault((proposal.rows, proposal.rounds), {})[proposal.candidate] = proposal
    return [
        (Tried(fold, *share), group.of([each for each in group.candidates if _is_tried_on(proposed[each], fold)]))
        for share, proposed in shares.items()
        for group in groups(workload, list(proposed))
        for fold in range(len(workload.folds))
        if any(_is_tried_on(proposed[each], fold) for each in group.candidates)
    ]


def _is_tried_on(proposal: Proposal, fold: int) -> bool:
    return proposal.folds is None or fold in proposal.folds


def groups(workload: Workload, candidates: Sequence[Candidate], threads: int = 1) -> list[Group]:
    """Split `candidates` into groups that one training serves, in order of first appearance."""
    found: dict[str, list[tuple[Candidate, Any, Learner]]] = {}
    impossible = []
    for candidate in candidates:
        try:
            estimator = for_candidate(workload.estimator, candidate.params, threads)
        except Exception as error:  # what set_params refuses is this candidate's result, as it is any search's
            impossible.append(Group(GENERAL, (candidate,), error=error))
            continue
        learner = learner_for(estimator)
        free = {} if workload.early_stopping else free_over(workload.data, learner, estimator)
        rest = {name: value for name, value in candidate.params.items() if name not in free}
        key = json.dumps([learner.name, sorted(free), rest], sort_keys=True, default=repr)
        found.setdefault(key, []).append((candidate, estimator, learner))
    possible = [
        Group(group[0][2], tuple(each for each, _, _ in group), tuple(each for _, each, _ in group))
        for group in found.values()
    ]
    return [*possible, *impossible]


def free_over(data: Dataset, learner: Learner, estimator: Any) -> Mapping[str, str]:
    """Return the parameters of `estimator` that one training over rows of `data` serves, each with the reason."""
    return learner.free(estimator) if data.n_rows <= learner.draws_above(estimator) else {}


def bundles(work: Sequence[Work], workers: int) -> list[list[Work]]:
    """Put together what has steps in common, as long as every worker still has something to do.

    The more steps are asked to be equal, the smaller the bundles and the more of them; the largest bundles that keep
    all workers busy are taken. The last few, which would keep some workers waiting, are cut in parts.
    """
    deepest = max((len(group.preparation) for _, group in work), default=0)
    for depth in range(1, deepest + 1):
        bundled = _bundled(work, depth)
        if len(bundled) >= workers:
            return _evened(bundled, workers)
    return [[each] for each in work]


def _bundled(work: Sequence[Work], depth: int) -> list[list[Work]]:
    bundles: dict[Any, list[Work]] = {}
    for place, (tried, group) in enumerate(work):
        prepared = group.preparation
        bundles.setdefault((tried, prepared[:depth]) if prepared else place, []).append((tried, group))
    return [sorted(bundle, key=lambda each: each[1].preparation) for bundle in bundles.values()]


def _evened(bundles: list[list[Work]], workers: int) -> list[list[Work]]:
    over = len(bundles) % workers
    if not over:
        return bundles
    parts = workers // over
    return [*bundles[:-over], *(part for bundle in bundles[-over:] for part in _parts(bundle, parts))]


def _parts(bundle: list[Work], n_parts: int) -> list[list[Work]]:
    size = -(-len(bundle) // n_parts)
    return [bundle[begin : begin + size] for begin in range(0, len(bundle), size)]


def _with_idle_threads(fits: list[Fit], workers: int, workload: Workload) -> list[Fit]:
    """Give the last fits the cores that would stand idle while they run, where threads change nothing."""
    over = len(fits) % workers
    if not over or len(fits) < workers or not learner_for(workload.estimator).any_threads:
        return fits
    return [*fits[:-over], *(replace(fit, threads=workers // over) for fit in fits[-over:])]


def _varied(candidates: Sequence[Candidate]) -> set[str]:
    first = candidates[0].params
    return {name for each in candidates for name, value in each.params.items() if first.get(name) != value}


def relative_size(workload: Workload, candidate: Candidate) -> float | None:
    """Estimate how large the model of `candidate` is beside others'; None where nobody knows."""
    (group,) = groups(workload, [candidate])
    return None if group.error else group.learner.size(group.estimators[0])
