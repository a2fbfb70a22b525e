"""Which calls of a search one fit can serve, and which fits run together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import joblib
from sklearn.base import clone
from sklearn.metrics._scorer import _BaseScorer, _MultimetricScorer, _PassthroughScorer

from tuning.dropin.calls import Numbered, SearchWorkload
from tuning.grouping import Group, free_over
from tuning.learners import GENERAL, learner_for
from tuning.learners.steps import described
from tuning.learners.unfitted import fit_parameters
from tuning.plan import Fit, Tried, Work, bundles
from tuning.spec.estimators import hold_to_threads

PLAIN_COST = 1.0
TOLERANCE = 1e-6
"""How far a score may be from scikit-learn's own; it is XGBoost's that use it, the others are equal to the bit."""


def plan_search(workload: SearchWorkload, workers: int) -> list[Fit]:
    """Turn the calls into fits: those that share first, the costliest before the others.

    Parameters
    ----------
    workload : SearchWorkload
    workers : int
        Fits that run side by side.
    """
    shared: list[Work] = []
    alone: list[Work] = []
    found = search_groups(workload, workload.candidates, workers)
    threads = max(1, workers // max(1, len(found) * len(workload.folds)))
    for group in found:
        for fold in range(len(workload.folds)):
            work = Tried(fold, 1.0, 1.0), group
            (shared if is_shared(group) else alone).append(work)
    fits = [
        Fit(
            bundle[0][0].fold,
            tuple(candidate for _, group in bundle for candidate in group.candidates),
            sum(group.cost for _, group in bundle),
            threads,
        )
        for bundle in bundles(shared, workers)
    ]
    plain = [Fit(tried.fold, group.candidates, PLAIN_COST, threads) for tried, group in alone]
    return [*sorted(fits, key=lambda fit: -fit.cost), *plain]


def is_shared(group: Group) -> bool:
    """Whether the group's learner fits its candidates, and not scikit-learn's own function."""
    return group.learner is not GENERAL


def search_groups(workload: SearchWorkload, candidates: Sequence[Numbered], threads: int | None) -> list[Group]:
    """Split `candidates` into groups that one training serves; those that share nothing are groups of one."""
    if not _may_share(workload):
        return [Group(GENERAL, (candidate,)) for candidate in candidates]
    found: dict[Any, list[tuple[Numbered, Any]]] = {}
    for candidate in candidates:
        estimator, key = _estimator_and_key(workload, candidate, threads)
        found.setdefault(key, []).append((candidate, estimator))
    return [_group(members) for members in found.values()]


def _group(members: Sequence[tuple[Numbered, Any]]) -> Group:
    candidates = tuple(candidate for candidate, _ in members)
    if members[0][1] is None:
        return Group(GENERAL, candidates)
    estimators = tuple(estimator for _, estimator in members)
    group = Group(learner_for(estimators[0]), candidates, estimators)
    fits_its_own_way = len(candidates) > 1 or group.preparation or group.learner.only_reads
    return group if fits_its_own_way else Group(GENERAL, candidates)


def _estimator_and_key(workload: SearchWorkload, candidate: Numbered, threads: int | None) -> tuple[Any, Any]:
    """Return the candidate's estimator and what it must have in common with others to be fitted together with them.

    Whatever goes wrong here, the plain way will say in scikit-learn's own words.
    """
    alone = None, ("alone", candidate.number)
    try:
        params = clone(dict(candidate.params), safe=False)
        estimator = clone(workload.estimator).set_params(**params)
        if threads is not None:
            hold_to_threads(estimator, threads)
        learner = learner_for(estimator)
        if learner is GENERAL or not _knows_all(workload, learner, estimator):
            return alone
        free = free_over(workload.data, learner, estimator)
        rest = {name: value for name, value in candidate.params.items() if name not in free}
        return estimator, (learner.name, tuple(sorted(free)), joblib.hash(described(rest)))
    except Exception:
        return alone


def _knows_all(workload: SearchWorkload, learner: Any, estimator: Any) -> bool:
    """Whether the learner does all that the calls ask for, and no less exactly than is promised."""
    if learner.tolerance(estimator) > TOLERANCE:
        return False
    if learner.takes_codes(estimator) and workload.data.classes is None:
        return False
    given = workload.asked.common["fit_params"]
    return set(fit_parameters(estimator, workload.data)) == set(given)


def _may_share(workload: SearchWorkload) -> bool:
    common = workload.asked.common
    return (
        workload.may_share
        and not common["return_train_score"]
        and common["verbose"] <= 1
        and not set(common["score_params"]) - {"sample_weight"}
        and _is_of_sklearn(common["scorer"])
    )


def _is_of_sklearn(scorer: Any) -> bool:
    """Whether a scorer looks at nothing but predictions, so that whose they are does not matter to it."""
    if isinstance(scorer, _MultimetricScorer):
        return all(_is_of_sklearn(each) for each in scorer._scorers.values())
    return isinstance(scorer, _BaseScorer | _PassthroughScorer)
