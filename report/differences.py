"""Which candidates are as good as the winner, and which surely are not.

Compared fold by fold, since some folds are harder than others for all candidates alike: the spread of a candidate's own
scores over the folds says nothing about its distance to another.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from report.picture import Picture
from report.standing import JUDGED, STOPPED, WINNER, rows_of, standing
from report.style import BLUE, GREY, INK, RED, figure, grid_lines, shortened
from tuning.naming import short_value
from tuning.results.comparison import compare
from tuning.results.sweep_result import SweepResult
from tuning.results.varied import varied

_LISTED = 20
_STOPPED_LISTED = 6
_NAME_LENGTH = 46


def picture(result: SweepResult) -> Picture:
    """Draw how far every candidate is from the winner."""
    data = differences(result)
    n_others = int((data["status"] == JUDGED).sum())
    caption = (
        f"Dot and bar: mean difference of {result.refit_scorer} to the winner over the same {result.n_folds} folds,"
        " with its 95 % interval (paired by fold, Nadeau and Bengio 2003). The further left, the worse; a bar that"
        " reaches the dotted line: no clear difference."
    )
    if (data["status"] == STOPPED).any():
        caption += " Hollow: stopped early, with its folds as small dots; not comparable in full."
    if names := _unnamed(result, data):
        caption += f" A row's values are those of {', '.join(names)}."
    left_out = int((data["status"] == "failed").sum())
    if left_out:
        caption += f" {left_out:,} failed and {'is' if left_out == 1 else 'are'} not shown."
    question = "Which candidates are as good as the winner?" if n_others else "How good is the winner?"
    return Picture("candidates", question, caption, data, lambda: _drawn(result, data))


def differences(result: SweepResult) -> pd.DataFrame:
    """Return each candidate's distance to the winner, those of equal scores on every fold as one group.

    Returns
    -------
    DataFrame
        The candidates' standing with ``difference``, ``low``, ``high`` (below 0: worse than the winner) and ``equals``,
        the number of the first candidate with the same scores; the best first, then those that were stopped.
    """
    found = compare(result).differences
    splits = result.split_scores()
    data = standing(result)
    of_all = [found.get(candidate) for candidate in result.candidates]
    data["difference"] = [-each.mean if each else math.nan for each in of_all]
    data["low"] = [-each.high if each else math.nan for each in of_all]
    data["high"] = [-each.low if each else math.nan for each in of_all]
    data.loc[result.best_index, ["difference", "low", "high"]] = 0.0
    gaps = splits - splits[result.best_index]
    stopped = (data["status"] == STOPPED).to_numpy()
    data.loc[stopped, "difference"] = [float(np.nanmean(gap)) for gap in gaps[stopped]]
    first: dict[bytes, int] = {}
    data["equals"] = [
        first.setdefault(row.tobytes() if np.isfinite(row).all() else number.to_bytes(8, "big"), number)
        for row, number in zip(splits, data["number"].tolist(), strict=True)
    ]
    order = pd.DataFrame(
        {
            "late": data["status"].map({WINNER: 0, JUDGED: 1, STOPPED: 2}).fillna(3),
            "come": -data["folds"] * data["share"],
            "difference": -data["difference"],
        }
    )
    return data.loc[order.sort_values(["late", "come", "difference"], kind="stable").index]


def _unnamed(result: SweepResult, data: pd.DataFrame) -> list[str]:
    """Return the parameters whose names are left out beside the rows, since their values would be cut off."""
    if data["candidate"].head(_LISTED).map(len).max() <= _NAME_LENGTH:
        return []
    return list(varied(result.candidates))


def _drawn(result: SweepResult, data: pd.DataFrame) -> Figure:
    full = data[data["status"].isin([WINNER, JUDGED])]
    groups = full.drop_duplicates("equals")
    late = data[(data["status"] == STOPPED) & data["difference"].notna()]
    n_late = min(len(late), max(_STOPPED_LISTED, _LISTED - len(groups)))
    listed = pd.concat([groups.head(_LISTED - min(n_late, _STOPPED_LISTED)), late.head(n_late)])
    overview = len(groups) + len(late) > len(listed) + 2
    height = 0.75 + 0.2 * max(len(listed), 3)
    made = figure(height + (1.9 if overview else 0))
    if overview:
        above, below = made.subplots(2, 1, height_ratios=[1.9, height])
        _draw_all(above, full)
        below.set_title(f"The best {len(listed) - n_late}" + (f", and {n_late} stopped early" if n_late else ""))
    else:
        below = made.subplots()
    equals = full["equals"].value_counts()
    _draw_list(below, result, data, listed, equals)
    return made


def _draw_list(axes: Axes, result: SweepResult, data: pd.DataFrame, listed: pd.DataFrame, equals: pd.Series) -> None:
    gaps = result.split_scores() - result.split_scores()[result.best_index]
    unnamed = _unnamed(result, data)
    for row, each in enumerate(rows_of(listed)):
        colour = RED if each.status == WINNER else BLUE
        if each.status == STOPPED:
            axes.plot(gaps[each.Index], [row] * gaps.shape[1], ".", color=GREY, ms=4)
            axes.plot(each.difference, row, "o", mfc="white", mec=BLUE, ms=6)
            continue
        if math.isfinite(each.low):
            axes.plot([each.low, each.high], [row, row], "-", color=colour, lw=1.4)
        axes.plot(each.difference, row, "D" if each.status == WINNER else "o", color=colour, ms=5.5)
    axes.axvline(0, color=RED, lw=0.8, ls=":", zorder=0)
    labels = [_label(result, each, equals, unnamed) for each in rows_of(listed)]
    axes.set_yticks(range(len(listed)), labels, fontsize=7.5)
    axes.set_ylim(max(len(listed), 2) - 0.4, -0.6)
    axes.set_xlabel(f"{shortened(result.refit_scorer, 24)}, less the winner's")
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=6)
    grid_lines(axes, "x")


def _label(result: SweepResult, each: Any, equals: pd.Series, unnamed: list[str]) -> str:
    others = int(equals.get(each.equals, 1)) - 1 if each.status != STOPPED else 0
    more = f" = {others} more" if others else ""
    if each.status == STOPPED:
        share = each.share
        more = f" ({each.folds}/{result.n_folds} folds" + (f", {share:.2g} of a fit)" if share < 1 else ")")
    params = result.candidates[each.Index].params
    values = [short_value(params[name]) if name in params else "–" for name in unnamed]
    name = f"#{each.number}  {' · '.join(values)}" if unnamed else each.candidate
    return shortened(name, _NAME_LENGTH - len(more)) + more


def _draw_all(axes: Axes, full: pd.DataFrame) -> None:
    """Draw every candidate that was judged in full, best first."""
    ranks = np.arange(1, len(full) + 1)
    axes.vlines(ranks, full["low"], full["high"], color=BLUE, alpha=0.25, lw=max(0.5, min(3, 200 / len(full))))
    axes.plot(ranks, full["difference"], ".", color=INK, ms=3)
    axes.axhline(0, color=RED, lw=0.8, ls=":")
    axes.set_rasterized(len(full) > 300)
    low = full["difference"].quantile(0.02)
    reach = (full["high"] - full["low"]).replace(np.inf, np.nan).median()
    axes.set_ylim(bottom=float(low - reach) if np.isfinite(reach) else None)
    axes.set_xlim(0, len(full) + 1)
    axes.set_xlabel(f"all {len(full):,} candidates judged in full, best first")
    axes.set_ylabel("difference")
    grid_lines(axes)
