"""Fit a few cells again in the plainest way, and hold their scores against those that sharing gave.

A cell is one candidate on one fold. The plain way is scikit-learn's: a fresh copy, its own ``fit`` on rows of its own,
the scorers, and nothing shared with anybody. Only cells whose random numbers are fixed can be checked.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

from errors import FitError
from tuning.candidates import Candidate
from tuning.engines.base import Engine
from tuning.grouping import Group, grouped
from tuning.learners.unfitted import has_seed
from tuning.plan import Fit
from tuning.results.fold_score import FoldScore, Verification
from tuning.results.sweep_result import SweepResult
from tuning.workload import Workload


def verify(
    n_cells: int,
    workload: Workload,
    fold_scores: Mapping[Candidate, Sequence[FoldScore]],
    rounds: Mapping[Candidate, int],
    engine: Engine,
) -> Verification:
    """Fit `n_cells` random cells again and compare.

    Parameters
    ----------
    n_cells : int
        Fewer are checked where there are no more with scores and a seed.
    workload : Workload
    fold_scores : mapping of Candidate to sequence of FoldScore
    rounds : mapping of Candidate to int
        The number of rounds that early stopping chose.
    engine : Engine
        Open.

    Returns
    -------
    Verification
    """
    drawn = _drawn(n_cells, workload, fold_scores)
    futures = [engine.submit(_fit_alone(workload, score, rounds.get(score.candidate))) for score in drawn]
    again = [future.result()[0] for future in futures]
    found = [_difference(first, second) for first, second in zip(drawn, again, strict=True)]
    allowed = [_allowed(workload, score) for score in drawn]
    worst = max(range(len(drawn)), key=lambda place: found[place] - allowed[place], default=None)
    disagreement = None
    if worst is not None and found[worst] > allowed[worst]:
        disagreement = _words(drawn[worst], again[worst])
    return Verification(len(drawn), max(found, default=0.0), disagreement)


def raise_disagreement(result: SweepResult) -> None:
    """Fail a sweep whose shared fits do not score as separate ones do.

    Raises
    ------
    FitError
    """
    if result.verification.disagreement is not None:
        raise FitError(
            f"verify: {result.verification.disagreement}. The table is kept, but do not rely on it; please report the "
            "spec, and set the parameters that vary to one value each to fit them separately."
        )


def _drawn(n: int, workload: Workload, fold_scores: Mapping[Candidate, Sequence[FoldScore]]) -> list[FoldScore]:
    scored = [score for scores in fold_scores.values() for score in scores if not score.error and score.share == 1.0]
    random.Random(0).shuffle(scored)
    drawn: list[FoldScore] = []
    for score in scored:
        if len(drawn) == n:
            break
        (group,) = grouped(workload, [score.candidate])
        if is_the_same_again(workload, group):
            drawn.append(score)
    return drawn


def is_the_same_again(workload: Workload, group: Group) -> bool:
    """Whether a second fit of the only candidate of `group` draws the same random numbers."""
    estimator, learner = group.estimators[0], group.learner
    return has_seed(estimator) or (
        learner.ignores_seed(estimator) and workload.data.n_rows <= learner.draws_above(estimator)
    )


def _fit_alone(workload: Workload, score: FoldScore, rounds: int | None) -> Fit:
    candidate = score.candidate
    if rounds is not None:
        (group,) = grouped(workload, [candidate])
        name = str(group.learner.rounds_name(group.estimators[0]))
        candidate = Candidate({**candidate.params, name: rounds})
    return Fit(score.fold, (candidate,), alone=True)


def _difference(first: FoldScore, second: FoldScore) -> float:
    if second.error:
        return math.inf
    return max(
        (0.0 if math.isnan(value) and math.isnan(second.scores[name]) else abs(value - second.scores[name]))
        for name, value in first.scores.items()
    )


def _allowed(workload: Workload, score: FoldScore) -> float:
    (group,) = grouped(workload, [score.candidate])
    return group.learner.tolerance(group.estimators[0])


def _words(first: FoldScore, second: FoldScore) -> str:
    got = second.error or ", ".join(f"{name} {value:.9g}" for name, value in second.scores.items())
    was = ", ".join(f"{name} {value:.9g}" for name, value in first.scores.items())
    return f"{first.candidate.name} on fold {first.fold}: {was} in the sweep ({first.shared}), {got} fitted alone"
