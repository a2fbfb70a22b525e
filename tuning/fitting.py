"""Run one fit: train, score, and report times or the error. The same code runs in every engine's workers.

Whatever an estimator or a scorer raises is that candidate's result, not the sweep's end. Where a training that several
candidates share fails, or steps that they share, each candidate is fitted alone in the plain way: which of them fail,
and with what words, is then what a search without any sharing would have found.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

from tuning.candidates import Candidate
from tuning.control import UNATTENDED, Control
from tuning.dataset import Dataset
from tuning.grouping import Group, grouped
from tuning.kept.responses import Recording, Responses, completed, responses_of
from tuning.learners import GENERAL, hold_to
from tuning.learners.base import FoldRows
from tuning.learners.curves import at_round, best_rounds
from tuning.learners.keeper import FoldKeeper
from tuning.learners.views import in_labels
from tuning.plan import Fit
from tuning.results.fold_score import FoldScore
from tuning.scoring import Scorers
from tuning.warned import noted_warnings, one_line
from tuning.workload import Workload

ALONE = "fitted alone"
_OF_THE_MACHINE = (MemoryError, OSError, ImportError)  # not the candidate's own failure: another try may succeed


def run_fit(workload: Workload, fit: Fit, keeper: FoldKeeper, control: Control = UNATTENDED) -> list[FoldScore]:
    """Train and score the candidates of one fit.

    Parameters
    ----------
    workload : Workload
    fit : Fit
    keeper : FoldKeeper
        Of the calling process.
    control : Control
        What the engine has to say while a model trains.

    Returns
    -------
    list of FoldScore
        One per candidate. What the estimator or a scorer raises is in there, not raised.

    Raises
    ------
    CancelledError
        The sweep was interrupted.
    """
    if workload.runner is not None:
        found_by_its_own: list[FoldScore] = workload.runner(workload, fit, keeper, control)
        return found_by_its_own
    rows = keeper.rows(fit, control)
    found: list[FoldScore] = []
    for group, (begin, end) in _parts(grouped(workload, fit.candidates, fit.threads)):
        control.at_part(begin, end)
        found += _scored(workload, fit, _made_ready(group, fit), rows)
    return found


def _parts(planned: Sequence[Group]) -> Iterator[tuple[Group, tuple[float, float]]]:
    """Each group with the share of the fit's work where it begins, and where it ends."""
    if len(planned) == 1:
        yield planned[0], (0.0, 1.0)
        return
    costs = [group.cost for group in planned]
    ends = [done / (sum(costs) or 1.0) for done in accumulate(costs)]
    yield from zip(planned, zip([0.0, *ends], ends, strict=False), strict=True)


def _made_ready(group: Group, fit: Fit) -> Group:
    """Set what the engine and the strategy decide: threads, graphics card, share of the rounds."""
    learner = group.learner
    for estimator in group.estimators:
        hold_to(estimator, fit.threads)
        learner.with_rounds(estimator, fit.rounds)
        if fit.device is not None:
            learner.on_device(estimator, fit.device)
    return group


def _scored(workload: Workload, fit: Fit, group: Group, rows: FoldRows) -> Iterator[FoldScore]:
    if group.error is not None:
        yield _failed(group.candidates[0], fit, group.error)
        return
    if fit.alone:
        yield plain_score(workload, fit, group.candidates[0], group.estimators[0], rows)
        return
    shares = len(group.candidates) > 1 or bool(group.preparation)
    try:
        if workload.early_stopping is not None:
            yield from _stopped_early(workload, fit, group, rows)
        else:
            yield from list(_trained(workload, fit, group, rows))
    except BaseException as error:
        if not is_its_own(error):
            raise
        if not shares or workload.early_stopping is not None:
            yield from (_failed(candidate, fit, error) for candidate in group.candidates)
            return
        for candidate, estimator in zip(group.candidates, group.estimators, strict=True):
            yield plain_score(workload, fit, candidate, estimator, rows)


def _trained(workload: Workload, fit: Fit, group: Group, rows: FoldRows) -> Iterator[FoldScore]:
    """Train once and score every candidate of `group`."""
    learner = group.learner
    with noted_warnings() as noted:
        fitted = learner.fit(group.whole, rows)
        for candidate, estimator in zip(group.candidates, group.estimators, strict=True):
            model, again = learner.cut(fitted, estimator), partial(learner.judged_on, estimator, rows)
            test = again()
            try:
                timed = _judged(workload, fit, model, learner.takes_codes(estimator), test, again)
            except BaseException as error:
                if not is_its_own(error):
                    raise
                yield _failed(candidate, fit, error)
                continue
            yield FoldScore(
                candidate,
                fit.fold,
                timed.scores,
                learner.seconds(fitted, estimator),
                timed.seconds,
                warning=noted[0] if noted else None,
                share=fit.rows * fit.rounds,
                shared="; ".join([*group.reasons, *fitted.shared]) or ALONE,
                responses=timed.responses,
                unkept=timed.unkept,
            )


