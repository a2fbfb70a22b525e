"""Whose predictions a sweep keeps in the end, and the winner's where scoring has left none.

There are none where the winner's cells were known from an earlier sweep that has not kept them, or where training
stopped early: which round counts is known only when all folds have ended. Its folds are fitted once more then, where
that gives the same model again; what scores differently is not kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from tuning.candidates import Candidate
from tuning.cells import Cells
from tuning.engines.base import Engine
from tuning.grouping import Group, grouped
from tuning.kept.predictions import KeptPredictions
from tuning.plan import Fit
from tuning.results.fold_score import FoldScore
from tuning.results.sweep_result import SweepResult
from tuning.verification import is_the_same_again
from tuning.warned import one_line
from tuning.workload import Workload

_APART = 1e-9  # of scores of one model that was fitted twice, beyond what its learner says


def keep_predictions(
    predictions: KeptPredictions, cells: Cells, workload: Workload, result: SweepResult, engine: Engine, late: bool
) -> None:
    """Settle what `predictions` keeps of a sweep that has ended.

    Parameters
    ----------
    predictions : KeptPredictions
    cells : Cells
    workload : Workload
    result : SweepResult
    engine : Engine
        Open.
    late : bool
        Whether the time of the sweep is up, so that nothing may be fitted any more.
    """
    winner, scores = result.best, result.fold_scores[result.best]
    fitted = _at_its_rounds(workload, winner, result.rounds.get(winner))
    of_winner = {score.cell if fitted is winner else cells.address(fitted, score.fold): score for score in scores}
    missing = {address: score for address, score in of_winner.items() if predictions.find(address) is None}
    if missing and not predictions.why_not:
        try:
            why_not = "the sweep's time is up" if late else _fit_again(predictions, workload, fitted, missing, engine)
        except Exception as error:  # whatever it is, the sweep has its winner
            why_not = one_line(error)
        if why_not:
            predictions.note(f"they were not noted when the winner was scored, and {why_not}")
    wanted = {}
    if predictions.all_of_them:
        left_out = {*result.failed, *result.stopped}
        complete = [each for each in result.candidates if each not in left_out]
        wanted = {each: [score.cell for score in result.fold_scores[each]] for each in complete}
    predictions.settle({**wanted, winner: list(of_winner)})


def _at_its_rounds(workload: Workload, winner: Candidate, rounds: int | None) -> Candidate:
    """Return the winner as it is fitted: with the number of rounds that its folds have chosen, where they have."""
    if rounds is None:
        return winner
    (group,) = grouped(workload, [winner])
    return Candidate({**winner.params, str(group.learner.rounds_name(group.estimators[0])): rounds})


def _fit_again(
    predictions: KeptPredictions, workload: Workload, fitted: Candidate, known: Mapping[str, FoldScore], engine: Engine
) -> str:
    """Fit and keep the folds of `known`, scores by address; say why not, empty where it could be done."""
    (group,) = grouped(workload, [fitted])
    if not is_the_same_again(workload, group):
        return "it draws other random numbers in each fit"
    alone = workload.early_stopping is not None  # else it would choose its rounds anew
    fits = [Fit(score.fold, (fitted,), alone=alone, keeps=predictions.keeps) for score in known.values()]
    futures = [engine.submit(fit) for fit in fits]
    for (address, before), future in zip(known.items(), futures, strict=True):
        (after,) = future.result()
        if why_not := _differs(before, after, group):
            return why_not
        if after.responses is None:
            return after.unkept
        predictions.write(address, after.responses)
    return ""


def _differs(before: FoldScore, after: FoldScore, group: Group) -> str:
    if after.error:
        return f"fitted again it failed: {after.error}"
    allowed = max(_APART, group.learner.tolerance(group.estimators[0]))
    same = all(
        math.isclose(value, after.scores[name], rel_tol=0, abs_tol=allowed)
        or (math.isnan(value) and math.isnan(after.scores[name]))
        for name, value in before.scores.items()
    )
    return "" if same else "fitted again it scores differently"
