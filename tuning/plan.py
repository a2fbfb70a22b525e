"""Plan the fits of a sweep.

Candidates that differ only in ``n_estimators`` are prefixes of one booster, so a fit is one fold times one such group:
train the longest, score the rest from its first rounds. We do not use warm_start or ``xgb_model=``: continuing a
booster restarts its random state, and sampled trees would differ from those of a separate fit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuning.boosting import shares_prefixes
from tuning.candidates import Candidate
from tuning.dataset import Dataset
from tuning.estimators import for_candidate, make_estimator
from tuning.folds import Fold, make_folds
from tuning.spec import SweepSpec

ROUNDS = "n_estimators"
_DEEPEST = 10  # beyond it trees run out of rows, not of levels


@dataclass(frozen=True, eq=False)
class Workload:
    """All that the fits of one sweep have in common; an engine takes it to its workers once.

    Attributes
    ----------
    estimator : object
        Unfitted, with the spec's ``fixed`` set.
    scorers : tuple of str
    data : Dataset
        The training rows; hold-out rows are not among them.
    folds : tuple of Fold
    """

    estimator: Any
    scorers: tuple[str, ...]
    data: Dataset
    folds: tuple[Fold, ...]

    @classmethod
    def for_spec(cls, spec: SweepSpec, data: Dataset) -> Workload:
        """Build what `spec` asks for over the rows of `data`.

        Raises
        ------
        SpecError
            The folds do not fit the data.
        """
        return cls(make_estimator(spec.estimator, spec.fixed), spec.scorers, data, make_folds(spec.cv, data))


@dataclass(frozen=True, eq=False)
class Fit:
    """The unit of work: one fold, and the candidates that share its booster.

    Attributes
    ----------
    fold : int
        Index of the fold.
    candidates : tuple of Candidate
        One, or several that differ only in ``n_estimators``.
    cost : float
        Relative to other fits of the same sweep.
    threads : int
        Threads that the fit may use.
    """

    fold: int
    candidates: tuple[Candidate, ...]
    cost: float = 1.0
    threads: int = 1


def plan_fits(workload: Workload, candidates: Sequence[Candidate], workers: int) -> list[Fit]:
    """Group `candidates` into fits, the costliest first.

    Parameters
    ----------
    workload : Workload
    candidates : sequence of Candidate
    workers : int
        Fits that run side by side. One-thread fits side by side beat one fit with many threads, so a fit gets more
        than one only where there are fewer fits than workers.
    """
    groups = prefix_groups(workload.estimator, candidates)
    threads = max(1, workers // max(1, len(groups) * len(workload.folds)))
    fits = [
        Fit(fold.index, group, relative_cost(workload.estimator, group), threads)
        for group in groups
        for fold in workload.folds
    ]
    return sorted(fits, key=lambda fit: -fit.cost)


def prefix_groups(estimator: Any, candidates: Sequence[Candidate]) -> list[tuple[Candidate, ...]]:
    """Split `candidates` into groups that one booster serves, in order of first appearance."""
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        shared = shares_prefixes(for_candidate(estimator, candidate.params, threads=1))
        rest = {name: value for name, value in candidate.params.items() if not (shared and name == ROUNDS)}
        groups.setdefault(json.dumps(rest, sort_keys=True), []).append(candidate)
    return [tuple(group) for group in groups.values()]


def relative_cost(estimator: Any, group: Sequence[Candidate]) -> float:
    """Estimate what a fit costs: rounds times the leaves of a tree, for whatever estimator has such parameters.

    Only the order matters. A boosting round's time goes to filling histograms for every node, and their number
    doubles with depth, while rows hardly count (bins, not rows, are the cost).
    """
    base = estimator.get_params(deep=False)
    costs = []
    for candidate in group:
        params = {**base, **candidate.params}
        rounds, depth = params.get(ROUNDS), params.get("max_depth")
        levels = min(depth, _DEEPEST) if isinstance(depth, int) else 6
        costs.append(float(rounds if isinstance(rounds, int) else 100) * 2.0**levels)
    return max(costs)
