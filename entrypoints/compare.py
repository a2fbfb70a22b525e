"""Hold sweeps against each other: across backends, data and specs."""

from __future__ import annotations

from entrypoints.command.entry import entrypoint
from entrypoints.parameters import CompareParams
from entrypoints.terminal.results import Row, show_lines, show_row
from entrypoints.terminal.tally import duration, number
from report.compared import FILE, compare_page, words_of
from tracking import EntryRun
from tracking.heading import COMPARISON, KIND
from tracking.links import links_of, page_of
from tracking.swept import read_sweeps
from tuning.results.side_by_side import SideBySide, Swept, side_by_side

_MOST_SHOWN = 12
_LONGEST = 24


@entrypoint("compare")
def compare(params: CompareParams, run: EntryRun) -> None:
    """Compare finished sweeps by their best candidates, fold by fold where they had the same folds."""
    sweeps = read_sweeps(run, params.runs)
    found = side_by_side(sweeps)
    run.set_tags({KIND: COMPARISON} | {f"compared.{each.label}": each.run_id for each in sweeps})
    run.entitle(f"compare {len(sweeps)} sweeps by {found.scorer}")
    run.log_text(compare_page(found), FILE)
    rows = list(rows_of(found))
    run.set_note("\n".join(f"- {label} {text}".replace("-  ", "  - ") for label, text in rows))
    for label, text in rows:
        show_row(label, text)
    show_lines([("look", links_of(run).server), ("page", page_of(run, FILE))])


def rows_of(found: SideBySide) -> list[Row]:
    """Return what the terminal says, a label and a text each."""
    rows: list[Row] = [("compare", f"{len(found.sweeps)} sweeps by {found.scorer}, the best first")]
    for each in found.sweeps:
        rows += _of(each, found)
    for pair in found.shared:
        same = "" if pair.difference is None else f", their scores at most {pair.difference:.3g} apart"
        rows.append(("shared", f"{pair.first} and {pair.second}: {_candidates(pair.candidates)} in both{same}"))
    return [*rows, *_differing(found)]


def _of(sweep: Swept, found: SideBySide) -> list[Row]:
    splits = sweep.splits(found.scorer)
    score = f"{number(float(splits.mean()))} ± {number(float(splits.std()))} over {len(splits)} folds"
    rows = [(sweep.label, f"{sweep.title}, run {sweep.run_id}"), ("", f"{score}: {sweep.name}")]
    if behind := found.behind.get(sweep.label):
        rows.append(("", words_of(behind)))
    if reason := found.why_not.get(sweep.label):
        rows.append(("", f"no difference to {found.sweeps[0].label} is given: {reason}"))
    took = f"{duration(sweep.seconds)}, its fits alone {duration(sweep.fit_seconds)}"
    return [*rows, ("", f"{_candidates(len(sweep.table))} in {took}")]


def _differing(found: SideBySide) -> list[Row]:
    """Say what differed, the first of it; all of it is on the page."""
    rows = [
        (kind, f"{name}: " + ", ".join(f"{label} {_short(value)}" for label, value in values.items()))
        for (kind, name), values in found.differs.items()
    ]
    more = len(rows) - _MOST_SHOWN
    return [*rows[:_MOST_SHOWN], ("", f"and {more:,} other differences, on the page")] if more > 0 else rows


def _candidates(count: int) -> str:
    return f"{count:,} candidate{'' if count == 1 else 's'}"


def _short(value: str) -> str:
    value = " ".join(value.split()) or "-"
    return value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"


if __name__ == "__main__":
    compare.main()
