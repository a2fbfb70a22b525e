"""Out-of-fold predictions as one Parquet file: written candidate by candidate, and read so again.

A row is one row of the data as one candidate's model of one fold saw it, which had not learned from it: ``row`` (the
row's key, or its number in the file), ``fold``, ``candidate`` (its key) and the columns of ``tuning.kept.columns``. A
candidate is a group of rows, so that whoever reads one, or all of them in turn, holds no more than one in memory. The
file says in its metadata which candidates the sweep has judged on every fold, what they scored, and how their answers
are laid out: with the data it is all that a choice among them needs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from errors import GridfoldError
from tuning.candidates import Candidate, as_json, from_json
from tuning.dataset import Dataset
from tuning.kept.columns import Layout, from_columns, layouts_of, to_columns
from tuning.kept.predictions import KeptPredictions
from tuning.kept.responses import PREDICT, Responses
from tuning.results.sweep_result import SweepResult

FILE = "out_of_fold.parquet"
ROW, FOLD, CANDIDATE = "row", "fold", "candidate"
_ABOUT = b"gridfold"


@dataclass(frozen=True)
class Judged:
    """A candidate that the sweep has judged on every fold.

    Attributes
    ----------
    candidate : Candidate
        With its name.
    splits : mapping of str to sequence of float
        Its score on each fold, by scorer.
    rounds : int or None
        The number of rounds that early stopping chose.
    size : float or None
        How large its model is, relative to others'.
    group : int or None
        Where its predictions are in the file; None where they were not kept.
    layouts : sequence of Layout
    """

    candidate: Candidate
    splits: Mapping[str, Sequence[float]]
    rounds: int | None = None
    size: float | None = None
    group: int | None = None
    layouts: Sequence[Layout] = ()


def write(
    file: Path, result: SweepResult, predictions: KeptPredictions, data: Dataset, targets: Sequence[str] = ()
) -> int:
    """Write what `predictions` has kept of a sweep, and return of how many candidates it was there.

    Parameters
    ----------
    file : Path
    result : SweepResult
    predictions : KeptPredictions
        Of a sweep that has ended.
    data : Dataset
        The rows of the sweep.
    targets : sequence of str
        Names of the columns to predict, where they are several.
    """
    schema = _schema(predictions, data, targets)
    floats = [field.name for field in schema if pa.types.is_floating(field.type)]
    words = [field.name for field in schema if field.name not in floats]
    groups: dict[Candidate, _Group] = {}
    with pq.ParquetWriter(
        file, schema, compression="zstd", use_dictionary=words, use_byte_stream_split=floats
    ) as writer:
        for candidate, cells in predictions.cells.items():
            answers = [each for each in map(predictions.find, cells) if each is not None]
            layouts = layouts_of(answers, data.classes, targets)
            if len(answers) < len(predictions.folds) or not _fits(layouts, schema):
                predictions.note(f"those of {candidate.name} cannot be read back")
                continue
            table = _table(candidate, answers, layouts, predictions, data, schema)
            writer.write_table(table, row_group_size=max(1, table.num_rows))
            groups[candidate] = _Group(len(groups), layouts)
        writer.add_key_value_metadata({_ABOUT: json.dumps(_about(result, predictions, groups))})
    return len(groups)


@dataclass(frozen=True)
class _Group:
    place: int
    layouts: Sequence[Layout]


def _schema(predictions: KeptPredictions, data: Dataset, targets: Sequence[str]) -> pa.Schema:
    """Return the columns that any candidate has, by the first fold of each; those of numbers as wide as the widest."""
    types: dict[str, Any] = {}
    label = pa.array(data.classes.tolist()).type if data.classes is not None else None
    for cells in predictions.cells.values():
        answer = predictions.find(cells[0])
        for layout in layouts_of([answer] if answer else [], data.classes, targets):
            of_labels = label if layout.method == PREDICT and layout.flat else None
            for name in layout.columns:
                kind = of_labels or _type(np.dtype(layout.dtype))
                types[name] = kind if types.get(name) != pa.float64() else types[name]
    ids = pa.array(_ids(data)).type
    return pa.schema([(ROW, ids), (FOLD, pa.int32()), (CANDIDATE, pa.string()), *types.items()])


def _type(dtype: np.dtype[Any]) -> pa.DataType:
    return pa.string() if dtype.kind in "US" else pa.from_numpy_dtype(dtype)


def _fits(layouts: Sequence[Layout], schema: pa.Schema) -> bool:
    """Whether the columns take all of the answers, to the last bit."""
    names = set(schema.names)
    return bool(layouts) and all(
        set(layout.columns) <= names
        and all(
            not pa.types.is_floating(kind) or np.can_cast(np.dtype(layout.dtype), kind.to_pandas_dtype())
            for kind in (schema.field(name).type for name in layout.columns)
        )
        for layout in layouts
    )


def _table(
    candidate: Candidate,
    answers: Sequence[Responses],
    layouts: Sequence[Layout],
    predictions: KeptPredictions,
    data: Dataset,
    schema: pa.Schema,
) -> pa.Table:
    """Put the folds of one candidate below each other."""
    sizes = [len(fold.test) for fold in predictions.folds]
    parts = [
        {name: column for layout in layouts for name, column in to_columns(layout, answer, data.classes).items()}
        for answer in answers
    ]
    columns: dict[str, Any] = {
        ROW: _ids(data)[np.concatenate([fold.test for fold in predictions.folds])],
        FOLD: np.repeat([fold.index for fold in predictions.folds], sizes).astype(np.int32),
        CANDIDATE: pa.array([candidate.key] * sum(sizes), pa.string()),
    } | {name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else ())}
    return pa.Table.from_arrays(
        [_array(columns.get(field.name), field.type, sum(sizes)) for field in schema], schema=schema
    )


def _array(values: Any, kind: pa.DataType, length: int) -> pa.Array:
    if values is None:
        return pa.nulls(length, kind)
    return (
        values
        if isinstance(values, pa.Array)
        else pa.array(values.tolist() if values.dtype.kind in "OUS" else values, kind)
    )


def _ids(data: Dataset) -> NDArray[Any]:
    return np.arange(data.n_rows) if data.ids is None else data.ids


def _about(result: SweepResult, predictions: KeptPredictions, groups: Mapping[Candidate, _Group]) -> dict[str, Any]:
    left_out = {*result.failed, *result.stopped}
    return {
        "winner": result.best.key,
        "all": predictions.all_of_them,
        "why_not": predictions.why_not,
        "scorers": list(result.scorers),
        "refit_scorer": result.refit_scorer,
        "candidates": [
            _judged(each, result, result.sizes[place] if result.sizes else None, groups.get(each))
            for place, each in enumerate(result.candidates)
            if each not in left_out
        ],
    }


def _judged(candidate: Candidate, result: SweepResult, size: float | None, group: _Group | None) -> dict[str, Any]:
    scores = result.fold_scores[candidate]
    return {
        "name": candidate.name,
        "params": as_json(candidate.params),
        "splits": {name: [score.scores.get(name, math.nan) for score in scores] for name in result.scorers},
        "rounds": result.rounds.get(candidate),
        "size": size,
        "group": group.place if group else None,
        "layouts": [asdict(each) for each in group.layouts] if group else [],
    }


class OutOfFold:
    """A file of predictions, opened.

    Parameters
    ----------
    file : Path

    Attributes
    ----------
    winner : Judged
        The candidate that the sweep has chosen.
    judged : sequence of Judged
        All that were judged on every fold, in the order of proposal.
    scorers : sequence of str
    refit_scorer : str
        The one that has chosen the winner.
    all_of_them : bool
        Whether the sweep was to keep the predictions of every candidate in `judged`.
    why_not : str
        Why some are missing, in a clause.
    rows : ndarray
        Keys or numbers of the rows that the folds test, fold after fold; of every candidate the same.
    folds : ndarray of int
        The fold of each of `rows`.

    Raises
    ------
    GridfoldError
        It is no such file, or damaged.
    """

    def __init__(self, file: Path) -> None:
        try:
            self._file = pq.ParquetFile(file)
            about = json.loads((self._file.metadata.metadata or {})[_ABOUT])
            self.judged = [_read(each) for each in about["candidates"]]
            self.winner = next(each for each in self.judged if each.candidate.key == about["winner"])
            self.scorers, self.refit_scorer = list(about["scorers"]), str(about["refit_scorer"])
            self.all_of_them, self.why_not = bool(about["all"]), str(about["why_not"])
            first = next((each for each in self.judged if each.group is not None), None)
            places = None if first is None else self._file.read_row_group(first.group, [ROW, FOLD])
        except (OSError, ValueError, LookupError, TypeError, StopIteration, pa.ArrowException) as error:
            raise GridfoldError(f"{file.name}: no file of out-of-fold predictions, or damaged ({error}).") from error
        empty = np.empty(0, dtype=np.int64)
        self.rows = empty if places is None else places[ROW].to_numpy(zero_copy_only=False)
        self.folds = empty if places is None else places[FOLD].to_numpy(zero_copy_only=False)

    @property
    def kept(self) -> list[Judged]:
        """Those whose predictions are there."""
        return [each for each in self.judged if each.group is not None]

    @property
    def n_folds(self) -> int:
        """Folds of the sweep."""
        return len(next(iter(self.winner.splits.values())))

    def responses(self, judged: Judged, labels: NDArray[Any] | None) -> list[Responses]:
        """Return the answers of one candidate, fold by fold; `labels` are the target's classes."""
        names = [name for layout in judged.layouts for name in layout.columns]
        table = self._file.read_row_group(judged.group, names)
        columns = {name: table[name].to_numpy(zero_copy_only=False) for name in names}
        return [
            from_columns(judged.layouts, {name: column[self.folds == fold] for name, column in columns.items()}, labels)
            for fold in range(self.n_folds)
        ]


def _read(written: Mapping[str, Any]) -> Judged:
    return Judged(
        Candidate(from_json(written["params"]), label=written["name"]),
        written["splits"],
        written["rounds"],
        written["size"],
        written["group"],
        [Layout(**each) for each in written["layouts"]],
    )
