"""The rows of a table on which two models can be compared fairly, and what each says of them.

They are those that the challenger's sweep held out and kept, or those of a file that a person names; less those that a
model has learned from. Where both sweeps read one file, rows are told by their numbers in it, else by their marks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from entrypoints.data.kept_rows import FOLDER, KeptRows
from entrypoints.judging.judge import Truth, judge_for
from errors import GridfoldError, SourceError, SpecError
from release.gates import Figures, Rules
from release.judging import calibration
from sources.frame_file import read_frame
from sources.own_columns import as_features, as_numbers
from sources.own_file import digest_of, existing
from sources.row_marks import label_text, row_marks
from tracking import EntryRun
from tracking.aliases import Version
from tracking.loading import TableModel
from tracking.measured import median_ms

_MOST_SLICES = 10
_QUARTERS = 4


@dataclass(frozen=True, eq=False)
class Contestant:
    """A version with what its run has kept."""

    version: Version
    model: TableModel
    kept: KeptRows

    @classmethod
    def of(cls, version: Version, model: TableModel, run: EntryRun) -> Contestant:
        """Fetch what the sweep of `version` has kept.

        Raises
        ------
        GridfoldError
            It has kept nothing.
        """
        kept = KeptRows.fetch(run, version.run_id)
        if kept is None:
            raise GridfoldError(
                f"{version}: its run keeps no held-out rows ({FOLDER}/), so it cannot be compared fairly: it is a "
                "model of a matrix, or older than such rows. Run its sweep again on the table."
            )
        return cls(version, model, kept)

    def has_learned(self, rows: pd.DataFrame, digest: str) -> NDArray[np.bool_]:
        """Return which of `rows`, of a file with `digest`, the model has learned from."""
        if digest == self.kept.digest:
            learned: NDArray[np.bool_] = np.isin(rows.index, self.kept.learned["row"])
            return learned
        features = as_features(rows[list(self.model.columns)], "held-out rows")
        target = rows[list(self.kept.targets)].reset_index(drop=True)
        return np.isin(row_marks(features, target), self.kept.learned["mark"])

    def check_columns(self, rows: pd.DataFrame) -> None:
        """Refuse rows that lack a column that the model takes or predicts."""
        missing = [name for name in (*self.model.columns, *self.kept.targets) if name not in rows.columns]
        if missing:
            raise GridfoldError(
                f"{self.version}: the held-out rows have no column '{missing[0]}', which it takes. Compare models of "
                "tables with the same columns, or name rows that have all of them: -P data=FILE."
            )


def figures_of_tables(
    file: str, gates: str, rules: Rules, run: EntryRun, challenger: Contestant, champion: Contestant | None
) -> tuple[Figures, int]:
    """Let each model predict as it was registered, and measure it.

    Parameters
    ----------
    file : str
        A table to judge on; empty for the rows that the challenger's sweep has kept.
    gates : str
        The file of `rules`.
    rules : Rules
    run : EntryRun
    challenger, champion : Contestant

    Returns
    -------
    figures : Figures
    n_left_out : int
        Rows that the champion has learned from.
    """
    if champion and list(champion.kept.targets) != list(challenger.kept.targets):
        ours, theirs = (", ".join(each.kept.targets) for each in (challenger, champion))
        raise GridfoldError(
            f"{challenger.version} predicts {ours}, and {champion.version} predicts {theirs}: they cannot be compared."
        )
    rows, digest = _rows(file, challenger)
    for each in filter(None, (challenger, champion)):
        each.check_columns(rows)
    if file:
        rows = rows[~challenger.has_learned(rows, digest)]
    fair = rows if champion is None else rows[~champion.has_learned(rows, digest)]
    n_left_out = len(rows) - len(fair)
    weights = _weights(fair, challenger.kept)
    judge = judge_for(rules.scorer, gates, _is_probable(challenger), run, challenger.version.run_id)
    judged = [
        judge.of(each.model.model, each.model.model.as_trained(fair), _truth(fair, each, weights))
        for each in (challenger, champion)
        if each is not None
    ]
    found = Figures(
        judged[0],
        judged[1] if champion else None,
        slices(fair, rules.slices.by or (), gates),
        _limits(challenger, fair if len(fair) else rows, fair),
        judge.name,
        "row",
    )
    return found, n_left_out


def slices(rows: pd.DataFrame, by: Sequence[str], gates: str) -> Mapping[str, Mapping[str, NDArray[np.bool_]]]:
    """Return which rows belong where: by each of the columns `by`, its commonest values, or quarters of its numbers.

    Raises
    ------
    SpecError
        There is no such column.
    """
    for name in by:
        if name not in rows.columns:
            known = ", ".join(map(str, rows.columns[:12]))
            raise SpecError(f"{gates}: slices.by: the held-out rows have no column '{name}'. They have {known}.")
    return {name: dict(_slices(rows[name])) for name in by}


def _slices(column: pd.Series) -> list[tuple[str, NDArray[np.bool_]]]:
    is_quantity = types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype)
    if is_quantity and column.nunique() > _MOST_SLICES:
        parts = pd.qcut(column.astype(float), _QUARTERS, duplicates="drop")
        found = [(f"{part.left:g} to {part.right:g}", (parts == part).to_numpy()) for part in parts.cat.categories]
    else:
        texts = column.dropna().map(label_text)
        same = texts.reindex(column.index)
        found = [(str(value), (same == value).to_numpy()) for value in texts.value_counts().index[:_MOST_SLICES]]
    gaps = column.isna().to_numpy()
    return [*found, ("empty", gaps)] if gaps.any() else found


def _rows(file: str, challenger: Contestant) -> tuple[pd.DataFrame, str]:
    """Return the rows to judge on, numbered as in their file, and the file's digest."""
    if not file:
        return challenger.kept.rows, challenger.kept.digest
    path, _ = existing(file, "data", sparse=False)
    frame = read_frame(path, file, ",".join(challenger.kept.targets)).reset_index(drop=True)
    challenger.check_columns(frame)
    gaps = frame[list(challenger.kept.targets)].isna().any(axis=1)
    if gaps.any():
        raise SourceError(f"{file}: row {int(gaps.argmax()) + 1:,} has no label. Fill it, or leave the row out.")
    return frame, digest_of(path, file)


