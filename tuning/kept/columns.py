"""How a model's answers become columns that a person can read, and answers again.

| answer | columns |
| --- | --- |
| ``predict`` | ``predicted``, the label as the user wrote it or the number; ``predicted=TARGET`` of several targets |
| ``predict_proba`` | ``class=LABEL``, one per class |
| ``decision_function`` | ``decision``, or ``decision=LABEL``, one per class; numbered where they are of pairs |

A class that a fold's model has not seen has a gap there, not a zero: nothing was said of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tuning.kept.responses import DECISION, METHODS, PREDICT, PROBABILITIES, Responses

_NAMES = {PREDICT: "predicted", PROBABILITIES: "class", DECISION: "decision"}


@dataclass(frozen=True)
class Layout:
    """The columns of one method's answers.

    Attributes
    ----------
    method : str
    columns : sequence of str
    dtype : str
        Of the answers, as NumPy writes it.
    flat : bool
        Whether an answer is of one dimension.
    by_class : bool
        Whether there is a column for each class.
    """

    method: str
    columns: Sequence[str]
    dtype: str
    flat: bool
    by_class: bool = False


def layouts_of(answers: Sequence[Responses], labels: NDArray[Any] | None, targets: Sequence[str]) -> list[Layout]:
    """Say how the answers of one candidate, a fold each, are laid out.

    Parameters
    ----------
    answers : sequence of Responses
    labels : ndarray of shape (n_classes,) or None
        The target's classes.
    targets : sequence of str
        Names of the columns to predict, where they are several.
    """
    if not answers:
        return []
    asked = [name for name in METHODS if all(name in each.values for each in answers)]
    return [_layout(name, answers, labels, targets) for name in asked]


def _layout(name: str, answers: Sequence[Responses], labels: NDArray[Any] | None, targets: Sequence[str]) -> Layout:
    values = [each.values[name] for each in answers]
    first, dtype = values[0], np.result_type(*values).str
    word = _NAMES[name]
    if first.ndim == 1:
        return Layout(name, [word], dtype, True)
    widths = [len(each.classes) if each.classes is not None else -1 for each in answers]
    if labels is not None and name != PREDICT and [value.shape[1] for value in values] == widths:
        return Layout(name, [f"{word}={label}" for label in labels], dtype, False, True)
    width = max(value.shape[1] for value in values)
    names = targets if len(targets) == width else [str(place) for place in range(width)]
    return Layout(name, [f"{word}={each}" for each in names], dtype, False)


def to_columns(layout: Layout, answer: Responses, labels: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
    """Return one fold's answers by the names of their columns."""
    values = answer.values[layout.method]
    if layout.flat:
        in_words = layout.method == PREDICT and labels is not None
        return {layout.columns[0]: labels[values] if in_words and labels is not None else values}
    places: Any = answer.classes if layout.by_class else range(values.shape[1])
    columns = {layout.columns[at]: values[:, place] for place, at in enumerate(places)}
    gap = np.full(len(values), np.nan)
    return {name: columns.get(name, gap) for name in layout.columns}


def from_columns(
    layouts: Sequence[Layout], columns: Mapping[str, NDArray[Any]], labels: NDArray[Any] | None
) -> Responses:
    """Return what ``to_columns`` was given, of one fold."""
    values: dict[str, NDArray[Any]] = {}
    classes: NDArray[np.int64] | None = None
    for layout in layouts:
        if layout.method == PREDICT and layout.flat and labels is not None:
            values[PREDICT] = pd.Index(labels).get_indexer(columns[layout.columns[0]]).astype(np.int64)
            continue
        found = [columns[name] for name in layout.columns]
        if layout.by_class:
            said = [place for place, column in enumerate(found) if not np.isnan(column).all()]
            classes, found = np.array(said, dtype=np.int64), [found[place] for place in said]
        array = found[0] if layout.flat else np.column_stack(found)
        values[layout.method] = array.astype(layout.dtype)
    if classes is None and labels is not None and set(values) - {PREDICT}:
        classes = np.arange(len(labels))
    return Responses(values, classes)
