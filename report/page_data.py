"""What the page's script is given: the table of candidates, the axes that their lines cross, and when each fit ran."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from report.scales import Scale, scales
from report.standing import lower_limit, rows_of
from report.story import Story
from report.timeline import lanes
from tuning.results.varied import are_numbers
from tuning.spec.objects import describe

_DIGITS = 6
_MOST_AXES = 12
_TICKS = 7


def as_script(story: Story) -> str:
    """Return the data as JSON that may stand inside a page's ``<script>``, whatever names are in it."""
    data = {"columns": _columns(story), "rows": _rows(story), "axes": _axes(story), "spans": _spans(story)}
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _columns(story: Story) -> list[dict[str, Any]]:
    """Return name and kind of each column of the table: numbers are sorted by size and stand to the right."""
    result = story.result
    of_params = [{"name": name, "number": _all_numbers(scale)} for name, scale in scales(result, story.spec).items()]
    of_scores = [{"name": f"mean {name}", "number": True} for name in _scorers(story)]
    others = ("behind", "at best", "at worst", "folds", "seconds")
    return [
        {"name": "#", "number": True},
        *of_params,
        *of_scores,
        *({"name": name, "number": True} for name in others),
        {"name": "status", "number": False},
    ]


def _rows(story: Story) -> list[list[Any]]:
    """Return the candidates, the best first."""
    result = story.result
    names = list(scales(result, story.spec))
    means = {name: result.means(name) for name in _scorers(story)}
    rows = []
    for each in rows_of(story.table):
        params = result.candidates[each.Index].params
        row = [each.number, *(_value(params[name]) if name in params else "" for name in names)]
        row += [_rounded(values[each.Index]) for values in means.values()]
        row += [_rounded(-each.difference), _rounded(-each.high), _rounded(-each.low)]
        rows.append([*row, each.folds, _rounded(each.seconds, 4), each.status])
    return rows


def _axes(story: Story) -> list[dict[str, Any]]:
    """Return for each axis its ticks, and where every candidate, in the table's order, crosses it (0 to 1)."""
    result = story.result
    order = story.table.index.to_numpy()
    found = []
    for name, scale in list(scales(result, story.spec).items())[:_MOST_AXES]:
        ticks = scale.ticks()
        places = np.array([scale.place(result.candidates[place].params.get(name)) for place in order])
        ends = [*places.tolist(), *(at for at, _ in ticks)]
        low, reach = min(ends), (max(ends) - min(ends)) or 1.0
        step = max(1, math.ceil(len(ticks) / _TICKS)) if not scale.words else 1
        found.append(
            {
                "name": name,
                "ticks": [[round((at - low) / reach, 4), text] for at, text in ticks[::step]],
                "at": [round(float(at), 4) for at in (places - low) / reach],
            }
        )
    return [*found, _score_axis(story, order)]


def _score_axis(story: Story, order: np.ndarray) -> dict[str, Any]:
    result = story.result
    means = result.means()
    known = means[np.isfinite(means)]
    floor, top = (lower_limit(story.table["mean"]), float(known.max())) if len(known) else (0.0, 1.0)
    reach = (top - floor) or 1.0
    at = [None if math.isnan(mean) else round(max(0.0, float(mean - floor) / reach), 4) for mean in means[order]]
    ticks = [[share, f"{floor + share * reach:.5g}"] for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    return {"name": f"mean {result.refit_scorer}", "ticks": ticks, "at": at}


def _spans(story: Story) -> dict[str, Any]:
    """Return the fits: lane, begin, end, first candidate's number, how many shared it, fold, and whether it failed."""
    result = story.result
    number = {candidate: place for place, candidate in enumerate(result.candidates, start=1)}
    known = [span for span in story.spans if all(candidate in number for candidate in span.candidates)]
    rows = [
        [
            lane,
            round(span.began, 2),
            round(span.ended, 2),
            number[span.candidates[0]],
            len(span.candidates),
            span.fold,
            int(span.failed),
            int(result.best in span.candidates),
        ]
        for lane, span in zip(lanes(known), known, strict=True)
    ]
    return {"rows": rows, "lanes": max((row[0] for row in rows), default=-1) + 1}


def _scorers(story: Story) -> list[str]:
    return sorted(story.result.scorers, key=lambda name: name != story.result.refit_scorer)


def _all_numbers(scale: Scale) -> bool:
    return not scale.words


def _value(value: Any) -> Any:
    """Return a value as a table shows it; numbers remain numbers."""
    if are_numbers([value]):
        return value if isinstance(value, int) and abs(value) < 2**53 else _rounded(float(value))
    return describe(value)


def _rounded(value: float, digits: int = _DIGITS) -> float | None:
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None
