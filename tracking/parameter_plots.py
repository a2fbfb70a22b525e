"""What each varied parameter does to the score: one curve, a heat map of two, or a small panel for each of more.

A panel shows every candidate as a dot and, as a line, the best score that each value has reached: the best rather than
the mean, since a value that only works beside a certain other one is not a bad value.
"""

from __future__ import annotations

from math import ceil, floor, log10
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from tuning.results.judged import full_means
from tuning.results.sweep_result import SweepResult
from tuning.results.varied import are_numbers, varied

_MOST_CELLS = 30
_ANNOTATED_CELLS = 100
_MOST_PANELS = 9
_COLUMNS = 3
_BLUE, _GREY, _RED = "#1f5f99", "#8a8f98", "#c23b22"


def figure(result: SweepResult) -> Figure | None:
    """Draw the parameters that were varied; None where there are none, or no candidate succeeded."""
    parameters = varied(result.candidates)
    means = full_means(result)
    if not parameters or np.isnan(means).all():
        return None
    if len(parameters) == 2 and all(len(values) <= _MOST_CELLS for values in parameters.values()):
        return _heat_map(result, means, parameters)
    return _panels(result, means, parameters)


def _heat_map(result: SweepResult, means: NDArray[np.float64], parameters: dict[str, list[Any]]) -> Figure:
    """Draw two parameters as a map of mean scores; grey where no candidate was tried or it failed."""
    (down, rows), (across, columns) = sorted(parameters.items(), key=lambda item: len(item[1]))
    cells = np.full((len(rows), len(columns)), np.nan)
    for candidate, mean in zip(result.candidates, means, strict=True):
        place = _place(rows, candidate.params.get(down)), _place(columns, candidate.params.get(across))
        cells[place] = np.fmax(cells[place], mean)
    picture = Figure(figsize=(2.8 + 0.75 * max(len(columns), 4), 2.0 + 0.5 * max(len(rows), 3)), layout="constrained")
    axes = picture.subplots()
    axes.set_facecolor("#d9dce1")
    image = axes.imshow(cells, cmap="viridis", aspect="auto")
    axes.set_xticks(range(len(columns)), _labels(columns), rotation=0 if len(columns) <= 12 else 60)
    axes.set_yticks(range(len(rows)), _labels(rows))
    axes.set_xlabel(across)
    axes.set_ylabel(down)
    best_row, best_column = np.unravel_index(np.nanargmax(cells), cells.shape)
    axes.add_patch(Rectangle((best_column - 0.5, best_row - 0.5), 1, 1, fill=False, ec=_RED, lw=2.5))
    if cells.size <= _ANNOTATED_CELLS:
        _annotate(axes, cells)
    picture.colorbar(image, ax=axes, label=f"mean {result.refit_scorer}")
    picture.suptitle("Mean score by the two varied parameters (best framed)", x=0.01, ha="left", fontsize=11)
    return picture


def _annotate(axes: Axes, cells: NDArray[np.float64]) -> None:
    lowest, highest = np.nanmin(cells), np.nanmax(cells)
    decimals = max(0, 2 - floor(log10(highest - lowest))) if highest > lowest else 4
    for (row, column), value in np.ndenumerate(cells):
        if not np.isnan(value):
            colour = "black" if value > (lowest + highest) / 2 else "white"
            axes.text(column, row, f"{value:.{decimals}f}", ha="center", va="center", color=colour, fontsize=8)


def _panels(result: SweepResult, means: NDArray[np.float64], parameters: dict[str, list[Any]]) -> Figure:
    shown = dict(list(parameters.items())[:_MOST_PANELS])
    n_columns = min(_COLUMNS, len(shown))
    n_rows = ceil(len(shown) / n_columns)
    size = (6.4, 4) if len(shown) == 1 else (3.6 * n_columns, 0.5 + 2.9 * n_rows)
    picture = Figure(figsize=size, layout="constrained")
    grid = picture.subplots(n_rows, n_columns, sharey=True, squeeze=False)
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    stds = result.split_scores().std(axis=1)
    for axes, (name, values) in zip(grid.flat, shown.items(), strict=False):
        mine = [candidate.params.get(name) for candidate in result.candidates]
        _draw_panel(axes, values, mine, means, stds if len(shown) == 1 else None)
        axes.set_xlabel(name)
    for row in grid:
        row[0].set_ylabel(f"mean {result.refit_scorer}")
    picture.suptitle(_headline(len(parameters), len(shown)), x=0.01, ha="left", fontsize=11)
    return picture


def _headline(n_varied: int, n_shown: int) -> str:
    words = "Score by value; the line joins the best that each value has reached"
    return words + (f" (the first {n_shown} of {n_varied} varied parameters)" if n_shown < n_varied else "")


def _draw_panel(
    axes: Axes, values: list[Any], mine: list[Any], means: NDArray[np.float64], stds: NDArray[np.float64] | None
) -> None:
    """Draw one parameter: candidates as dots, the best of each value as a line, the spread only where there is room."""
    many_numbers = are_numbers(values) and len(values) > 12
    spots = [float(value) for value in values] if many_numbers else list(range(len(values)))
    where = {repr(value): spot for value, spot in zip(values, spots, strict=True)}
    xs = np.array([where[repr(value)] for value in mine], dtype=float)
    bests = np.array([np.nanmax(means[xs == spot], initial=-np.inf) for spot in spots])
    if not many_numbers:
        axes.set_xticks(spots, _labels(values), rotation=0 if sum(map(len, _labels(values))) < 30 else 45)
        axes.plot(spots, np.where(np.isinf(bests), np.nan, bests), color=_BLUE, lw=1.4, zorder=2)
    elif values[0] > 0 and values[-1] / values[0] > 100:
        axes.set_xscale("log")
    if stds is not None and not many_numbers:
        axes.errorbar(xs, means, yerr=stds, fmt="none", ecolor=_BLUE, capsize=3, lw=1.2)
    axes.plot(xs, means, "o", color=_GREY, ms=4, alpha=0.5 if len(means) > 50 else 0.9, mew=0, zorder=1)
    winner = np.nanargmax(means)
    axes.plot(xs[winner], means[winner], "o", color=_RED, ms=6, zorder=3)
    axes.margins(x=0.1)
    axes.grid(axis="y", color="#e4e6ea")
    axes.spines[["top", "right"]].set_visible(False)


def _place(values: list[Any], value: Any) -> int:
    return [repr(known) for known in values].index(repr(value))


def _labels(values: list[Any]) -> list[str]:
    return [text if len(text) <= 14 else text[:13] + "…" for text in map(str, values)]
