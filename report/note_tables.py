"""The tables of a note, as MLflow shows them: the best candidates, and the winner by all scorers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tuning.candidates import Candidate
from tuning.results.judged import best_first, full_means
from tuning.results.statistics import Difference
from tuning.results.sweep_result import SweepResult

_TOP = 10
_MOST_SCORERS = 3
_GAP = "&emsp;"
_LONGEST_NAME = 64


def best_ones(result: SweepResult, winner: Candidate, differences: Mapping[Candidate, Difference]) -> str:
    """Show the ten best, and how far each is behind the winner, which is in bold."""
    means = full_means(result)
    order = best_first(means)[:_TOP].tolist()
    others = [name for name in result.scorers if name != result.refit_scorer][:_MOST_SCORERS]
    rounds = ["rounds"] if result.rounds else []
    columns = ["", "candidate", result.refit_scorer, "behind", *others, *rounds, "fit, s"]
    seconds = result.cv_results()["mean_fit_time"]
    of_others = [result.means(name) for name in others]
    rows = []
    for rank, place in enumerate(order, start=1):
        candidate = result.candidates[place]
        won = candidate == winner
        name = f"**{named(candidate)}**" if won else named(candidate)
        behind = "" if won else _behind(means[order[0]] - means[place], differences.get(candidate))
        cells = [f"{rank}", name, f"{means[place]:.5f}", behind]
        cells += [f"{column[place]:.5f}" for column in of_others]
        cells += [f"{result.rounds.get(candidate, '')}" for _ in rounds]
        rows.append([*cells, f"{seconds[place]:.1f}"])
    return "**The best**\n\n" + _rows(columns, rows)


def by_scorers(result: SweepResult, holdout: Mapping[str, float]) -> str:
    """Show the winner by all scorers, where there are several."""
    if len(result.scorers) < 2:
        return ""
    rows = []
    for name in result.scorers:
        splits = result.split_scores(name)[result.best_index]
        held = f"{holdout[name]:.5f}" if name in holdout else ""
        rows.append([name, f"{splits.mean():.5f}", f"{splits.std():.5f}", held])
    return _rows(["the winner", "over the folds", "±", "on the hold-out"], rows)


def named(candidate: Candidate) -> str:
    """Write a candidate's name so that it may stand anywhere in a note, in a table too."""
    name = candidate.name.replace("|", "¦").replace("`", "'")
    return f"`{name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + '…'}`"


def _rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table, with room between its cells and below it, which MLflow does not give."""
    name = columns.index(next(filter(None, columns)))
    marks = [":--" if place == name else "--:" for place in range(len(columns))]
    head, *body = ([cells[0], *(f"{_GAP}{cell}" for cell in cells[1:])] for cells in (columns, *rows))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, marks, *body)) + f"\n\n{_GAP}"


def _behind(by: float, difference: Difference | None) -> str:
    if difference is None or not np.isfinite(difference.low):
        return f"{by:.5f}"
    return f"{difference.mean:.5f} ({difference.low:.5f} to {difference.high:.5f})"
