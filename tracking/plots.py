"""The two pictures of a sweep: how the candidates compare, and what each varied parameter does.

Drawn with matplotlib's objects on Agg, never with pyplot: pyplot keeps figures in process-wide state, and would look
for a display.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tracking import parameter_plots
from tuning.candidates import Candidate
from tuning.results.judged import best_first, full_means, left_out_words
from tuning.results.sweep_result import SweepResult

CANDIDATES_FILE = "candidates.png"
PARAMETERS_FILE = "parameters.png"
_DPI = 110
_LISTED = 25
_NAME_LENGTH = 64
_BLUE, _GREY, _RED = "#1f5f99", "#8a8f98", "#c23b22"


def draw(result: SweepResult, folder: Path) -> list[Path]:
    """Write the pictures of `result` into `folder`.

    Returns
    -------
    list of Path
        The parameters' picture is missing where nothing was varied or nothing succeeded.
    """
    drawn = {CANDIDATES_FILE: candidates_figure(result), PARAMETERS_FILE: parameter_plots.figure(result)}
    paths = []
    for name, picture in drawn.items():
        if picture is not None:
            FigureCanvasAgg(picture)
            picture.savefig(folder / name, dpi=_DPI)
            paths.append(folder / name)
    return paths


def candidates_figure(result: SweepResult) -> Figure:
    """Draw every candidate's mean with its spread over the folds, best first; the first 25 by name.

    Where there are more, a panel above shows all of them as one falling curve.
    """
    splits = result.split_scores()
    order = best_first(full_means(result))
    listed = order[:_LISTED]
    overview = len(order) > _LISTED
    picture = Figure(figsize=(9, 1.6 + 0.3 * max(len(listed), 2) + (3 if overview else 0)), layout="constrained")
    if overview:
        above, below = picture.subplots(2, 1, height_ratios=[3, 0.3 * len(listed) + 0.6])
        _draw_curve(above, splits[order], result.refit_scorer)
        below.set_title(f"The best {len(listed)}", loc="left", fontsize=10)
    else:
        below = picture.subplots()
    _draw_list(below, splits[listed], [_label(result.candidates[place]) for place in listed])
    below.set_xlabel(f"{result.refit_scorer} (greater is better)")
    picture.suptitle(_headline(result, len(order)), x=0.01, ha="left", fontsize=12)
    return picture


def _draw_list(axes: Axes, splits: NDArray[np.float64], names: list[str]) -> None:
    """Draw one row per candidate: its folds as open dots, mean and standard deviation on top, the winner in red."""
    rows = np.arange(len(splits))
    means, stds = splits.mean(axis=1), splits.std(axis=1)
    for column in splits.T:
        axes.plot(column, rows, "o", mfc="none", mec=_GREY, ms=4, mew=0.8, zorder=2)
    for row, (mean, std) in enumerate(zip(means, stds, strict=True)):
        colour = _RED if row == 0 else _BLUE
        axes.errorbar(mean, row, xerr=std, fmt="o", color=colour, ms=6, capsize=3, lw=1.4, zorder=3)
    if len(means):
        axes.axvline(means[0], color=_RED, lw=0.8, ls=":", zorder=1)
    axes.set_yticks(rows, names, fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis="x", color="#e4e6ea", zorder=0)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_curve(axes: Axes, splits: NDArray[np.float64], scorer: str) -> None:
    """Draw all candidates by rank: the mean, and one standard deviation over the folds to either side."""
    ranks = np.arange(1, len(splits) + 1)
    means, stds = splits.mean(axis=1), splits.std(axis=1)
    axes.fill_between(ranks, means - stds, means + stds, color=_BLUE, alpha=0.15, lw=0, label="± 1 std over folds")
    axes.plot(ranks, means, color=_BLUE, lw=1.6, label="mean over folds")
    axes.plot(1, means[0], "o", color=_RED, ms=6, label="best")
    axes.axhline(means[0], color=_RED, lw=0.8, ls=":")
    axes.set_xlim(0, len(splits) + 1)
    axes.set_xlabel("candidates, best first")
    axes.set_ylabel(scorer)
    axes.legend(frameon=False, fontsize=8)
    axes.grid(color="#e4e6ea")
    axes.spines[["top", "right"]].set_visible(False)


def _headline(result: SweepResult, n_scored: int) -> str:
    words = f"{n_scored:,} candidates: mean and spread over {result.n_folds} folds"
    missing = left_out_words(result)
    return words + (f" (not shown: {missing})" if missing else "")


def _label(candidate: Candidate) -> str:
    """Name a candidate as its run is named, with fractions short enough to be read."""
    words = [f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in sorted(candidate.params.items())]
    name = " ".join(words)
    return name if len(name) <= _NAME_LENGTH else name[: _NAME_LENGTH - 1] + "…"
