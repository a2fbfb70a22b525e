"""Which scorers can judge which labels and estimators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.metrics import get_scorer_names

from benchmarks.differential.drawing import Draw
from benchmarks.differential.families import Family

_WORST = "neg_max_error" if "neg_max_error" in get_scorer_names() else "max_error"  # takes no weights; renamed in 1.9
_NUMBERS = ("r2", "neg_mean_squared_error", "neg_mean_absolute_error", "neg_root_mean_squared_error", _WORST,
            "explained_variance", "neg_median_absolute_error")  # fmt: skip
_PREDICTED = ("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "precision_macro", "matthews_corrcoef")
_PROBABILITIES = ("neg_log_loss", "roc_auc_ovr", "roc_auc_ovo_weighted", "neg_log_loss")
_POSITIVE_IS_ONE = ("f1", "average_precision", "neg_brier_score", "recall")


def random_scorers(draw: Draw, family: Family, labels: Sequence[Any], alone: bool) -> list[str]:
    """Draw scorers, the one that decides first.

    Parameters
    ----------
    draw : Draw
    family : Family
    labels : sequence
        Of the classes; empty for numbers.
    alone : bool
        Draw one only: steps that work in place scale the test rows anew for each method that scorers call, in
        GridSearchCV too, so there several scorers have no one answer.
    """
    known = _suitable(family, labels)
    if draw.chance(0.03):
        known = [*_PROBABILITIES, *_PREDICTED, "roc_auc"]
    return draw.some(sorted(set(known)), 2, 3) if not alone and draw.chance(0.35) else [draw.one(known)]


def _suitable(family: Family, labels: Sequence[Any]) -> list[str]:
    if family.task == "numbers":
        return list(_NUMBERS)
    found = list(_PREDICTED)
    if family.response == "predict_proba":
        found += [*_PROBABILITIES, *_PROBABILITIES]
    if len(labels) == 2:
        found += ["roc_auc"] * 3
        if max(labels) in (1, True) and not isinstance(labels[0], str) and family.response == "predict_proba":
            found += _POSITIVE_IS_ONE
    return found
