"""The winner's score without what choosing it has added.

The highest of several means is high partly by luck, so that a winner's own score promises more than new rows will give.
The correction is BBC-CV of Tsamardinos, Greasidou and Borboudakis, "Bootstrapping the out-of-sample predictions for
efficient and accurate cross-validation", Machine Learning 107 (2018): rows of the out-of-fold predictions are drawn
with replacement, the winner is chosen on the rows that were drawn, and scored on those that were not. The mean over
many draws is what a candidate that is chosen so scores on rows that had no part in the choice.

We differ in two things, so that the figure can stand beside the winner's: scores are means over the folds, as the
sweep's are, not of all rows at once; and where rows belong to groups, groups are drawn, since their rows are not
independent. Where the score is a mean over rows, a draw is a product of matrices; else the scorer itself is asked, for
as many draws as are worth the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, log_loss, mean_absolute_error, mean_squared_error

from tuning.kept.choice import KeptSweep
from tuning.kept.responses import PREDICT, PROBABILITIES, Responses
from tuning.kept.table import Judged
from tuning.results.statistics import simplest_within
from tuning.spec.refit import RefitSpec
from tuning.spec.scoring import EstimatorScorer, Metric

DRAWS = 1000
_DRAWS_BY_SCORER, _FEWEST = 200, 50
_MOST_CALLS = 10_000  # of a scorer: a millisecond or two each
_BLOCK = 64  # candidates whose rows are in memory at once
_LOST = 0.1  # share of draws on which a score may be undefined

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Corrected:
    """What a winner that is chosen as this one scores on rows that had no part in the choice.

    Attributes
    ----------
    scorer : str
    score : float
    low, high : float
        Between them lie 95 % of the draws.
    draws : int
    candidates : int
        Among whom was chosen.
    """

    scorer: str
    score: float
    low: float
    high: float
    draws: int
    candidates: int


def corrected(sweep: KeptSweep, metric: Metric, rule: RefitSpec) -> Corrected | str:
    """Correct the score of the winner that `rule` chooses by a scorer; a clause that says why not, where it cannot be.

    Parameters
    ----------
    sweep : KeptSweep
    metric : Metric
    rule : RefitSpec
    """
    kept = sweep.file.kept
    if not sweep.file.all_of_them:
        return "only the winner's predictions were kept (keep: predictions keeps all)"
    if len(kept) < len(sweep.file.judged):
        return f"the predictions of {len(sweep.file.judged) - len(kept):,} candidates are missing"
    scorer = metric.build()
    if isinstance(scorer, EstimatorScorer):
        return f"{metric.name} looks at the estimator itself"
    sizes = rule.order([each.candidate for each in kept], [each.size for each in kept])
    choose = partial(_chosen, rule=rule, sizes=sizes)
    by_rows = _by_rows(sweep, kept, metric, scorer, choose)
    scores = by_rows if by_rows is not None else _by_scorer(sweep, kept, metric, scorer, choose)
    if isinstance(scores, str):
        return scores
    defined = scores[np.isfinite(scores)]
    if len(defined) < (1 - _LOST) * len(scores):
        return f"{metric.name} is undefined on {len(scores) - len(defined):,} of {len(scores):,} draws of the rows"
    low, high = np.quantile(defined, [0.025, 0.975])
    return Corrected(metric.name, float(defined.mean()), float(low), float(high), len(defined), len(kept))


Choose = Callable[[Floats], int | None]
"""Chooses among candidates by their scores on the rows that were drawn, of shape (n_candidates, n_folds)."""


def _chosen(inside: Floats, rule: RefitSpec, sizes: Sequence[float | None]) -> int | None:
    means = _mean(inside)
    if not np.isfinite(means).any():
        return None
    top = int(np.nanargmax(means))
    if rule.rule == "best":
        return top
    splits = inside[top][np.isfinite(inside[top])].tolist()
    return simplest_within(means.tolist(), rule.tolerance(splits), sizes)


def _mean(splits: Floats) -> Floats:
    """Mean over the folds that have a score; a fold of few rows may have none on one side of a draw."""
    scored = np.isfinite(splits)
    count = scored.sum(axis=1)
    total = np.where(scored, splits, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _draws(sweep: KeptSweep, count: int) -> NDArray[np.uint16]:
    """How often each draw has each row, shape (count, n_rows); rows of a group are drawn together."""
    generator = np.random.default_rng(0)
    n_rows = sweep.data.n_rows
    tested = np.unique(np.concatenate([sweep.tested(fold) for fold in range(sweep.file.n_folds)]))
    groups = np.arange(n_rows) if sweep.data.groups is None else np.unique(sweep.data.groups, return_inverse=True)[1]
    units, unit_of = np.unique(groups[tested], return_inverse=True)
    found = np.zeros((count, n_rows), dtype=np.uint16)
    for draw in found:
        draw[tested] = np.bincount(generator.integers(len(units), size=len(units)), minlength=len(units))[unit_of]
    return found


def _by_rows(sweep: KeptSweep, kept: Sequence[Judged], metric: Metric, scorer: Any, choose: Choose) -> Floats | None:
    """Score each draw by the rows' parts of the score; None where rows have none."""
    of_row = _of_rows(scorer)
    if of_row is None or sweep.data.y.ndim > 1:
        return None
    drawn, n_folds = _draws(sweep, DRAWS), sweep.file.n_folds
    places = [sweep.tested(fold) for fold in range(n_folds)]
    weights = [np.ones(len(rows)) if (w := sweep.data.sample_weight) is None else w[rows] for rows in places]
    shape = (DRAWS, len(kept), n_folds)
    inside, outside = np.empty(shape), np.empty(shape)
    for begin, block in _blocks(kept):
        answers = [sweep.answers(each) for each in block]
        for fold, rows in enumerate(places):
            y = sweep.data.y[rows]
            try:
                scores = np.column_stack([of_row(each[fold], y) for each in answers])
            except (KeyError, ValueError, IndexError):  # not what was kept
                return None
            known = [each.splits.get(metric.name, [np.nan] * n_folds)[fold] for each in block]
            means = np.average(scores, axis=0, weights=weights[fold]) if weights[fold].sum() else known
            if metric in sweep.spec.metrics and not np.allclose(means, known, rtol=1e-5, atol=1e-6):
                return None  # the scorer makes something else of the rows
            for times, to in ((drawn[:, rows].astype(np.float64), inside), (drawn[:, rows] == 0, outside)):
                weighed = times * weights[fold]
                with np.errstate(invalid="ignore", divide="ignore"):
                    to[:, begin : begin + len(block), fold] = weighed @ scores / weighed.sum(axis=1)[:, None]
    chosen = [choose(each) for each in inside]
    return np.array([np.nan if c is None else _mean(outside[b, [c]])[0] for b, c in enumerate(chosen)])


