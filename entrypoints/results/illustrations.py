"""The pictures and the page of a sweep on its run: those of the result before the refit, those of the winner after it.

The refit may fail, and take hours: what needs no winner is there by then, and the page is written anew with the rest.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from entrypoints.data.rows import Rows
from entrypoints.parameters import SweepParams
from entrypoints.results.missing import Missing
from entrypoints.results.model_card import command
from masking import shown
from release.judging import calibration
from report.page import FILE, page
from report.pictures import Album
from report.story import Story
from report.timeline import Span
from report.winner import Predicted
from tracking import EntryRun
from tracking.report import PLOTS_FOLDER
from tuning import SweepResult, SweepSpec
from tuning.dataset import Dataset
from tuning.learners import learner_for
from tuning.learners.views import in_labels
from tuning.naming import estimator_name
from tuning.results.significance import verdict

_BEFORE = "Written before the winner was refitted: the hold-out's scores and the pictures of the model are not here."


class Illustrations:
    """What is drawn of one sweep.

    Attributes
    ----------
    album : Album
    page : str
        The name of the page that the run has; empty as long as there is none.
    """

    def __init__(
        self, params: SweepParams, run: EntryRun, spec: SweepSpec, rows: Rows, missing: Missing, spans: Sequence[Span]
    ) -> None:
        self._params, self._run, self._spec, self._rows, self._missing = params, run, spec, rows, missing
        self._spans = spans
        self.album = Album()
        self.page = ""

    def of_result(self, result: SweepResult) -> None:
        """Draw what the result shows by itself, and keep it in the run."""
        with tempfile.TemporaryDirectory() as folder, self._missing.unless("there are no plots"):
            self.album.add_result(result, self._spec, Path(folder))
            self._keep(Path(folder))
        self._write(result, {}, {}, [_BEFORE])

    def of_winner(
        self, winner: Any, result: SweepResult, scores: Mapping[str, float], trained: Mapping[str, float]
    ) -> None:
        """Draw what the refitted winner shows, and keep it beside the rest.

        Parameters
        ----------
        winner : object
        result : SweepResult
        scores, trained : mapping of str to float
            Its score by scorer on the hold-out, and on rows that it has learned from.
        """
        with tempfile.TemporaryDirectory() as folder, self._missing.unless("there are no plots of the winner"):
            try:
                found = predicted(winner, self._rows.holdout)
            except Exception:  # the hold-out's scores are missing for the same reason, which has been said
                found = None
            self.album.add_winner(found, weights(winner, self._rows), Path(folder))
            self._keep(Path(folder))
        self._write(result, scores, trained, [])

    def _write(
        self, result: SweepResult, scores: Mapping[str, float], trained: Mapping[str, float], notes: list[str]
    ) -> None:
        with self._missing.unless(f"there is no {FILE}"):
            story = Story(
                title=self._run.title or self._run.name,
                estimator=estimator_name(self._spec),
                spec=self._spec,
                result=result,
                verdict=verdict(result),
                data=facts(self._rows),
                command=shown(command(self._params, self._run)),
                drawn=self.album.drawn,
                spans=self._spans,
                holdout=scores,
                trained=trained,
                audited=self._rows.found,
                notes=[*notes, *filter(None, [result.verification.disagreement])],
            )
            self._run.log_text(page(story), FILE)
            self.page = FILE

    def _keep(self, folder: Path) -> None:
        for name, error in self.album.failed.items():
            self._missing.add(f"there is no {PLOTS_FOLDER}/{name}.png", error)
        self.album.failed.clear()
        if any(folder.iterdir()):
            self._run.log_folder(folder, PLOTS_FOLDER)


def facts(rows: Rows) -> dict[str, str]:
    """Return what a reader asks about the rows first."""
    return {
        "source": shown(rows.source),
        "what": rows.about or rows.name,
        "rows to learn from": f"{rows.train.n_rows:,}",
        "held out": f"{rows.holdout.n_rows:,}" if rows.holdout else "none",
        "columns": f"{rows.train.X.shape[1]:,}",
        "labels": f"{len(rows.train.classes):,}" if rows.train.classes is not None else "",
        "fingerprint": rows.fingerprint,
    }


def predicted(winner: Any, held: Dataset | None) -> Predicted | None:
    """Return what the winner says of the hold-out; None where there is none, or nothing to be right or wrong about."""
    if held is None or held.classes is None:
        return None
    names, n_labels = [str(label) for label in held.classes], len(held.classes)
    if hasattr(winner, "predict_proba"):
        probabilities = np.asarray(winner.predict_proba(held.X), dtype=np.float64)
        if probabilities.shape[1:] != (n_labels,):
            return None
        found = calibration(probabilities, held.y)
        return Predicted(
            names, _counts(held.y, probabilities.argmax(axis=1), n_labels), found.predicted, found.observed
        )
    model, rows = in_labels(winner, learner_for(winner).takes_codes(winner), held)
    place = {label: code for code, label in enumerate(held.classes.tolist())}
    guessed = np.asarray(model.predict(rows.X)).tolist()
    codes = guessed if rows is held else [place[label] for label in guessed]
    return Predicted(names, _counts(held.y, np.asarray(codes, dtype=np.intp), n_labels))


def weights(winner: Any, rows: Rows) -> pd.DataFrame | None:
    """Return the share of importance of each column, by the estimator's own measure; None where it has none.

    The last step of a pipeline weighs what the steps before it make: those columns are named if the steps name them.
    """
    last = winner.steps[-1][1] if hasattr(winner, "steps") else winner
    found = getattr(last, "feature_importances_", None)
    if found is None and hasattr(last, "coef_"):
        coefficients = last.coef_.toarray() if hasattr(last.coef_, "toarray") else last.coef_
        found = np.abs(np.atleast_2d(coefficients)).mean(axis=0)
    if found is None or not np.sum(found) > 0:
        return None
    names = _names(winner, rows, len(found))
    if names is None:
        return None
    sets = _sets(names, rows)
    return pd.DataFrame({"column": names, "set": sets, "share": np.asarray(found, dtype=np.float64) / np.sum(found)})


def _names(winner: Any, rows: Rows, n_columns: int) -> list[str] | None:
    names = list(rows.train.columns)
    if hasattr(winner, "steps") and len(winner.steps) > 1:
        try:
            names = [str(name) for name in winner[:-1].get_feature_names_out(np.asarray(names, dtype=object))]
        except Exception:  # a step of anyone's, which need not name its columns
            names = list(rows.train.columns) if len(rows.train.columns) == n_columns else []
    return names if len(names) == n_columns else None


def _sets(names: list[str], rows: Rows) -> list[str]:
    """Return the feature set of each column; of a table's one-hot columns the column that they were made of."""
    if rows.featurizer is not None:
        of_column = dict(zip(rows.featurizer.columns["name"], rows.featurizer.columns["set"], strict=True))
        return [of_column.get(name, "other") for name in names]
    return [name.partition("=")[0] if rows.one_hot else "" for name in names]


def _counts(codes: Any, guessed: Any, n_labels: int) -> Any:
    return np.bincount(codes * n_labels + guessed, minlength=n_labels**2).reshape(n_labels, n_labels)
