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

from tuning.candidates import Candidate
from tuning.dataset import Dataset
from tuning.folds import Fold, make_folds
from tuning.learners.xgboost import ROUNDS, is_boosted, shares_prefixes
from tuning.spec.estimators import for_candidate, make_estimator
from tuning.spec.sweep_spec import EarlyStopping, SweepSpec
from tuning.strategies import Proposal

_DEEPEST = 10  # beyond it trees run out of rows, not of levels


@dataclass(frozen=True, eq=False)
class Workload:
    """All that the fits of one sweep have in common; an engine takes it to its workers once.

    Attributes
    ----------
    estimator : object
        Unfitted, with the spec's ``fixed`` set.
    scorers : tuple of str
        The one that chooses the winner first.
    data : Dataset
        The training rows; hold-out rows are not among them.
    folds : tuple of Fold
    early_stopping : EarlyStopping or None
    """

    estimator: Any
    scorers: tuple[str, ...]
    data: Dataset
    folds: tuple[Fold, ...]
    early_stopping: EarlyStopping | None = None

    @classmethod
    def for_spec(cls, spec: SweepSpec, data: Dataset) -> Workload:
        """Build what `spec` asks for over the rows of `data`.

        Raises
        ------
        SpecError
            The folds do not fit the data.
        """
        estimator = make_estimator(spec.estimator, spec.fixed)
        scorers = (spec.refit_scorer, *(name for name in spec.scorers if name != spec.refit_scorer))
        return cls(estimator, scorers, data, make_folds(spec.cv, data), spec.early_stopping)


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
    rows, rounds : float
        Shares of the fold's training rows and of the candidates' rounds.
    device : str or None
        The graphics card that the engine gives it to.
    """

    fold: int
    candidates: tuple[Candidate, ...]
    cost: float = 1.0
    threads: int = 1
    rows: float = 1.0
    rounds: float = 1.0
    device: str | None = None


def plan_fits(workload: Workload, proposals: Sequence[Proposal], workers: int) -> list[Fit]:
    """Group `proposals` into fits, the costliest first.

    Parameters
    ----------
    workload : Workload
    proposals : sequence of Proposal
    workers : int
        Fits that run side by side. One-thread fits side by side beat one fit with many threads, so a fit gets more
        than one only where there are fewer fits than workers.
    """
    fits: dict[tuple[str, int], list[Proposal]] = {}
    for group in prefix_groups(workload.estimator, proposals):
        for proposal in group:
            for fold in range(len(workload.folds)) if proposal.folds is None else proposal.folds:
                fits.setdefault((group[0].candidate.key, fold), []).append(proposal)
    threads = max(1, workers // max(1, len(fits)))
    planned = [_fit(workload, fold, group, threads) for (_, fold), group in fits.items()]
    return sorted(planned, key=lambda fit: -fit.cost)


def _fit(workload: Workload, fold: int, group: Sequence[Proposal], threads: int) -> Fit:
    candidates = tuple(proposal.candidate for proposal in group)
    rows, rounds = group[0].rows, group[0].rounds
    return Fit(fold, candidates, relative_cost(workload.estimator, candidates) * rounds, threads, rows, rounds)


def prefix_groups(estimator: Any, proposals: Sequence[Proposal]) -> list[tuple[Proposal, ...]]:
    """Split `proposals` into groups that one booster serves, in order of first appearance."""
    groups: dict[str, list[Proposal]] = {}
    for proposal in proposals:
        params = proposal.candidate.params
        shared = is_boosted(estimator) and shares_prefixes(for_candidate(estimator, params, threads=1))
        rest = {name: value for name, value in params.items() if not (shared and name == ROUNDS)}
        key = json.dumps([rest, proposal.rows, proposal.rounds], sort_keys=True)
        groups.setdefault(key, []).append(proposal)
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
