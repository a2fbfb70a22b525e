"""The one loop: ask the strategy, plan the fits, submit the costliest first, tell everyone as each ends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from queue import Empty, SimpleQueue

from tuning.audit import check_folds, check_layout
from tuning.dataset import Dataset
from tuning.engines.base import Engine
from tuning.folds import share_tested
from tuning.naming import Names
from tuning.observers import Observer
from tuning.plan import Workload, plan_fits, relative_size
from tuning.results.standings import Standings
from tuning.results.sweep_result import FoldScore, SweepResult
from tuning.search import approximations, check_plan, check_rule, check_size, make_strategy
from tuning.spec.sweep_spec import SweepSpec
from tuning.strategies import Strategy
from tuning.verification import verify


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
        The folds do not fit the data, or the grid is too large to be tried whole.
    FitError
        Every candidate failed, or the budget was not enough for one.
    EngineError
        The engine lost its workers.
    """
    begun = time.perf_counter()
    check_size(spec)
    workload = Workload.for_spec(spec, data)
    check_plan(spec, workload)
    check_rule(spec, workload)
    check_layout(spec, workload)
    check_folds(spec, workload)
    strategy = make_strategy(spec, workload)
    engine.open(workload)
    for observer in observers:
        observer.started(spec, strategy.n_candidates, len(workload.folds))
    until = None if spec.budget.max_time is None else begun + spec.budget.max_time
    run = _Run(workload, strategy, engine, observers, until, Names.of(spec.space, strategy.n_candidates))
    run.to_the_end()
    table = run.table.settled() if spec.early_stopping else run.table
    verification = verify(spec.verify, workload, table.fold_scores(), table.rounds, engine)
    result = SweepResult(
        table.candidates,
        table.fold_scores(),
        len(workload.folds),
        spec.scorers,
        spec.refit_scorer,
        run.n_units,
        time.perf_counter() - begun,
        table.rounds,
        approximations(spec),
        [relative_size(workload, candidate) for candidate in table.candidates],
        verification,
        share_tested(workload.folds),
        spec.rule,
    )
    _ = result.best_index  # a sweep without a winner has failed, and its observers need not hear otherwise
    for observer in observers:
        observer.ended(result)
    return result


class _Run:
    """One pass of the loop, from the first proposal to the last score."""

    def __init__(
        self,
        workload: Workload,
        strategy: Strategy,
        engine: Engine,
        observers: Sequence[Observer],
        until: float | None,
        names: Names,
    ) -> None:
        self._workload = workload
        self._strategy = strategy
        self._engine = engine
        self._observers = observers
        self._until = until
        self._names = names
        self._ended: SimpleQueue[Future[list[FoldScore]]] = SimpleQueue()
        self._running: set[Future[list[FoldScore]]] = set()
        self.table = Standings()
        self.n_units = 0

    def to_the_end(self) -> None:
        """Ask, submit and tell until nothing runs and nothing is proposed."""
        while True:
            if not self._time_is_up():
                self._submit_proposals()
            if not self._running:
                return
            self._take(self._next_ended())

    def _submit_proposals(self) -> None:
        proposals = [replace(each, candidate=self._names.named(each.candidate)) for each in self._strategy.ask()]
        self.table.expect([proposal.candidate for proposal in proposals])
        for fit in plan_fits(self._workload, proposals, self._engine.workers):
            future = self._engine.submit(fit)
            self._running.add(future)
            future.add_done_callback(self._ended.put)

    def _next_ended(self) -> Future[list[FoldScore]]:
        """Wait for a fit to end; when the time is up, those that have not started are dropped."""
        if self._until is not None:
            try:
                return self._ended.get(timeout=max(0.0, self._until - time.perf_counter()))
            except Empty:
                for future in self._running:
                    future.cancel()
        return self._ended.get()

    def _take(self, future: Future[list[FoldScore]]) -> None:
        self._running.discard(future)
        try:
            scores = self._names.on(future.result())
        except CancelledError:
            return
        self.n_units += 1
        self.table.add(scores)
        self._strategy.tell(scores)
        for observer in self._observers:
            observer.scored(scores)

    def _time_is_up(self) -> bool:
        return self._until is not None and time.perf_counter() >= self._until
