"""What the winner would have scored under other seeds: how much of a lead is the estimator's own luck.

Folds stay as they are: how much the rows matter is what the paired comparison says. Only the estimator's random numbers
change, in as many fits as there are seeds and folds, each in the plainest way.
"""

from __future__ import annotations

from collections.abc import Sequence

from tuning.candidates import Candidate
from tuning.engines.base import Engine
from tuning.learners import learner_for
from tuning.learners.unfitted import seeds_of
from tuning.plan import Fit, Workload
from tuning.spec.estimators import for_candidate


def mean_scores_under_seeds(
    n_seeds: int, workload: Workload, winner: Candidate, rounds: int | None, engine: Engine
) -> Sequence[float]:
    """Judge `winner` on every fold under `n_seeds` other seeds.

    Parameters
    ----------
    n_seeds : int
    workload : Workload
    winner : Candidate
    rounds : int or None
        The number of rounds that early stopping chose.
    engine : Engine
        Open.

    Returns
    -------
    sequence of float
        The mean score by the deciding scorer under each seed under which no fit failed.
    """
    estimator = for_candidate(workload.estimator, winner.params, threads=1)
    given = dict(winner.params)
    if rounds is not None:
        given[str(learner_for(estimator).rounds_name(estimator))] = rounds
    seeds = seeds_of(estimator)
    candidates = [
        Candidate({**given, **{name: seed + 1 + place for name, seed in seeds.items()}}) for place in range(n_seeds)
    ]
    futures = [
        [engine.submit(Fit(fold, (candidate,), alone=True)) for fold in range(len(workload.folds))]
        for candidate in candidates
    ]
    scores = [[future.result()[0] for future in each] for each in futures]
    deciding = workload.scorers.refit_scorer
    return [
        sum(score.scores[deciding] for score in each) / len(each)
        for each in scores
        if not any(score.error for score in each)
    ]
