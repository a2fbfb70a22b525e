"""Scores by scikit-learn's scorers, built once for a sweep and called together on one prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sklearn.metrics import check_scoring

from tuning.dataset import Dataset
from tuning.spec.scoring import EstimatorScorer, metrics_of
from tuning.spec.sweep_spec import SweepSpec


@dataclass(frozen=True)
class Scorers:
    """All scorers of a sweep.

    Attributes
    ----------
    by_name : mapping of str to scorer
        In the user's order, in which GridSearchCV calls them too.
    refit_scorer : str
        The one that chooses the winner.
    """

    by_name: Mapping[str, Any]
    refit_scorer: str

    @classmethod
    def of(cls, spec: SweepSpec) -> Scorers:
        """Build what `spec` asks for.

        Raises
        ------
        SpecError
            There is no such scorer.
        """
        return cls({metric.name: metric.build() for metric in spec.metrics}, spec.refit_scorer)

    @classmethod
    def named(cls, *names: str) -> Scorers:
        """Build scikit-learn's own scorers by name; the first chooses the winner."""
        return cls({metric.name: metric.build() for metric in metrics_of(list(names))}, names[0])

    def only(self, name: str) -> Scorers:
        """Return one of them."""
        return Scorers({name: self.by_name[name]}, name)

    @property
    def deciding_first(self) -> tuple[str, ...]:
        """Names, the one that chooses the winner first."""
        return (self.refit_scorer, *(name for name in self.by_name if name != self.refit_scorer))

    @property
    def only_responses(self) -> bool:
        """Whether all look at nothing but predictions, so that a prediction may stand for the estimator."""
        return self.that_looks_inside is None

    @property
    def that_looks_inside(self) -> str | None:
        """The first that looks at the estimator itself; None where all look at predictions."""
        return next((name for name, scorer in self.by_name.items() if isinstance(scorer, EstimatorScorer)), None)

    @cached_property
    def _together(self) -> Any:
        return check_scoring(None, scoring=dict(self.by_name))

    def score(self, estimator: Any, rows: Dataset) -> dict[str, float]:
        """Score a fitted estimator.

        Parameters
        ----------
        estimator : object
            Fitted, with the methods that the scorers need.
        rows : Dataset
            Weighed where they carry weights and the scorer takes them, as in GridSearchCV.

        Returns
        -------
        dict of str to float
            By scorer name, greater is better.
        """
        weights = {} if rows.sample_weight is None else {"sample_weight": rows.sample_weight}
        return {name: float(value) for name, value in self._together(estimator, rows.X, rows.y, **weights).items()}
