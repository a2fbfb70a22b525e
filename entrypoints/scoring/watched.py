"""What scoring sees beside predictions: how far rows stand from the training rows, and how good the model turned out.

Both are counted as the batches pass. Where what became true is known (``-P labels``), the model is judged by the scorer
that has chosen it, so that the figure stands beside the one of its hold-out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from entrypoints.judging.judge import Answers, Judge, Truth, judge_of_sweep
from entrypoints.terminal.results import show_row
from errors import GridfoldError, SourceError, SpecError, TrackingError
from release.drift import Distribution, Tally, line
from release.gates import LOG_LOSS
from release.judging import bootstrap_mean
from sources.own_columns import as_numbers
from sources.row_marks import label_text
from tracking import EntryRun
from tracking.loading import LoadedModel

DRIFT = "drift.csv"


@dataclass(eq=False)
class Drift:
    """Counts rows, and says how far they stand from those that the model has learned from."""

    model: LoadedModel

    def __post_init__(self) -> None:
        learned = self.model.learned
        self._tally = Tally(Distribution.from_json(learned)) if learned else None

    def add(self, rows: Any) -> None:
        """Count `rows`, in the columns of the table or as the model's matrix."""
        if self._tally is not None:
            self._tally.add(rows)

    def conclude(self, output: Path, run: EntryRun) -> None:
        """Write the table beside `output` and to the run, and say it in a line."""
        if self._tally is None:
            return
        beside = output.with_name(f"{output.stem}.{DRIFT}")
        text = self._tally.table().to_csv(index=False, float_format="%.6g")
        beside.write_text(text, encoding="utf-8")
        run.log_text(text, DRIFT)
        found = self._tally.stability()
        run.log_metrics({f"psi_{_metric(name)}": value for name, value in list(found.items())[:100]})
        show_row("drift", f"{line(self._tally)}: {beside}")


@dataclass(eq=False)
class Outcomes:
    """Gathers what the model says of rows of which the truth is known, and judges it."""

    model: LoadedModel
    names: Sequence[str]
    shown_as: str
    _truths: list[NDArray[Any]] = field(default_factory=list)
    n_rows: int = 0

    def __post_init__(self) -> None:
        self._answers = Answers(self.model.model)

    def add(self, X: Any, labels: pd.DataFrame) -> None:
        """Let the model answer for the rows of `X`, in its own layout, that have labels.

        Raises
        ------
        SourceError
            A label does not fit the model.
        """
        self.n_rows += len(labels)
        known = labels.notna().all(axis=1).to_numpy()
        if known.any():
            self._truths.append(truth_of(labels[known], self.model, self.shown_as))
            self._answers.add(X[known])

    def conclude(self, run: EntryRun) -> None:
        """Judge, and say it in a line.

        Raises
        ------
        SourceError
            No row has a label.
        """
        if not self._truths:
            raise SourceError(f"{self.shown_as}: no row has a label in '{', '.join(self.names)}'. Leave -P labels out.")
        truth = Truth(np.concatenate(self._truths), self.model.model.classes)
        judge = self._judge(run)
        judged = judge.by_answers(self._answers, truth)
        name = f"neg_{LOG_LOSS}" if judge.name == LOG_LOSS else judge.name
        score = judged.score
        if not np.isfinite(score):
            raise SourceError(f"{self.shown_as}: {name} cannot be told of these labels; one class alone has none.")
        spread = bootstrap_mean(judged.of_rows) if judged.of_rows is not None else None
        interval = f" [{spread.low:.5f}, {spread.high:.5f}]" if spread else ""
        held = self._on_holdout(run, name)
        beside = f"; on the hold-out of its sweep {held:.5f}" if held is not None else ""
        run.log_metrics({"labelled_rows": judged.n_rows, f"labelled_{name}": score})
        said = f"{name} {score:.5f}{interval} on {judged.n_rows:,} labelled rows of {self.n_rows:,}{beside}"
        show_row("score", said)

    def _judge(self, run: EntryRun) -> Judge:
        """Return the sweep's own scorer; log-loss where that is not known, or looks at the rows themselves."""
        model = self.model.model
        try:
            judge = judge_of_sweep(run, self.model.run_id)
            if judge.scorers is None or judge.scorers.only_responses:
                return judge
        except (TrackingError, SpecError):
            pass
        if model.classes is not None and hasattr(model.estimator, "predict_proba"):
            return Judge()
        raise GridfoldError(
            f"-P labels: the scorer of {self.model.uri}'s sweep is not known here, and there is no log-loss of what it "
            "predicts. Leave the labels out."
        )

    def _on_holdout(self, run: EntryRun, name: str) -> float | None:
        try:
            return run.metrics_of(self.model.run_id).get(f"holdout_{name}")
        except TrackingError:
            return None


def truth_of(labels: pd.DataFrame, model: LoadedModel, shown_as: str) -> NDArray[Any]:
    """Return labels as the model knows them.

    Parameters
    ----------
    labels : DataFrame of shape (n_rows, n_targets)
        Without gaps; the index tells rows in messages.
    model : LoadedModel
    shown_as : str
        What the person calls the table.

    Raises
    ------
    SourceError
        The model knows no such class, or the column holds no numbers.
    """
    classes = model.model.classes
    columns = [labels[name] for name in labels.columns]
    if classes is None:
        numbers = [_plain(column, shown_as, model) for column in columns]
        return numbers[0] if len(numbers) == 1 else np.column_stack(numbers)
    place = {label_text(label): label for label in classes}
    said = columns[0].map(label_text)
    strange = ~said.isin(list(place)).to_numpy()
    if strange.any():
        row = labels.index[int(strange.argmax())]
        known = ", ".join(list(place)[:5]) + (" ..." if len(place) > 5 else "")
        raise SourceError(
            f"{shown_as}: column '{labels.columns[0]}' holds '{said.loc[row]}' in row {row}, and {model.uri} knows no "
            f"such class. It knows {known}."
        )
    return np.array([place[text] for text in said], dtype=np.asarray(classes).dtype)


def _plain(column: pd.Series, shown_as: str, model: LoadedModel) -> NDArray[Any]:
    if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
        return as_numbers(column, f"{shown_as}: column '{column.name}'")
    if model.model.targets:  # labels of several columns, which the model has learned as they are
        return np.asarray(column.to_numpy())
    raise SourceError(
        f"{shown_as}: column '{column.name}' holds '{column.iloc[0]}' in row {column.index[0]}, and {model.uri} "
        "predicts numbers."
    )


def _metric(name: str) -> str:
    """Return a name that MLflow takes for a metric."""
    return "".join(sign if sign.isalnum() or sign in "_-. /" else "_" for sign in name)[:200]
