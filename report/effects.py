"""What each parameter does to the score."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from report.picture import Picture
from report.scales import Scale, as_columns, scales
from report.standing import FAILED, JUDGED, STOPPED, WINNER, lower_limit, standing
from report.style import BLUE, GREY, INK, RED, figure, grid_lines
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec

_MOST_PANELS = 12
_MANY = 400  # dots, which a page would be slow to draw one by one


def picture(result: SweepResult, spec: SweepSpec | None = None) -> Picture | None:
    """Draw the score over the values of each varied parameter; None where none was, or nothing was scored."""
    axes_of = scales(result, spec)
    data = standing(result)
    if not axes_of or data["mean"].isna().all():
        return None
    table = data.assign(**as_columns(result, axes_of))
    shown = dict(list(axes_of.items())[:_MOST_PANELS])
    caption = (
        f"Each dot is a candidate: its mean {result.refit_scorer} over the folds, by the value that it had. Red: the"
        " winner. The line joins the best that each number has reached; words are not joined, a bar marks their best."
    )
    if (data["status"] == STOPPED).any():
        caption += " Hollow: stopped early, on fewer folds or a share."
    if (data["status"] == FAILED).any():
        caption += " Crosses at the foot: failed."
    if len(axes_of) > len(shown):
        caption += f" The first {len(shown)} of {len(axes_of)} varied parameters."
    question = "What does each parameter do to the score?"
    return Picture("parameters", question, caption, table, lambda: _drawn(result, data, shown))


def _drawn(result: SweepResult, data: pd.DataFrame, shown: dict[str, Scale]) -> Figure:
    across = min(2, len(shown))
    down = ceil(len(shown) / across)
    made = figure(0.2 + 2.2 * down)
    grid = made.subplots(down, across, sharey=True, squeeze=False)
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    bottom = lower_limit(data["mean"])
    top = float(data["mean"].max())
    reach = (top - bottom) or abs(top) * 0.01 or 1.0
    for axes, (name, scale) in zip(grid.flat, shown.items(), strict=False):
        places = np.array([scale.place(candidate.params.get(name)) for candidate in result.candidates])
        _draw_panel(axes, scale, places, data, bottom - 0.1 * reach)
        scale.draw_ticks(axes)
    for row in grid:
        row[0].set_ylim(bottom - 0.16 * reach, top + 0.08 * reach)
        row[0].set_ylabel(f"mean {result.refit_scorer}")
    return made


def _draw_panel(axes: Axes, scale: Scale, places: np.ndarray, data: pd.DataFrame, foot: float) -> None:
    means, status = data["mean"].to_numpy(), data["status"]
    many = len(data) > _MANY
    faint = 0.3 if many else 0.7
    judged, stopped, failed = (status == JUDGED).to_numpy(), (status == STOPPED).to_numpy(), means != means
    low = ~failed & (means < foot)
    size = 2.5 if many else 4
    dots: dict[str, Any] = {"ls": "", "marker": "o", "ms": size, "alpha": faint, "rasterized": many}
    axes.plot(places[stopped], means[stopped], mfc="none", mec=GREY, mew=0.7, **dots)
    axes.plot(places[judged], means[judged], color=BLUE, mew=0, **dots)
    axes.plot(places[failed], np.full(failed.sum(), foot), "x", color=INK, ms=4, mew=0.8, rasterized=many)
    axes.plot(places[low], np.full(low.sum(), foot), "v", color=GREY, ms=4, mew=0, rasterized=many)
    _draw_best(axes, scale, places, np.where(judged | (status == WINNER), means, np.nan))
    won = (status == WINNER).to_numpy()
    axes.plot(places[won], means[won], "D", color=RED, ms=5.5, zorder=4)
    grid_lines(axes, "y")


def _draw_best(axes: Axes, scale: Scale, places: np.ndarray, means: np.ndarray) -> None:
    """Draw the best that each value has reached: a line through numbers, a bar at each word."""
    spots = np.unique(places[~np.isnan(means)])
    bests = np.array([np.nanmax(means[places == spot]) for spot in spots])
    numbers = spots <= 1 if scale.numbers else np.zeros(len(spots), dtype=bool)
    if not scale.is_continuous:
        axes.plot(spots[numbers], bests[numbers], "-", color=BLUE, lw=1.3)
    half = 0.06
    axes.hlines(bests[~numbers], spots[~numbers] - half, spots[~numbers] + half, color=BLUE, lw=1.6)