def plain_score(workload: Workload, fit: Fit, candidate: Candidate, estimator: Any, rows: FoldRows) -> FoldScore:
    """Fit and score one candidate in the plainest way: its own ``fit`` on its own rows, nothing shared."""
    try:
        with noted_warnings() as noted:
            fitted = GENERAL.fit(estimator, rows)
            timed = _judged(workload, fit, fitted.model, GENERAL.takes_codes(estimator), rows.test(), rows.test)
    except BaseException as error:
        if not is_its_own(error):
            raise
        return _failed(candidate, fit, error)
    return FoldScore(
        candidate,
        fit.fold,
        timed.scores,
        fitted.seconds,
        timed.seconds,
        warning=noted[0] if noted else None,
        share=fit.rows * fit.rounds,
        shared=ALONE,
        responses=timed.responses,
        unkept=timed.unkept,
    )


@dataclass(frozen=True)
class _Timed:
    scores: Mapping[str, float]
    seconds: float
    responses: Responses | None = None
    unkept: str = ""


def _judged(
    workload: Workload, fit: Fit, model: Any, codes: bool, test: Dataset, again: Callable[[], Dataset]
) -> _Timed:
    """Score `model` on `test`, and note its answers where `fit` keeps them; `again` gives the rows as they were."""
    begun = time.perf_counter()
    seen, labelled = in_labels(model, codes, test)
    inside = workload.scorers.that_looks_inside
    if fit.keeps == "nothing" or inside is not None:
        scores = workload.scorers.score(seen, labelled)
        unkept = f"{inside} looks at the estimator itself" if inside else ""
        return _Timed(scores, time.perf_counter() - begun, unkept=unkept)
    recording = Recording(seen)
    try:
        scores = workload.scorers.score(recording, labelled)
    except BaseException as error:
        if not is_its_own(error):
            raise
        scores = workload.scorers.score(*in_labels(model, codes, again()))  # in the words of the model's own error
        return _Timed(scores, time.perf_counter() - begun, unkept="the scorers take no other object for the estimator")
    seconds = time.perf_counter() - begun
    if fit.keeps == "all":
        with suppress(Exception):  # nobody has asked for it but us: what it has answered for the scorers is kept
            completed(recording, lambda: again().X)
    kept = responses_of(recording, test)
    return _Timed(scores, seconds, kept, "" if kept else "what it predicts has no columns to be kept in")


@dataclass(frozen=True)
class _WorkloadJudge:
    """Scores models of one fold by the workload's scorers; see ``tuning.learners.base.Judge``."""

    all: Scorers

    @property
    def scorers(self) -> Sequence[str]:
        return self.all.deciding_first

    @property
    def only_responses(self) -> bool:
        return self.all.only_responses

    def __call__(self, model: Any, test: Dataset) -> Mapping[str, float]:
        return self.all.score(model, test)


def _stopped_early(workload: Workload, fit: Fit, group: Group, rows: FoldRows) -> Iterator[FoldScore]:
    """Score every round; the fold's own best stands for now, since which round counts all folds decide together."""
    assert workload.early_stopping is not None
    learner, judge = group.learner, _WorkloadJudge(workload.scorers)
    for candidate, estimator in zip(group.candidates, group.estimators, strict=True):
        with noted_warnings() as noted:
            curves = learner.curves(estimator, rows, judge, workload.early_stopping.patience)
        deciding = curves.scores[workload.scorers.refit_scorer]
        scores = at_round(curves.scores, best_rounds([deciding]))
        yield FoldScore(
            candidate,
            fit.fold,
            scores,
            curves.seconds,
            warning=noted[0] if noted else None,
            curves=curves.scores,
            shared="every round scored as it was trained",
        )


def is_its_own(error: BaseException) -> bool:
    """Whether `error` is what an estimator or a scorer has raised, ``sys.exit()`` included.

    Not so an end that was asked for: by the engine, or by a person's Ctrl-C, which reaches the main thread alone and
    only where the process listens to it.
    """
    if isinstance(error, GeneratorExit | CancelledError):
        return False
    if not isinstance(error, KeyboardInterrupt) or threading.current_thread() is not threading.main_thread():
        return True
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def _failed(candidate: Candidate, fit: Fit, error: BaseException) -> FoldScore:
    lost = isinstance(error, _OF_THE_MACHINE)
    return FoldScore(candidate, fit.fold, error=one_line(error), share=fit.rows * fit.rounds, lost=lost)