def _is_probable(one: Contestant) -> bool:
    return one.model.model.classes is not None and hasattr(one.model.model.estimator, "predict_proba")


def _truth(rows: pd.DataFrame, one: Contestant, weights: NDArray[np.float64] | None) -> Truth:
    """Return the labels of `rows` as the model knows them.

    Raises
    ------
    GridfoldError
        It does not know one of them.
    """
    classes = one.model.model.classes
    columns = [rows[name] for name in one.kept.targets]
    if classes is None:
        numbers = [_plain(column) for column in columns]
        return Truth(numbers[0] if len(numbers) == 1 else np.column_stack(numbers), None, weights)
    place = {label_text(label): label for label in classes}
    said = [label_text(value) for value in columns[0]]
    if unknown := sorted(set(said) - place.keys()):
        raise GridfoldError(
            f"{one.version} knows no class '{unknown[0]}', which column '{one.kept.targets[0]}' of the rows to judge "
            "on has. Judge on rows of its classes (-P data=FILE), or sweep again on a table that has it."
        )
    return Truth(np.array([place[text] for text in said], dtype=np.asarray(classes).dtype), classes, weights)


def _plain(column: pd.Series) -> NDArray[Any]:
    is_number = types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype)
    return as_numbers(column, f"column '{column.name}'") if is_number else np.asarray(column.to_numpy())


def _weights(rows: pd.DataFrame, kept: KeptRows) -> NDArray[np.float64] | None:
    if not kept.weights or kept.weights not in rows.columns:
        return None
    return as_numbers(rows[kept.weights], f"column '{kept.weights}'")


def _limits(one: Contestant, some: pd.DataFrame, fair: pd.DataFrame) -> dict[str, float]:
    limits = {"size_mb": one.model.size_bytes / 1e6}
    if len(some):
        first = some.iloc[:1]
        one.model.model.use_threads(1)  # as it is served
        limits = {"latency_ms": median_ms(lambda: one.model.predict(first, "the first row")), **limits}
    if _is_probable(one) and len(fair):
        probabilities = one.model.predict(fair, "held-out rows")[one.model.classes].to_numpy()
        limits = {"calibration_error": calibration(probabilities, _truth(fair, one, None).codes()).error, **limits}
    return limits


def contestants(
    run: EntryRun, challenger: Version, ours: TableModel, champion: Version | None, theirs: Any
) -> tuple[Contestant, Contestant | None]:
    """Return both, each with what its run has kept."""
    first = Contestant.of(challenger, ours, run)
    return first, Contestant.of(champion, theirs, run) if champion else None
