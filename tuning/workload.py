"""All that the fits of one sweep have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuning.candidates import Candidate
from tuning.dataset import Dataset
from tuning.folds import Fold, make_folds
from tuning.learners import Learner, learner_for
from tuning.scoring import Scorers
from tuning.spec.estimators import for_candidate, make_estimator
from tuning.spec.modules import local_modules
from tuning.spec.sweep_spec import EarlyStopping, SweepSpec


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
