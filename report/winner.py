"""What the refitted winner does on rows that it has not seen, and which columns it looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from report.picture import Picture
from report.style import BLUE, GREY, ORANGE, SCALE, figure, grid_lines, shortened

_MOST_LABELS = 30
_ANNOTATED = 14
_COLUMNS = 20


@dataclass(frozen=True, eq=False)
class Predicted:
    """The winner on the hold-out.

    Attributes
    ----------
    labels : sequence of str, of length n_labels
    counts : ndarray of shape (n_labels, n_labels)
        Rows by their own label (down) and the predicted one (across).
    probability, observed : ndarray of shape (n_bins,), or None
        Mean predicted probability and share of pairs of a row and a label that came true, in bins of equal counts;
        None where the winner gives no probabilities.
    """

    labels: Sequence[str]
    counts: NDArray[np.int64]
    probability: NDArray[np.float64] | None = None
    observed: NDArray[np.float64] | None = None


def confusion(predicted: Predicted) -> Picture | None:
    """Draw which labels are taken for which."""
    labels = list(predicted.labels)
    if not 2 <= len(labels) <= _MOST_LABELS:
        return None
    data = pd.DataFrame(
        {
            "label": np.repeat(labels, len(labels)),
            "predicted": labels * len(labels),
            "rows": predicted.counts.ravel(),
            "share": _shares(predicted).ravel(),
        }
    )
    right = float(np.trace(predicted.counts) / max(1, predicted.counts.sum()))
    caption = (
        f"The refitted winner on the {int(predicted.counts.sum()):,} rows of the hold-out: of the rows with a label"
        f" (down), the share in per cent that was predicted as each label (across). {right:.1%} lie on the diagonal."
    )
    return Picture("confusion", "Which labels are taken for which?", caption, data, lambda: _drawn_confusion(predicted))


def reliability(predicted: Predicted) -> Picture | None:
    """Draw predicted probabilities beside what happened; None where there are none."""
    if predicted.probability is None or predicted.observed is None or not len(predicted.probability):
        return None
    data = pd.DataFrame({"mean_probability": predicted.probability, "observed": predicted.observed})
    error = float((data["mean_probability"] - data["observed"]).abs().mean())
    caption = (
        "Pairs of a row of the hold-out and a label, in bins of equal counts: mean predicted probability, and the share"
        f" of pairs in which it was the row's own label. On the line: as predicted. Mean distance {error:.4f}."
    )
    question = "Can the probabilities be taken at their word?"
    return Picture("reliability", question, caption, data, lambda: _drawn_reliability(data))


def features(weights: pd.DataFrame) -> Picture | None:
    """Draw which columns matter to the winner.

    Parameters
    ----------
    weights : DataFrame
        ``column``, ``set`` (the feature set that it is of) and ``share`` of all importance.
    """
    data = weights[weights["share"] > 0].sort_values("share", ascending=False, kind="stable")
    if data.empty:
        return None
    caption = (
        f"By the refitted winner's own measure, as a share of all {len(weights):,} columns; {len(data):,} have any. It"
        " says what this model uses, not what causes the target, and splits what two like columns share."
    )
    return Picture("features", "What does the winner look at?", caption, data, lambda: _drawn_features(data))


def _shares(predicted: Predicted) -> NDArray[np.float64]:
    totals = predicted.counts.sum(axis=1, keepdims=True)
    return np.where(totals > 0, predicted.counts / np.maximum(totals, 1), np.nan)


def _drawn_confusion(predicted: Predicted) -> Figure:
    shares = _shares(predicted)
    n_labels = len(shares)
    names = [shortened(label, 14) for label in predicted.labels]
    made = figure(min(6.2, 1.5 + 0.33 * max(n_labels, 4)))
    axes = made.subplots()
    image = axes.imshow(100 * shares, cmap=SCALE, vmin=0, aspect="auto")
    axes.set_xticks(range(n_labels), names, rotation=0 if sum(map(len, names)) < 60 else 60, fontsize=7.5)
    axes.set_yticks(range(n_labels), names, fontsize=7.5)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    middle = 50 * float(np.nanmax(shares))
    for (row, column), share in np.ndenumerate(shares) if n_labels <= _ANNOTATED else ():
        if share == share:
            colour = "black" if 100 * share > middle else "white"
            axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=colour, fontsize=7)
    made.colorbar(image, ax=axes, label="% of the row", shrink=0.8, pad=0.02)
    return made


def _drawn_reliability(data: pd.DataFrame) -> Figure:
    made = figure(3.6)
    axes = made.subplots()
    top = 1.05 * float(max(data["mean_probability"].max(), data["observed"].max(), 1e-9))
    axes.plot([0, top], [0, top], "--", color=GREY, lw=1, label="as predicted")
    axes.plot(data["mean_probability"], data["observed"], "o-", color=BLUE, lw=1.3, ms=5, label="observed")
    axes.set(xlim=(0, top), ylim=(0, top), xlabel="mean predicted probability", ylabel="share that had the label")
    axes.legend(loc="upper left")
    grid_lines(axes)
    return made


def _drawn_features(data: pd.DataFrame) -> Figure:
    columns = data.head(_COLUMNS)
    sets = data.groupby("set")["share"].sum().sort_values(ascending=False)
    both = len(sets) > 1
    heights = [0.22 * min(len(sets), 10), 0.22 * len(columns)]
    made = figure(0.9 + (heights[0] + 0.7 if both else 0) + heights[1])
    if both:
        above, below = made.subplots(2, 1, height_ratios=[heights[0] + 0.25, heights[1]])
        _bars(above, sets.head(10).index.tolist(), sets.head(10).to_numpy(), ORANGE)
        above.set_title("by set of columns")
        below.set_title("by column" + (f", the first {len(columns)}" if len(data) > len(columns) else ""))
    else:
        below = made.subplots()
    _bars(below, columns["column"].tolist(), columns["share"].to_numpy(), BLUE)
    below.set_xlabel("share of importance")
    return made


def _bars(axes: Axes, names: list[str], shares: NDArray[np.float64], colour: str) -> None:
    rows = np.arange(len(names))
    axes.barh(rows, shares, color=colour, height=0.65)
    axes.set_yticks(rows, [shortened(name, 36) for name in names], fontsize=7.5)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
    grid_lines(axes, "x")
