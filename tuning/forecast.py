"""What a sweep will take on this machine or another, from a few timed rounds rather than from a table of guesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loky import cpu_count

from errors import SpecError
from tuning.cells import Cells, Memory
from tuning.dataset import Dataset
from tuning.feasibility import check_folds, check_layout
from tuning.plan import plan_fits
from tuning.probing import Need, measure, seconds_of
from tuning.remembered import Remembered
from tuning.results.fold_score import FoldScore
from tuning.search import make_strategy
from tuning.spec.sweep_spec import SweepSpec
from tuning.strategies import Proposal
from tuning.volume import volume_of
from tuning.workload import Workload


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
    n_known : int
        Folds of candidates that earlier sweeps have fitted; `seconds` is for the others.
    work, longest : float
        Seconds of all fits one after the other, known ones included, and of the longest of them.
    need : Need or None
        What memory they take.
    """

    n_candidates: int
    n_fits: int
    n_units: int
    workers: int
    seconds: float
    peak_bytes: float
    n_known: int = 0
    work: float = 0.0
    longest: float = 0.0
    need: Need | None = None

    @property
    def n_folds(self) -> int:
        """Folds of each candidate."""
        return self.n_fits // max(1, self.n_candidates)

    def seconds_on(self, workers: int) -> float:
        """Seconds of all fits, none of them known, so many side by side."""
        return max(self.work / workers, self.longest)


def forecast(spec: SweepSpec, data: Dataset, cores: int = 0, memory: Memory | None = None) -> Forecast:
    """Foretell the sweep of `spec` over `data`.

    Parameters
    ----------
    spec : SweepSpec
    data : Dataset
    cores : int
        Fits side by side, before the budget's limits; 0 for as many as there are cores.
    memory : Memory or None
        What remembers fits between sweeps; it is asked, and told nothing.

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
    workers = _within_memory(probe.need, workers, spec.budget.max_memory, len(workload.folds))
    n_folds = len(workload.folds)
    seconds = [seconds_of(probe, workload, fit) for fit in fits]
    scale = volume.n_trainings / volume.n_sampled
    total, matrices = sum(seconds) * scale, n_folds * probe.matrix_seconds
    is_whole = volume.n_trainings == volume.n_sampled
    known, left = ([], volume.sample) if memory is None else _known(memory, spec, workload, volume.sample)
    to_fit = seconds
    if known:
        to_fit = [seconds_of(probe, workload, fit) for fit in plan_fits(workload, left, workers)] if left else []
    n_fits = volume.n_candidates * n_folds
    return Forecast(
        volume.n_candidates,
        n_fits,
        len(fits) if is_whole else volume.n_trainings * n_folds,
        workers,
        max((sum(to_fit) * scale + matrices) / workers, *to_fit) if to_fit else 0.0,
        probe.need.peak(workers, n_folds),
        round(len(known) / (len(volume.sample) * n_folds) * n_fits) if known else 0,
        total + matrices,
        max(seconds),
        probe.need,
    )


def _known(
    memory: Memory, spec: SweepSpec, workload: Workload, proposals: Sequence[Proposal]
) -> tuple[Sequence[FoldScore], Sequence[Proposal]]:
    return Remembered(memory, Cells(spec, workload)).split(proposals, len(workload.folds))


def workers_within(spec: SweepSpec, data: Dataset, cores: int = 0) -> int:
    """Fits that may run side by side within the budget; memory is only probed where the budget limits it."""
    if spec.budget.max_memory is None:
        return _within_cores(spec, cores)
    return forecast(spec, data, cores).workers


def _within_cores(spec: SweepSpec, cores: int) -> int:
    here = cores or int(cpu_count())
    return min(here, spec.budget.cores or here)


def _within_memory(need: Need, workers: int, limit: float | None, n_folds: int) -> int:
    if limit is None:
        return workers
    fitting = need.workers_within(limit, workers, n_folds)
    if not fitting:
        needed = need.peak(1, n_folds)
        raise SpecError(
            f"budget.max_memory: {_gigabytes(limit)} are not enough for one fit at a time, which needs about "
            f"{_gigabytes(needed)} with the matrices of {n_folds} folds. Raise it, or use fewer rows, columns or bins."
        )
    return fitting


def _gigabytes(amount: float) -> str:
    return f"{amount / 1e9:.2g} GB"
