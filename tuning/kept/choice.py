"""A finished sweep's candidates, compared once more without fitting any: by what they scored, or by what they answered.

What comes out is a SweepResult again, so that whatever is said of a sweep's result can be said of this one.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errors import SpecError
from tuning.candidates import Candidate
from tuning.dataset import Dataset
from tuning.kept.responses import Replayed, Responses
from tuning.kept.table import Judged, OutOfFold
from tuning.results.fold_score import FoldScore
from tuning.results.sweep_result import SweepResult
from tuning.spec.estimators import make_estimator
from tuning.spec.refit import RefitSpec
from tuning.spec.scoring import EstimatorScorer, Metric
from tuning.spec.sweep_spec import SweepSpec
from tuning.warned import one_line


class KeptSweep:
    """A finished sweep, as its file of predictions and its rows tell it.

    Parameters
    ----------
    file : OutOfFold
    spec : SweepSpec
        Of the sweep.
    data : Dataset
        The rows of the sweep.

    Raises
    ------
    SpecError
        The file speaks of rows that the data have not.
    """

    def __init__(self, file: OutOfFold, spec: SweepSpec, data: Dataset) -> None:
        self.file, self.spec, self.data = file, spec, data
        ids = np.arange(data.n_rows) if data.ids is None else data.ids
        self._places = pd.Index(ids).get_indexer(pd.Index(file.rows))
        if (self._places < 0).any():
            raise SpecError(f"the sweep has judged a row {file.rows[self._places < 0][0]} that these data have not.")

    @cached_property
    def like(self) -> Any:
        """The sweep's estimator, unfitted: whether a classifier or a regressor has answered."""
        return make_estimator(self.spec.estimator, self.spec.fixed)

    def tested(self, fold: int) -> NDArray[np.intp]:
        """Numbers of the rows that a fold tests, in the order of the answers."""
        places: NDArray[np.intp] = self._places[self.file.folds == fold]
        return places

    def judged_on(self, rows: NDArray[np.intp]) -> Dataset:
        """Return these rows as scorers compare them; answers need no features, so there are none."""
        whole = replace(self.data, X=np.empty((self.data.n_rows, 0)))
        some = whole.rows(rows)
        return replace(some, y=some.labels, classes=None)

    def answers(self, judged: Judged) -> list[Responses]:
        """Return a candidate's answers, fold by fold."""
        return self.file.responses(judged, self.data.classes)

    def score(self, scorer: Any, answer: Responses, rows: Dataset) -> float:
        """Score answers for `rows`."""
        weights = {} if rows.sample_weight is None else {"sample_weight": rows.sample_weight}
        if weights and not _takes_weights(scorer):
            weights = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of scorers about few rows, or sums that are 1 to single precision alone
            return float(scorer(Replayed(self.like, answer, self.data.classes), rows.X, rows.y, **weights))

    def splits(self, judged: Judged, metric: Metric) -> list[float]:
        """Return a candidate's score on each fold: the sweep's own, or one that its answers are given now.

        Raises
        ------
        SpecError
            The scorer asks for what was not kept.
        """
        own = next((each for each in self.spec.metrics if each.name == metric.name), None)
        if own == metric:
            return list(judged.splits[metric.name])
        scorer = metric.build()
        if isinstance(scorer, EstimatorScorer):
            raise SpecError(f"scorer={metric.name} looks at the estimator itself, which predictions do not show.")
        folds = [self.judged_on(self.tested(fold)) for fold in range(self.file.n_folds)]
        try:
            return [self.score(scorer, answer, rows) for answer, rows in zip(self.answers(judged), folds, strict=True)]
        except Exception as error:  # of the scorer, which may be the user's own
            raise SpecError(
                f"scorer={metric.name} cannot judge the predictions that were kept ({one_line(error).rstrip('.')})."
            ) from error

    def by(self, metric: Metric, rule: RefitSpec, without: Collection[Candidate] = ()) -> SweepResult:
        """Compare the candidates by a scorer.

        Parameters
        ----------
        metric : Metric
            One of the sweep's own, or another, for which predictions must have been kept.
        rule : RefitSpec
            How the winner is chosen.
        without : collection of Candidate
            Who does not take part.

        Raises
        ------
        SpecError
            There are not the predictions for it.
        """
        known = metric in self.spec.metrics
        pool = [each for each in (self.file.judged if known else self._kept()) if each.candidate not in without]
        scores = {each.candidate: _fold_scores(each.candidate, metric.name, self.splits(each, metric)) for each in pool}
        return SweepResult(
            [each.candidate for each in pool],
            scores,
            self.file.n_folds,
            [metric.name],
            metric.name,
            0,
            0.0,
            {each.candidate: each.rounds for each in pool if each.rounds is not None},
            sizes=[each.size for each in pool],
            rule=replace_scorer(rule, metric.name),
        )

    def _kept(self) -> Sequence[Judged]:
        if not self.file.all_of_them:
            raise SpecError(
                "the sweep has kept the predictions of its winner alone, so others have no score by another scorer. "
                "Sweep again with `keep: predictions` in the spec."
            )
        return self.file.kept


def replace_scorer(rule: RefitSpec, scorer: str) -> RefitSpec:
    """Return `rule` with another deciding scorer."""
    return rule.model_copy(update={"scorer": scorer})


def _fold_scores(candidate: Candidate, scorer: str, splits: Sequence[float]) -> list[FoldScore]:
    return [FoldScore(candidate, fold, {scorer: score}) for fold, score in enumerate(splits)]


def _takes_weights(scorer: Any) -> bool:
    accepts = getattr(scorer, "_accept_sample_weight", None)
    return accepts is None or bool(accepts())
