"""The fits of a search, run one after the other here, or side by side where that pays, and given back as they end.

A pool of processes takes a second or two to start, longer than many a search in a notebook takes in all. So where the
data are small the fits begin here, in this thread, and move to other cores only if what is left is worth that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any

from sklearn.metrics._scorer import _MultimetricScorer

from errors import EngineError
from tuning.dataset import n_values_of
from tuning.dropin.calls import Outcome, SearchWorkload
from tuning.dropin.plan import plan_search
from tuning.dropin.run import outcome, run_search_fit
from tuning.engines import check_engine, choose_engine, open_engine, stays_here
from tuning.engines.base import Engine
from tuning.fitting import ALONE
from tuning.learners import learner_for
from tuning.learners.keeper import FoldKeeper
from tuning.plan import Fit
from tuning.results.fold_score import FoldScore

_SMALL = 200_000  # values in X
_SHORT = 3.0  # seconds that are not worth a pool

Say = Callable[[str], None]


@dataclass(frozen=True)
class Place:
    """Where fits are to run: an engine's name, the master, and how many side by side."""

    engine: str
    master: str | None
    cores: int


def ended_fits(workload: SearchWorkload, place: Place, say: Say) -> Generator[list[Outcome], None, None]:
    """Run all calls of `workload`, and yield each fit's outcomes as it ends.

    Raises
    ------
    GridfoldError
        There is no such engine, or it has lost its workers.
    """
    check_engine(place.engine, place.master)
    name = choose_engine(place.engine, place.master)
    if name == "spark":
        yield from _on_engine(workload, None, replace(place, engine=name), say)
        return
    fits = plan_search(workload, place.cores)
    words = _words(workload, fits, f"{place.cores} core{'s' * (place.cores > 1)} of this machine")
    why = stays_here(place.engine, place.master)
    say(f"{words}; {why}" if why else words)
    if place.cores == 1 or _may_be_short(workload):
        limit = None if place.cores == 1 else _SHORT
        begun = _Here(workload, fits, limit)
        yield from begun
        fits = begun.left
    if fits:
        yield from _on_engine(workload, fits, replace(place, engine=name), say)


def _may_be_short(workload: SearchWorkload) -> bool:
    X = workload.data.X if workload.asked.X is None else workload.asked.X
    return n_values_of(X) <= _SMALL and learner_for(workload.estimator).place(workload.estimator) == "processes"


class _Here:
    """Runs fits in this thread, the cheapest first, all of them or as long as that is quick.

    Parameters
    ----------
    workload : SearchWorkload
    fits : sequence of Fit
    limit : float or None
        Seconds in which all must be expected to end; ``left`` are those that have not been run then.
    """

    def __init__(self, workload: SearchWorkload, fits: Sequence[Fit], limit: float | None) -> None:
        self._workload = replace(workload, keeps_threads=True)
        self._limit = limit
        self.left = list(fits)

    def __iter__(self) -> Iterator[list[Outcome]]:
        keeper = FoldKeeper(self._workload, threads=True)
        for fit in self.left:
            keeper.expect(fit)
        dearest_first = self.left[0].cost > self.left[-1].cost
        begun, done = time.perf_counter(), 0.0
        while self.left:
            fit = self.left.pop(-1 if dearest_first and self._limit is not None else 0)
            with keeper.in_use(fit):
                found = run_search_fit(self._workload, fit, keeper)
            yield found
            done += fit.cost
            spent = time.perf_counter() - begun
            if self._limit and spent * (1 + sum(each.cost for each in self.left) / max(done, 1e-9)) > self._limit:
                return


def _on_engine(workload: SearchWorkload, fits: Sequence[Fit] | None, place: Place, say: Say) -> Iterator[list[Outcome]]:
    """Run `fits` on an engine; with None, those that suit the workers that it turns out to have."""
    cores = place.cores if place.engine == "local" else 0
    with open_engine(place.engine, cores, place.master) as engine:
        engine.open(workload)
        if fits is None:
            fits = plan_search(workload, engine.workers)
            say(_words(workload, fits, f"engine {engine.name}, {engine.workers} at a time"))
        for found in _as_they_end(engine, fits):
            yield [each if isinstance(each, Outcome) else _lost(workload, each) for each in found]


def _as_they_end(engine: Engine, fits: Sequence[Fit]) -> Iterator[list[FoldScore]]:
    ended: SimpleQueue[Future[list[FoldScore]]] = SimpleQueue()
    for fit in fits:
        engine.submit(fit).add_done_callback(ended.put)
    for _ in fits:
        yield ended.get().result()


def _lost(workload: SearchWorkload, score: FoldScore) -> Outcome:
    """Make what scikit-learn makes of a failed fit out of one that has taken its worker down."""
    common, said = workload.asked.common, str(score.error)
    if common["error_score"] == "raise":
        return Outcome(score.candidate, score.fold, error=said, raised=EngineError(said))
    names = common["scorer"]._scorers if isinstance(common["scorer"], _MultimetricScorer) else None
    filled = common["error_score"] if names is None else dict.fromkeys(names, common["error_score"])
    out: dict[str, Any] = {"fit_error": said, "test_scores": filled, "fit_time": 0.0, "score_time": 0.0}
    out["n_test_samples"] = len(workload.folds[score.fold].test)
    if common["return_train_score"]:
        out["train_scores"] = filled
    return outcome(score.candidate, score.fold, out, ALONE)


def _words(workload: SearchWorkload, fits: Sequence[Fit], where: str) -> str:
    n_candidates, n_folds = len(workload.candidates), len(workload.folds)
    return f"{len(fits)} fits for {n_candidates} candidates on {n_folds} folds, {where}"
