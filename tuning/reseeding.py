"""What the winner would have scored under other seeds: how much of a lead is the estimator's own luck.

Folds stay as they are: how much the rows matter is what the paired comparison says. Only the estimator's random numbers
change, in as many fits as there are seeds and folds, each in the plainest way.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import as_completed

from tuning.candidates import Candidate
from tuning.engines.base import Engine
from tuning.learners import learner_for
from tuning.learners.unfitted import seeds_of
from tuning.plan import Fit
from tuning.remembered import NothingKnown
from tuning.results.fold_score import FoldScore
from tuning.spec.estimators import for_candidate
from tuning.workload import Workload


def mean_scores_under_seeds(
    n_seeds: int,
    workload: Workload,
    winner: Candidate,
    rounds: int | None,
    engine: Engine,
    remembered: NothingKnown,
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
    remembered : NothingKnown
        What earlier sweeps have fitted, and what is to be known to later ones.

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
    n_folds = len(workload.folds)
    fits = [Fit(fold, (candidate,), alone=True) for candidate in candidates for fold in range(n_folds)]
    scores = _scores_of(fits, engine, remembered)
    deciding = workload.scorers.refit_scorer
    return [
        sum(score.scores[deciding] for score in each) / n_folds
        for each in (scores[first : first + n_folds] for first in range(0, len(scores), n_folds))
        if not any(score.error for score in each)
    ]


def _scores_of(fits: Sequence[Fit], engine: Engine, remembered: NothingKnown) -> list[FoldScore]:
    """Return what each of `fits` scores, known or fitted now; what is fitted is kept as it ends."""
    scores = dict(enumerate(remembered.known_of(fits)))
    running = {engine.submit(fits[place]): place for place, score in scores.items() if score is None}
    for future in as_completed(running):
        place = running[future]
        [scores[place]] = remembered.keep(fits[place], future.result())
    return [score for score in scores.values() if score is not None]
