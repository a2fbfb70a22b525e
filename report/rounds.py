"""How the score grows with the rounds of training, and which number of rounds was chosen."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from report.picture import Picture
from report.style import GREY, RED, SERIES, figure, grid_lines, shortened
from tuning.results.judged import best_first, full_means
from tuning.results.round_curves import fold_curves, mean_curve, steps
from tuning.results.sweep_result import SweepResult

_CANDIDATES = 5


def picture(result: SweepResult) -> Picture | None:
    """Draw the curves of the winner and of the next best; None where nobody has looked at every round."""
    order = best_first(full_means(result)).tolist()
    places = list(dict.fromkeys([result.best_index, *order]))[:_CANDIDATES]
    chosen = [place for place in places if result.candidates[place] in result.rounds]
    if not chosen:
        return None
    data = pd.concat([_curves(result, place) for place in chosen], ignore_index=True)
    caption = (
        f"Mean {result.refit_scorer} of the test folds after each round; thin: the winner's folds one by one. Dot: the"
        " number of rounds that the folds chose together, the highest point of the mean."
    )
    return Picture("rounds", "When was training long enough?", caption, data, lambda: _drawn(result, data))


def _curves(result: SweepResult, place: int) -> pd.DataFrame:
    candidate = result.candidates[place]
    mean = mean_curve(result.fold_scores[candidate], result.refit_scorer)
    rounds = steps(len(mean), result.rounds[candidate])
    folds = {
        f"fold{fold}": [float(curve[each - 1]) for each in rounds]
        for fold, curve in enumerate(fold_curves(result.fold_scores[candidate], result.refit_scorer))
    }
    of_all = {"number": place + 1, "candidate": candidate.name, "chosen": result.rounds[candidate]}
    return pd.DataFrame({**of_all, "round": rounds, "mean": [mean[each - 1] for each in rounds], **folds})


def _drawn(result: SweepResult, data: pd.DataFrame) -> Figure:
    made = figure(3.3)
    axes = made.subplots()
    lows = []
    for rank, (number, mine) in enumerate(data.groupby("number", sort=False)):
        won = number == result.best_index + 1
        colour = RED if won else SERIES[rank % len(SERIES)]
        if won:
            folds = mine[[name for name in mine.columns if name.startswith("fold")]]
            axes.plot(mine["round"], folds, "-", color=GREY, lw=0.5, alpha=0.6)
        name = shortened(mine["candidate"].iloc[0], 52)
        axes.plot(mine["round"], mine["mean"], "-", color=colour, lw=2 if won else 1.1, label=name)
        at = mine[mine["round"] == mine["chosen"].iloc[0]]
        axes.plot(at["round"], at["mean"], "o", color=colour, ms=5)
        lows.append(float(mine["mean"].quantile(0.15)))
    top = float(data["mean"].max())
    bottom = min(lows)
    if top > bottom:
        axes.set_ylim(bottom - 0.35 * (top - bottom), top + 0.35 * (top - bottom))
    axes.set_xlabel("rounds of training")
    axes.set_ylabel(f"mean {result.refit_scorer}")
    axes.legend(loc="lower right")
    grid_lines(axes)
    return made
