"""How two parameters act together: for each pair a map of the best score that was reached."""

from __future__ import annotations

from itertools import combinations, pairwise
from math import ceil, floor, log10
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from report.picture import Picture
from report.scales import Scale, label_of, scales
from report.standing import JUDGED, WINNER, lower_limit, standing
from report.style import RED, SCALE, figure, shortened
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec

_MOST_PARAMETERS = 4
_MOST_CELLS = 12
_BINS = 6
_FEWEST = 6  # candidates; fewer make no map
_ANNOTATED_COLUMNS = 9


def picture(result: SweepResult, spec: SweepSpec | None = None) -> Picture | None:
    """Draw the parameters that matter most, two by two; None where fewer than two were varied."""
    axes_of = scales(result, spec)
    data = standing(result)
    judged = data["status"].isin([WINNER, JUDGED])
    if len(axes_of) < 2 or judged.sum() < _FEWEST:
        return None
    binned = {name: _binned(scale, result) for name, scale in axes_of.items()}
    means = data["mean"].where(judged)
    chosen = sorted(binned, key=lambda name: -_reach(binned[name][0], means))[:_MOST_PARAMETERS]
    kept = [name for name in axes_of if name in chosen]
    cells = pd.concat([_cells(pair, binned, means) for pair in combinations(kept, 2)], ignore_index=True)
    caption = (
        f"Each field: the best mean {result.refit_scorer} of the candidates with both values (of many numbers: ranges)."
        " Framed: the winner's. White: not tried, failed or stopped early."
    )
    if len(axes_of) > len(kept):
        caption += f" The {len(kept)} of {len(axes_of)} parameters with the largest effect."
    question = "Which values go together?"
    winner = result.best_index

    def drawn() -> Figure:
        return _drawn(cells, binned, list(combinations(kept, 2)), winner, lower_limit(means), result.refit_scorer)

    return Picture("pairs", question, caption, cells, drawn)


def _binned(scale: Scale, result: SweepResult) -> tuple[np.ndarray, list[str]]:
    """Return the cell of each candidate, and the names of the cells."""
    mine = [candidate.params.get(scale.name) for candidate in result.candidates]
    if len(scale.values) <= _MOST_CELLS:
        known = {repr(value): place for place, value in enumerate(scale.values)}
        return np.array([known[repr(value)] for value in mine]), [label_of(value) for value in scale.values]
    numbers = np.array(scale.numbers)
    spread = np.geomspace if scale.log else np.linspace
    edges = spread(numbers[0], numbers[-1], _BINS + 1) if len(numbers) else np.empty(0)
    words = {repr(word): _BINS + place for place, word in enumerate(scale.words)}
    names = [f"{low:.2g}–{high:.2g}" for low, high in pairwise(edges)]
    return np.array([_cell(value, edges, words) for value in mine]), [*names, *map(label_of, scale.words)]


def _cell(value: Any, edges: Any, words: dict[str, int]) -> int:
    if repr(value) in words:
        return words[repr(value)]
    return int(np.clip(np.searchsorted(edges, float(value), side="right") - 1, 0, _BINS - 1))


def _reach(places: np.ndarray, means: pd.Series) -> float:
    """Return how far the best scores of a parameter's values lie apart."""
    bests = means.groupby(places).max().dropna()
    return float(bests.max() - bests.min()) if len(bests) else 0.0


def _cells(pair: tuple[str, str], binned: dict[str, tuple[np.ndarray, list[str]]], means: pd.Series) -> pd.DataFrame:
    (across, across_names), (down, down_names) = binned[pair[0]], binned[pair[1]]
    found = pd.DataFrame({"x": across, "y": down, "mean": means}).groupby(["x", "y"])["mean"].agg(["max", "count"])
    found = found.reset_index()
    return pd.DataFrame(
        {
            "parameter_x": pair[0],
            "parameter_y": pair[1],
            "x": [across_names[place] for place in found["x"]],
            "y": [down_names[place] for place in found["y"]],
            "column": found["x"],
            "row": found["y"],
            "best_mean": found["max"],
            "candidates": found["count"],
        }
    )


def _drawn(
    cells: pd.DataFrame,
    binned: dict[str, tuple[np.ndarray, list[str]]],
    pairs: list[tuple[str, str]],
    winner: int,
    lowest: float,
    scorer: str,
) -> Figure:
    across = min(2, len(pairs))
    down = ceil(len(pairs) / across)
    made = figure((2.9 if across == 1 else 2.5) * down)
    grid = made.subplots(down, across, squeeze=False)
    highest = float(cells["best_mean"].max())
    for axes in grid.flat[len(pairs) :]:
        axes.set_visible(False)
    for axes, pair in zip(grid.flat, pairs, strict=False):
        mine = cells[(cells["parameter_x"] == pair[0]) & (cells["parameter_y"] == pair[1])]
        (columns, column_names), (rows, row_names) = binned[pair[0]], binned[pair[1]]
        values = np.full((len(row_names), len(column_names)), np.nan)
        values[mine["row"], mine["column"]] = mine["best_mean"]
        image = _draw_map(axes, values, lowest, highest)
        if values.shape[1] <= _ANNOTATED_COLUMNS // across:
            _annotate(axes, values, lowest, highest)
        axes.add_patch(Rectangle((columns[winner] - 0.5, rows[winner] - 0.5), 1, 1, fill=False, ec=RED, lw=2.2))
        slanted = sum(len(name) + 1 for name in column_names) > 62 // across
        axes.set_xticks(range(len(column_names)), column_names, rotation=40 if slanted else 0, fontsize=7)
        for label in axes.get_xticklabels() if slanted else []:
            label.set_ha("right")
        axes.set_yticks(range(len(row_names)), row_names, fontsize=7)
        axes.set_xlabel(shortened(pair[0], 34), fontsize=8)
        axes.set_ylabel(shortened(pair[1], 24), fontsize=8)
    made.colorbar(image, ax=grid, label=f"best mean {scorer}", shrink=0.8 if down == 1 else 0.5, pad=0.02)
    return made


def _draw_map(axes: Axes, values: np.ndarray, lowest: float, highest: float) -> Any:
    image = axes.imshow(values, cmap=SCALE, aspect="auto", vmin=lowest, vmax=highest, origin="lower")
    axes.tick_params(length=0)
    return image


def _annotate(axes: Axes, values: np.ndarray, lowest: float, highest: float) -> None:
    decimals = min(6, max(0, 2 - floor(log10(highest - lowest)))) if highest > lowest else 4
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            colour = "black" if value > (lowest + highest) / 2 else "white"
            axes.text(column, row, f"{value:.{decimals}f}", ha="center", va="center", color=colour, fontsize=6.5)
