"""Out-of-fold predictions of a sweep: where they lie while it goes on, and what its run holds of them."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from cache import Cache
from cache.entries import writing_to
from entrypoints.data.rows import Rows
from entrypoints.terminal.results import Row
from tracking import EntryRun
from tuning import SweepResult, SweepSpec
from tuning.kept import predictions, table
from tuning.kept.bias import Corrected, corrected
from tuning.kept.choice import KeptSweep
from tuning.warned import one_line

FOLDER = "predictions"


def predictions_for(spec: SweepSpec) -> predictions.KeptPredictions:
    """Return what keeps predictions in the cache, as `spec` says."""
    return predictions.KeptPredictions(Cache.from_environment().root / predictions.FOLDER, spec.keep == "predictions")


def log_predictions(
    run: EntryRun, spec: SweepSpec, result: SweepResult, kept: predictions.KeptPredictions, rows: Rows
) -> tuple[SweepResult, list[Row]]:
    """Record what was kept as one file; return the result with its corrected score, and what there is to say."""
    root = Cache.from_environment().root
    with writing_to(root):
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".unfinished-") as folder:
            file = Path(folder) / table.FILE
            n_kept = table.write(file, result, kept, rows.train, rows.targets)
            size = file.stat().st_size
            run.log_file(file, FOLDER)
            found = _correction(spec, file, rows)
    said = _rows_of(result, kept, n_kept, size)
    if isinstance(found, str):
        return replace(result, uncorrected=found), said
    return replace(result, corrected=found), said


def _correction(spec: SweepSpec, file: Path, rows: Rows) -> Corrected | str:
    sweep = KeptSweep(table.OutOfFold(file), spec, rows.train)
    try:
        return corrected(sweep, spec.deciding, spec.rule)
    except Exception as error:  # the sweep has its winner, and its score
        return f"it could not be computed ({one_line(error)})"


def _rows_of(result: SweepResult, kept: predictions.KeptPredictions, n_kept: int, size: int) -> list[Row]:
    """Say what is missing, and how much there is where that was asked for."""
    n_wanted = len(result.candidates) - len({*result.failed, *result.stopped}) if kept.all_of_them else 1
    if n_kept < n_wanted:
        of_whom = f"{n_kept:,} of {n_wanted:,} candidates" if kept.all_of_them else "no candidate"
        return [("kept", f"out-of-fold predictions of {of_whom}: {kept.why_not}")]
    if not kept.all_of_them:
        return []
    return [("kept", f"out-of-fold predictions of {n_kept:,} candidates, {size / 1e6:,.1f} MB")]
