"""What is made of an audit's findings: lines before the first fit, a file in the run, a part of its note and page."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace

from entrypoints.data.rows import Rows
from entrypoints.terminal.results import show_row
from tracking import EntryRun
from tuning import SweepSpec
from tuning.audit import audited, refuse_if_strict
from tuning.linting import Finding

FILE = "audit.csv"


def audited_rows(run: EntryRun, spec: SweepSpec, rows: Rows) -> Rows:
    """Look at `rows` before anything is fitted to them, say what is found, and return them with it.

    Raises
    ------
    SpecError
        Something was found, and the spec has ``audit: strict``.
    """
    found = audited(spec, rows.train, rows.holdout)
    if not found:
        return rows
    run.log_text(table(found), FILE)
    refuse_if_strict(spec, found)
    for each in found:
        show_row("audit", f"{each.code} {each.words}. {each.advice}.")
    return replace(rows, found=found)


def table(found: Sequence[Finding]) -> str:
    """Return the findings as CSV: a line for each set of rows, or one with the columns."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["code", "columns", "rows", "found"])
    for each in found:
        for rows in each.rows or ((),):
            lines.writerow([each.code, " ".join(each.columns), " ".join(map(str, rows)), each.words])
    return text.getvalue()
