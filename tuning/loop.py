"""The one loop: ask the strategy, plan the fits, submit the costliest first, tell everyone as each ends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Future
from queue import SimpleQueue

from errors import EngineError
from tuning.candidates import Candidate
from tuning.dataset import Dataset
from tuning.engines.base import Engine
from tuning.observers import Observer
from tuning.plan import Workload, plan_fits
from tuning.results import FoldScore, SweepResult
from tuning.spec import SweepSpec
from tuning.strategies import STRATEGIES


def sweep(spec: SweepSpec, data: Dataset, engine: Engine, observers: Sequence[Observer] = ()) -> SweepResult:
    """Judge every candidate that `spec` asks for on every fold.

    Parameters
    ----------
    spec : SweepSpec
    data : Dataset
        The training rows.
    engine : Engine
        Not yet opened; it stays open, so that its owner decides how to close it.
    observers : sequence of Observer

    Returns
    -------
    SweepResult

    Raises
    ------
    SpecError
        The folds do not fit the data.
    EngineError
        The engine lost its workers.
    """
    begun = time.perf_counter()
    workload = Workload.for_spec(spec, data)
    strategy = STRATEGIES[spec.search.strategy](spec.grid)
    engine.open(workload)
    for observer in observers:
        observer.started(spec, strategy.n_candidates, len(workload.folds))
    ended: SimpleQueue[Future[list[FoldScore]]] = SimpleQueue()
    table: dict[Candidate, dict[int, FoldScore]] = {}
    running = units = 0
    while True:
        candidates = strategy.ask()
        table.update({candidate: {} for candidate in candidates})
        for fit in plan_fits(workload, candidates, engine.workers):
            engine.submit(fit).add_done_callback(ended.put)
            running, units = running + 1, units + 1
        if not running:
            break
        scores = _outcome(ended.get())
        running -= 1
        for score in scores:
            table[score.candidate][score.fold] = score
        strategy.tell(scores)
        for observer in observers:
            observer.scored(scores)
    result = _result(spec, table, units, time.perf_counter() - begun)
    for observer in observers:
        observer.ended(result)
    return result


def _outcome(future: Future[list[FoldScore]]) -> list[FoldScore]:
    try:
        return future.result()
    except BrokenExecutor as error:
        raise EngineError(
            "a worker process was killed, most likely for lack of memory. Use fewer cores (-P cores=1) or less data."
        ) from error


def _result(spec: SweepSpec, table: dict[Candidate, dict[int, FoldScore]], units: int, seconds: float) -> SweepResult:
    fold_scores = {candidate: [scores[fold] for fold in sorted(scores)] for candidate, scores in table.items()}
    return SweepResult(list(table), fold_scores, spec.scorers, spec.refit_scorer, units, seconds)
