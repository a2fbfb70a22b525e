"""What a better score costs: time against score, and one scorer against another."""

from __future__ import annotations

from math import ceil

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from report.picture import Picture
from report.standing import JUDGED, WINNER, lower_limit, rows_of, standing
from report.style import BLUE, GREEN, INK, RED, figure, grid_lines
from tuning.results.sweep_result import SweepResult

_FEWEST = 3
_MANY = 400
_NAMED = 6
_WIDE = 20  # of the slowest over the fastest: then by the logarithm


def time_and_score(result: SweepResult) -> Picture | None:
    """Draw the time of a fit against its score, with those that nothing beats in both."""
    data = _judged(result)
    if len(data) < _FEWEST or not data["seconds"].gt(0).all():
        return None
    data["on_front"] = pareto(data["seconds"].to_numpy(), data["mean"].to_numpy())
    caption = (
        "Each dot is a candidate judged in full: mean time to fit and score one fold, as a fit alone would take."
        " Line: no candidate is both faster and better than these (the Pareto front). Red: the winner."
    )
    question = "What does a better score cost?"
    return Picture("time", question, caption, data, lambda: _drawn_time(result, data))


def scorers(result: SweepResult) -> Picture | None:
    """Draw the deciding scorer against each of the others; None where there are none."""
    others = [name for name in result.scorers if name != result.refit_scorer]
    data = _judged(result)
    if not others or len(data) < _FEWEST:
        return None
    places = data.index
    for name in [result.refit_scorer, *others]:
        data[f"mean_{name}"] = result.means(name)[places]
    caption = (
        f"Each dot is a candidate judged in full. Red: the winner by {result.refit_scorer}; green square: the best by"
        " the other scorer. The closer the dots lie to a rising line, the less the choice of scorer matters."
    )
    question = "Would another scorer choose another candidate?"
    return Picture("scorers", question, caption, data, lambda: _drawn_scorers(result, data, others[:4]))


def pareto(costs: np.ndarray, gains: np.ndarray) -> list[bool]:
    """Return for each point whether none is at least as cheap and as good, and better in one of them."""
    order = np.lexsort((-gains, costs))
    on_front, best = np.zeros(len(costs), dtype=bool), -np.inf
    for place in order:
        if gains[place] > best:
            on_front[place], best = True, gains[place]
    return [bool(each) for each in on_front]


def _judged(result: SweepResult) -> pd.DataFrame:
    data = standing(result)
    kept = data["status"].isin([WINNER, JUDGED]) & data["mean"].notna()
    return data.loc[kept, ["number", "candidate", "status", "mean", "seconds"]].copy()


def _drawn_time(result: SweepResult, data: pd.DataFrame) -> Figure:
    made = figure(3.4)
    axes = made.subplots()
    front = data[data["on_front"]].sort_values("seconds")
    _dots(axes, data, "seconds", "mean")
    axes.step(front["seconds"], front["mean"], where="post", color=GREEN, lw=1.3, label="Pareto front")
    if data["seconds"].max() / data["seconds"].min() > _WIDE:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_locator(NullLocator())
    _limit(axes, data["mean"])
    named = front[front["mean"] >= axes.get_ylim()[0]]
    for each in rows_of(named.iloc[:: -max(1, ceil(len(named) / _NAMED))]):
        at = (each.seconds, each.mean)
        axes.annotate(f"#{each.number}", at, xytext=(5, -10), textcoords="offset points", fontsize=7, color=INK)
    axes.set_xlabel("seconds per fold" + (" (log scale)" if axes.get_xscale() == "log" else ""))
    axes.set_ylabel(f"mean {result.refit_scorer}")
    axes.legend(loc="lower right")
    return made


def _drawn_scorers(result: SweepResult, data: pd.DataFrame, others: list[str]) -> Figure:
    across = min(2, len(others))
    made = figure(0.2 + 2.6 * ceil(len(others) / across))
    grid = made.subplots(ceil(len(others) / across), across, squeeze=False)
    for axes in grid.flat[len(others) :]:
        axes.set_visible(False)
    for axes, other in zip(grid.flat, others, strict=False):
        mine, theirs = f"mean_{result.refit_scorer}", f"mean_{other}"
        _dots(axes, data, mine, theirs)
        if data[theirs].notna().any():
            best = data.loc[[data[theirs].idxmax()]]
            axes.plot(best[mine], best[theirs], "s", mfc="none", mec=GREEN, ms=9, mew=1.6)
            _limit(axes, data[theirs])
        axes.set_xlim(left=lower_limit(data[mine]) - 0.05 * (data[mine].max() - lower_limit(data[mine]) or 1))
        axes.set_xlabel(f"mean {result.refit_scorer}")
        axes.set_ylabel(f"mean {other}")
        axes.locator_params(axis="x", nbins=5)
    return made


def _dots(axes: Axes, data: pd.DataFrame, x: str, y: str) -> None:
    many = len(data) > _MANY
    alpha, size = (0.3, 2.5) if many else (0.7, 4.5)
    axes.plot(data[x], data[y], "o", color=BLUE, ms=size, mew=0, alpha=alpha, rasterized=many)
    won = data[data["status"] == WINNER]
    axes.plot(won[x], won[y], "D", color=RED, ms=6, zorder=4)
    grid_lines(axes)


def _limit(axes: Axes, values: pd.Series) -> None:
    bottom, top = lower_limit(values), float(values.max())
    reach = (top - bottom) or abs(top) * 0.01 or 1.0
    axes.set_ylim(bottom - 0.08 * reach, top + 0.1 * reach)
