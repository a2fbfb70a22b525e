"""The one loop: ask the strategy, plan the fits, submit the costliest first, tell everyone as each ends.

Where there is a memory it is asked before anything is planned. What it knows is told to the strategy and to everyone
else as if it had just been fitted, so that a strategy goes the way that it went before, and only the rest is planned:
of a fit that several candidates share, the part that is not known.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from queue import Empty, SimpleQueue

from tuning.cells import Cells, Memory
from tuning.dataset import Dataset
from tuning.engines.base import Engine
from tuning.feasibility import check_folds, check_layout
from tuning.folds import share_tested
from tuning.grouping import relative_size
from tuning.kept.predictions import KeptPredictions
from tuning.kept.winner import keep_predictions
from tuning.naming import Names
from tuning.observers import Observer
from tuning.plan import Fit, plan_fits
from tuning.remembered import NothingKnown, Remembered
from tuning.reseeding import mean_scores_under_seeds
from tuning.results.fold_score import FoldScore
from tuning.results.standings import Standings
from tuning.results.sweep_result import SweepResult
from tuning.search import approximations, check_plan, check_rule, check_size, make_strategy
from tuning.spec.sweep_spec import SweepSpec
from tuning.strategies import Proposal, Strategy
from tuning.time_limit import TimeLimit
from tuning.verification import verify
from tuning.workload import Workload


def sweep(
    spec: SweepSpec,
    data: Dataset,
    engine: Engine,
    observers: Sequence[Observer] = (),
    memory: Memory | None = None,
    predictions: KeptPredictions | None = None,
) -> SweepResult:
    """Judge every candidate that `spec` asks for on every fold.

    Parameters
    ----------
    spec : SweepSpec
    data : Dataset
        The training rows.
    engine : Engine
        Not yet opened; it stays open, so that its owner decides how to close it.
    observers : sequence of Observer
    memory : Memory or None
        What remembers fits between sweeps.
    predictions : KeptPredictions or None
        Where predictions are kept, for a sweep that has a memory.

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
    cells = None if memory is None else Cells(spec, workload)
    if predictions is not None and cells is not None:
        predictions.open(cells, workload.folds, spec.refit_scorer, spec.rule)
    remembered = NothingKnown() if memory is None or cells is None else Remembered(memory, cells, predictions)
    begun += remembered.waited
    engine.began = remembered.begin
    engine.open(workload)
    for observer in observers:
        observer.started(spec, strategy.n_candidates, len(workload.folds))
    limit = TimeLimit(begun, spec.budget.max_time)
    names = Names.of(spec.space, strategy.n_candidates)
    run = _Run(workload, strategy, engine, observers, limit, names, remembered)
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
    best = result.best  # a sweep without a winner has failed, and its observers need not hear otherwise
    if predictions is not None and cells is not None:
        keep_predictions(predictions, cells, workload, result, engine, limit.is_up())
    if spec.seeds:
        rounds = table.rounds.get(best)
        means = mean_scores_under_seeds(spec.seeds, workload, best, rounds, engine, remembered)
        result = replace(result, seed_means=means)
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
        limit: TimeLimit,
        names: Names,
        remembered: NothingKnown,
    ) -> None:
        self._workload = workload
        self._strategy = strategy
        self._engine = engine
        self._observers = observers
        self._limit = limit
        self._names = names
        self._remembered = remembered
        self._ended: SimpleQueue[Future[list[FoldScore]]] = SimpleQueue()
        self._running: dict[Future[list[FoldScore]], Fit] = {}
        self.table = Standings()
        self.n_units = 0

    def to_the_end(self) -> None:
        """Ask, submit and tell until nothing runs and nothing is proposed."""
        while True:
            for proposals in self._proposed():
                self._submit(proposals)
            if not self._running:
                return
            self._take(self._next_ended())

    def _proposed(self) -> Iterator[Sequence[Proposal]]:
        """Ask for as long as something of the answer is known, which may be all that the strategy waits for."""
        while not self._limit.is_up():
            proposals = [replace(each, candidate=self._names.named(each.candidate)) for each in self._strategy.ask()]
            self.table.expect([proposal.candidate for proposal in proposals])
            known, left = self._remembered.split(proposals, len(self._workload.folds)) if proposals else ([], [])
            self._tell(known)
            yield left
            if not known:
                return

    def _submit(self, proposals: Sequence[Proposal]) -> None:
        fits = plan_fits(self._workload, proposals, self._engine.workers)
        for fit in map(self._remembered.noting, self._remembered.suspects_apart(fits)):
            future = self._engine.submit(fit)
            self._running[future] = fit
            future.add_done_callback(self._ended.put)

    def _next_ended(self) -> Future[list[FoldScore]]:
        """Wait for a fit to end; when the time is up, those that have not begun are dropped, and later the others."""
        try:
            return self._ended.get(timeout=self._limit.until_no_more_begin())
        except Empty:
            for future in self._running:
                future.cancel()
        try:
            return self._ended.get(timeout=self._limit.until_given_up())
        except Empty:
            self._engine.give_up(self._limit.reason)
        return self._ended.get()

    def _take(self, future: Future[list[FoldScore]]) -> None:
        fit = self._running.pop(future)
        try:
            scores = self._names.on(future.result())
        except CancelledError:
            return
        self.n_units += 1
        self._limit.seen(scores)
        self._tell(self._remembered.keep(fit, scores))

    def _tell(self, scores: list[FoldScore]) -> None:
        if not scores:
            return
        self.table.add(scores)
        self._strategy.tell(scores)
        for observer in self._observers:
            observer.scored(scores)