def _blocks(kept: Sequence[Judged]) -> Iterator[tuple[int, Sequence[Judged]]]:
    for begin in range(0, len(kept), _BLOCK):
        yield begin, kept[begin : begin + _BLOCK]


OfRows = Callable[[Responses, NDArray[Any]], Floats]


def _of_rows(scorer: Any) -> OfRows | None:
    """Return what gives each row its part of the score, where the score is their mean."""
    if getattr(scorer, "_kwargs", None):
        return None
    return {
        log_loss: _log_likelihood,
        accuracy_score: lambda answer, y: (_labels(answer) == y).astype(np.float64),
        mean_squared_error: lambda answer, y: -((answer.values[PREDICT] - y) ** 2).astype(np.float64),
        mean_absolute_error: lambda answer, y: -np.abs(answer.values[PREDICT] - y).astype(np.float64),
    }.get(getattr(scorer, "_score_func", None))


def _log_likelihood(answer: Responses, y: NDArray[Any]) -> Floats:
    values = answer.values[PROBABILITIES]
    if answer.classes is not None and len(answer.classes) != int(answer.classes.max()) + 1:
        raise ValueError("a class was never seen")
    given = values[np.arange(len(y)), y]
    edge = np.finfo(values.dtype).eps
    likelihoods: Floats = np.log(np.clip(given, edge, 1 - edge).astype(np.float64))
    return likelihoods


def _labels(answer: Responses) -> NDArray[Any]:
    if PREDICT in answer.values:
        return answer.values[PREDICT]
    places: NDArray[np.intp] = answer.values[PROBABILITIES].argmax(axis=1)
    return places if answer.classes is None else answer.classes[places]


def _by_scorer(sweep: KeptSweep, kept: Sequence[Judged], metric: Metric, scorer: Any, choose: Choose) -> Floats | str:
    """Ask the scorer itself, of every draw, candidate and fold."""
    n_folds = sweep.file.n_folds
    n_draws = min(_DRAWS_BY_SCORER, _MOST_CALLS // (len(kept) * n_folds))
    if n_draws < _FEWEST:
        return f"{metric.name} is no mean over rows, and {len(kept):,} candidates are too many to ask it for every draw"
    drawn = _draws(sweep, n_draws)
    places = [sweep.tested(fold) for fold in range(n_folds)]
    answers = [sweep.answers(each) for each in kept]
    scores = np.full(n_draws, np.nan)
    for draw in range(n_draws):
        times = [drawn[draw, rows].astype(np.intp) for rows in places]
        inside = np.array([_on(sweep, scorer, each, places, times) for each in answers])
        chosen = choose(inside)
        if chosen is not None:
            others = [(each == 0).astype(np.intp) for each in times]
            scores[draw] = _mean(np.array([_on(sweep, scorer, answers[chosen], places, others)]))[0]
    return scores


def _on(
    sweep: KeptSweep,
    scorer: Any,
    answers: Sequence[Responses],
    places: Sequence[NDArray[np.intp]],
    times: Sequence[NDArray[np.intp]],
) -> list[float]:
    """Score a candidate on each fold, with so many times each row."""
    at = [np.repeat(np.arange(len(each)), each) for each in times]
    return [
        _asked(sweep, scorer, answer.at(some), sweep.judged_on(rows[some]))
        for answer, rows, some in zip(answers, places, at, strict=True)
    ]


def _asked(sweep: KeptSweep, scorer: Any, answer: Responses, rows: Any) -> float:
    try:
        return sweep.score(scorer, answer, rows) if rows.n_rows else np.nan
    except Exception:  # a draw may lack a class, or all but one row
        return np.nan
