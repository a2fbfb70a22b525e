"""What a fit takes in time and memory, from a few rounds of a few candidates.

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

from tuning.fitting import run_fit
from tuning.grouping import grouped
from tuning.learners import Learner
from tuning.learners.keeper import FoldKeeper
from tuning.plan import Fit
from tuning.workload import Workload

_PROBES = 3
_PROBE_ROUNDS = 4
_SAMPLE_SECONDS = 0.005
_WORTH_REPEATING = 1.0


@dataclass(frozen=True)
class Need:
    """Memory that fits take.

    Attributes
    ----------
    base_bytes, matrix_bytes, fit_bytes : int
        Of the process as it is, of one fold's matrix, and of one running fit.
    """

    base_bytes: int
    matrix_bytes: int
    fit_bytes: int

    def peak(self, workers: int, n_folds: int) -> float:
        """Bytes at the peak of so many fits side by side."""
        return float(self.base_bytes + n_folds * self.matrix_bytes + workers * self.fit_bytes)

    def workers_within(self, limit: float, most: int, n_folds: int) -> int:
        """How many fits may run side by side within `limit`, up to `most`; 0 where not even one may."""
        return max((n for n in range(1, most + 1) if self.peak(n, n_folds) <= limit), default=0)


@dataclass(frozen=True)
class Probe:
    """What was measured.

    Attributes
    ----------
    fixed, per_cost : float
        Seconds of a fit: ``fixed * rounds + per_cost * cost`` where there are rounds, else ``per_cost * cost``.
    matrix_seconds : float
        To make one fold's training matrix.
    need : Need
    """

    fixed: float
    per_cost: float
    matrix_seconds: float
    need: Need


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
    need = Need(memory.base, max(0, held - memory.base), memory.peak - held)
    return Probe(fixed, per_cost, matrix_seconds, need)


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
        for group in grouped(workload, fit.candidates)
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
