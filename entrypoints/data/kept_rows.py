"""The rows of a person's own table that a sweep has held out, kept with its run; and marks of those it learned from.

A promotion months later compares two models on rows that neither has learned from. The file may have changed or gone by
then, so the sweep keeps the held-out rows as they were, in the types that pandas read. Of the rows that it learned from
it keeps their numbers and marks alone, which tell them again and say nothing else of them.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pandas.api.types import is_object_dtype

from sources.own_table import OwnTable
from sources.row_marks import row_marks
from tracking import EntryRun

FOLDER = "held_out"
MOST_ROWS = 100_000
"""More are not kept: an interval over so many is narrow enough for any gate."""

_ROWS, _LEARNED, _ABOUT = "rows.parquet", "learned.parquet", "about.json"


@dataclass(frozen=True, eq=False)
class KeptRows:
    """What a sweep leaves for promotions.

    Attributes
    ----------
    rows : DataFrame of shape (n_rows, n_columns)
        Held out: every column of the file, in the types that pandas read; the index has the rows' numbers there.
    learned : DataFrame
        ``row`` and ``mark`` of every row that the model has learned from.
    digest : str
        SHA-256 of the file.
    targets : sequence of str
        The columns that are predicted.
    weights : str
        The column of weights; empty where there is none.
    """

    rows: pd.DataFrame
    learned: pd.DataFrame
    digest: str
    targets: Sequence[str]
    weights: str = ""

    @classmethod
    def of(cls, table: OwnTable, held: NDArray[np.intp] | None, weights: str) -> KeptRows | None:
        """Return what is to be kept of `table`; None of a matrix."""
        if table.frame is None:
            return None
        target = pd.DataFrame(table.target)
        everywhere = np.arange(len(target))
        out = everywhere[:0] if held is None else held
        learned = np.setdiff1d(everywhere, out)
        marks = row_marks(table.X.iloc[learned], target.iloc[learned])
        shown = out[np.linspace(0, len(out) - 1, min(len(out), MOST_ROWS), dtype=np.intp)]
        rows = table.frame.iloc[shown].set_axis(shown, axis=0)
        names = [str(name) for name in target.columns]
        return cls(rows, pd.DataFrame({"row": learned, "mark": marks}), table.digest, names, weights)

    def log(self, run: EntryRun) -> None:
        """Keep all of it with `run`."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            _writable(self.rows).to_parquet(folder / _ROWS, index=True)
            self.learned.to_parquet(folder / _LEARNED, index=False)
            about = {"digest": self.digest, "targets": list(self.targets), "weights": self.weights}
            (folder / _ABOUT).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
            run.log_folder(folder, FOLDER)

    @classmethod
    def fetch(cls, run: EntryRun, run_id: str) -> KeptRows | None:
        """Return what the run `run_id` has kept; None where it has kept nothing."""
        if not run_id or not run.has_artifact(run_id, FOLDER):
            return None
        with tempfile.TemporaryDirectory() as scratch:
            folder = run.fetch_file(run_id, FOLDER, Path(scratch))
            about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
            return cls(pd.read_parquet(folder / _ROWS), pd.read_parquet(folder / _LEARNED), **about)


def _writable(rows: pd.DataFrame) -> pd.DataFrame:
    """Make text of columns that Parquet has no type for: values of several kinds, which groups may be."""
    strange = {}
    for name in [str(name) for name, dtype in rows.dtypes.items() if is_object_dtype(dtype)]:
        try:
            pa.array(rows[name], from_pandas=True)
        except pa.ArrowException:
            strange[name] = rows[name].astype(str)
    return rows.assign(**strange)
