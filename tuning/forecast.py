"""What a sweep will take on this machine, from a few timed rounds rather than from a table of guesses.

One fold's matrix is made and a few candidates, the cheapest to the costliest, are trained on it for a few rounds. The
time of a round is a constant plus a part that grows with the leaves of a tree (the learner's ``cost``), so two
or more probes give every other candidate's time. Memory is read off the process while this goes on.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import psutil
from loky import cpu_count

from errors import SpecError
from tuning.dataset import Dataset
from tuning.feasibility import check_folds, check_layout
from tuning.fitting import run_fit
from tuning.learners import Learner
from tuning.learners.keeper import FoldKeeper
from tuning.plan import Fit, Workload, groups, plan_fits
from tuning.search import make_strategy
from tuning.spec.sweep_spec import SweepSpec
from tuning.volume import volume_of

_PROBES = 3
_PROBE_ROUNDS = 4
_SAMPLE_SECONDS = 0.005
_WORTH_REPEATING = 1.0


@dataclass(frozen=True)
class Probe:
    """What was measured.

    Attributes
    ----------
    fixed, per_cost : float
        Seconds of a fit: ``fixed * rounds + per_cost * cost`` where there are rounds, else ``per_cost * cost``.
    matrix_seconds : float
        To make one fold's training matrix.
    base_bytes, matrix_bytes, fit_bytes : int
        Of the process as it is, of one fold's matrix, and of one running fit.
    """

    fixed: float
    per_cost: float
    matrix_seconds: float
    base_bytes: int
    matrix_bytes: int
    fit_bytes: int


@dataclass(frozen=True)
class Forecast:
    """What a sweep comes to.

    Attributes
    ----------
    n_candidates, n_fits, n_units : int
        Candidates, folds of candidates, and fits that are really trained. For a strategy that stops candidates
        early these are upper bounds.
    workers : int
        Fits side by side, within the budget of cores and memory.
    seconds : float
        Of the fits; the refit and the tracking are not in it.
    peak_bytes : float
    """

    n_candidates: int
    n_fits: int
    n_units: int
    workers: int
    seconds: float
    peak_bytes: float


def forecast(spec: SweepSpec, data: Dataset, cores: int = 0) -> Forecast:
    """Foretell the sweep of `spec` over `data`.

    Parameters
    ----------
    spec : SweepSpec
    data : Dataset
    cores : int
        Fits side by side, before the budget's limits; 0 for as many as there are cores.

    Raises
    ------
    SpecError
        The budget's memory is not enough for one fit.
    """
    workload = Workload.for_spec(spec, data)
    check_layout(spec, workload)
    check_folds(spec, workload)
    volume = volume_of(spec, workload, make_strategy(spec, workload))
    workers = _within_cores(spec, cores)
    fits = plan_fits(workload, volume.sample, workers)
    probe = measure(workload, fits)
    workers = _within_memory(probe, workers, spec.budget.max_memory, len(workload.folds))
    n_folds = len(workload.folds)
    seconds = [seconds_of(probe, workload, fit) for fit in fits]
    total = sum(seconds) * volume.n_trainings / volume.n_sampled + n_folds * probe.matrix_seconds
    is_whole = volume.n_trainings == volume.n_sampled
    return Forecast(
        volume.n_candidates,
        volume.n_candidates * n_folds,
        len(fits) if is_whole else volume.n_trainings * n_folds,
        workers,
        max(total / workers, *seconds),
        _peak(probe, workers, n_folds),
    )


def workers_within(spec: SweepSpec, data: Dataset, cores: int = 0) -> int:
    """Fits that may run side by side within the budget; memory is only probed where the budget limits it."""
    if spec.budget.max_memory is None:
        return _within_cores(spec, cores)
    return forecast(spec, data, cores).workers


def _within_cores(spec: SweepSpec, cores: int) -> int:
    here = cores or int(cpu_count())
    return min(here, spec.budget.cores or here)


def measure(workload: Workload, fits: Sequence[Fit]) -> Probe:
    """Train a few fits of fold 0 for a few rounds, and see what they take."""
    on_first = [fit for fit in fits if fit.fold == 0]
    places = sorted({round(place) for place in np.linspace(0, len(on_first) - 1, _PROBES)})
    keeper = FoldKeeper(workload)
    has_rounds = _learner(workload, on_first[-1]).rounds_name(workload.estimator) is not None
    matrix_seconds = 0.0
    with _memory() as memory:
        if has_rounds:
            begun = time.perf_counter()
            _run(workload, _probe_fit(workload, on_first[places[-1]], rounds=1), keeper)
            matrix_seconds = time.perf_counter() - begun
        held = memory.now()
        times = [_time(workload, on_first[place], keeper) for place in places]
    fixed, per_cost = _line(times, has_rounds)
    return Probe(fixed, per_cost, matrix_seconds, memory.base, max(0, held - memory.base), memory.peak - held)


def _time(workload: Workload, fit: Fit, keeper: FoldKeeper) -> tuple[float, float]:
    """Cost per round of a fit, and its seconds per round."""
    probe = _probe_fit(workload, fit, _PROBE_ROUNDS)
    rounds = _rounds(workload, probe)
    took = _seconds(workload, probe, keeper)
    if took < _WORTH_REPEATING:  # a first fit imports, compiles and fills caches, which thousands after it do not
        took = min(took, _seconds(workload, probe, keeper))
    return fit.cost / _rounds(workload, fit), took / rounds


def _seconds(workload: Workload, fit: Fit, keeper: FoldKeeper) -> float:
    begun = time.perf_counter()
    _run(workload, fit, keeper)
    return time.perf_counter() - begun


def _probe_fit(workload: Workload, fit: Fit, rounds: int) -> Fit:
    share = min(1.0, rounds / _rounds(workload, fit))
    return Fit(fit.fold, fit.candidates[-1:], fit.cost, fit.threads, fit.rows, share)


def _run(workload: Workload, fit: Fit, keeper: FoldKeeper) -> None:
    """Run a fit; one that fails here will fail in the sweep, where its error is recorded."""
    run_fit(Workload(workload.estimator, workload.scorers, workload.data, workload.folds), fit, keeper)


def _learner(workload: Workload, fit: Fit) -> Learner:
    return workload.learner(fit.candidates)


def _rounds(workload: Workload, fit: Fit) -> float:
    """Rounds of the longest training of `fit`; 1 where there are none."""
    given = [
        group.learner.rounds_of(estimator)
        for group in groups(workload, fit.candidates)
        for estimator in group.estimators
    ]
    return max(1, math.ceil(fit.rounds * max((rounds for rounds in given if rounds), default=1)))


def _line(times: Sequence[tuple[float, float]], has_rounds: bool) -> tuple[float, float]:
    """Fit ``seconds = fixed + per_cost * cost`` to the probes; through zero where they do not allow both."""
    costs, seconds = (np.array(column) for column in zip(*times, strict=True))
    if has_rounds and len(set(costs)) > 1:
        slope, intercept = np.polyfit(costs, seconds, 1)
        if slope <= 0:  # rows so few that trees of any depth take equally long
            return float(seconds.mean()), 0.0
        if intercept > 0:
            return float(intercept), float(slope)
    return 0.0, float((seconds / costs).mean())


def seconds_of(probe: Probe, workload: Workload, fit: Fit) -> float:
    """Seconds that `fit` will take."""
    return probe.fixed * _rounds(workload, fit) + probe.per_cost * fit.cost


def _peak(probe: Probe, workers: int, n_folds: int) -> float:
    return float(probe.base_bytes + n_folds * probe.matrix_bytes + workers * probe.fit_bytes)


def _within_memory(probe: Probe, workers: int, limit: float | None, n_folds: int) -> int:
    if limit is None:
        return workers
    fitting = [n for n in range(1, workers + 1) if _peak(probe, n, n_folds) <= limit]
    if not fitting:
        needed = _peak(probe, 1, n_folds)
        raise SpecError(
            f"budget.max_memory: {_gigabytes(limit)} are not enough for one fit at a time, which needs about "
            f"{_gigabytes(needed)} with the matrices of {n_folds} folds. Raise it, or use fewer rows, columns or bins."
        )
    return fitting[-1]


def _gigabytes(amount: float) -> str:
    return f"{amount / 1e9:.2g} GB"


@dataclass
class _Memory:
    """Resident memory of this process: at the start, now, and at its highest since."""

    base: int
    peak: int
    _process: psutil.Process = field(default_factory=psutil.Process)

    def now(self) -> int:
        return int(self._process.memory_info().rss)


@contextmanager
def _memory() -> Iterator[_Memory]:
    """Watch the process's memory; sampled, since the system's own high-water mark cannot be set back."""
    resident = int(psutil.Process().memory_info().rss)
    memory, stop = _Memory(resident, resident), threading.Event()

    def watch() -> None:
        while not stop.wait(_SAMPLE_SECONDS):
            memory.peak = max(memory.peak, memory.now())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        stop.set()
        thread.join()
