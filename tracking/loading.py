"""Models from the registry or a run, to predict for whole tables.

Not by ``mlflow.pyfunc.load_model``: that checks every nested event of every row, minutes for 100,000 devices, and uses
the code of whichever model the process has loaded first. The files are the same and so are the predictions.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from mlflow.artifacts import download_artifacts
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from errors import SourceError, TrackingError
from tracking import gridfold_model, preparation, store
from tracking.gridfold_model import CARD, LEARNED, MODULE, PREPARATION, imported_from

_RUN_ALONE = re.compile(r"runs:/[^/]+/?")
_NAMED = re.compile(r"models:/(?P<name>[^/@]+)(@(?P<alias>.+)|/.+)")


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory.

    Attributes
    ----------
    uri : str
    model : LabelledModel
        By the code that travelled with it.
    size_bytes : int
        Of its files.
    run_id : str
        Of the sweep that made it; empty where that is not known.
    learned : mapping or None
        The distribution of the training rows; None of a model that has not kept it.
    """

    uri: str
    model: Any
    size_bytes: int
    run_id: str
    learned: Mapping[str, Any] | None = None

    @property
    def classes(self) -> list[str]:
        """Names of the columns of probabilities; none where it predicts no classes."""
        return [str(label) for label in self.model.classes or ()]


@dataclass(frozen=True)
class DeviceModel(LoadedModel):
    """A model that predicts for devices."""

    @property
    def example(self) -> pd.DataFrame:
        """Rows as a caller sends them."""
        return preparation.example_of(self.model.preparation)

    @property
    def rows(self) -> pl.DataFrame:
        """The devices of its sweep: ``device_id``, and ``split``, which is train or holdout."""
        rows: pl.DataFrame = self.model.preparation.rows
        return rows


@dataclass(frozen=True)
class TableModel(LoadedModel):
    """A model that predicts for rows of a table."""

    @property
    def columns(self) -> Sequence[str]:
        """Names of the columns that it takes; none for a matrix."""
        names: list[str] = self.model.columns
        return names

    @property
    def takes_matrix(self) -> bool:
        """Whether it takes a matrix, whose columns have no names."""
        return self.model.layout not in (gridfold_model.FRAME, gridfold_model.ONE_HOT)

    @cached_property
    def texts(self) -> frozenset[str]:
        """Those of its columns that hold text."""
        known = self.model.categories
        return frozenset(name for name, values in known.items() if any(isinstance(value, str) for value in values))

    def predict(self, rows: Any, shown_as: str) -> pd.DataFrame:
        """Predict for some rows of what the person calls `shown_as`.

        Returns
        -------
        DataFrame of shape (n_rows, n_outputs)
            A probability for each class, in columns named by class; else a column ``prediction``, or one for each
            target.

        Raises
        ------
        SourceError
            The rows are not what the model takes.
        """
        try:
            predicted = self.model.predict(rows)
        except (MlflowException, ValueError, TypeError) as error:
            said = error.message if isinstance(error, MlflowException) else str(error)
            line = next(iter(said.strip().splitlines()), type(error).__name__).removesuffix(".")
            raise SourceError(f"{shown_as}: {self.uri} does not take these rows: {line}.") from error
        if isinstance(predicted, pd.DataFrame):
            return predicted.reset_index(drop=True)
        return pd.DataFrame({"prediction": np.asarray(predicted)})


def _how_to_have_one(uri: str, refusal: TrackingError) -> str:
    """Say what makes a model that is not there: a newcomer's first command may well be one that takes a champion."""
    named = _NAMED.fullmatch(uri)
    if not named or " not found" not in str(refusal):
        return ""
    if named["alias"] == "champion" and " alias " in str(refusal):
        return f" `mlflow run . -e promote --env-manager local -P model={named['name']}` makes one of the challenger."
    return " `mlflow run . -e sweep --env-manager local` registers one."


def load(uri: str) -> DeviceModel | TableModel:
    """Load the model at `uri`: ``models:/NAME@ALIAS``, ``models:/NAME/VERSION``, ``runs:/ID`` or ``runs:/ID/model``.

    Raises
    ------
    TrackingError
        It is not there, or no sweep has made it.
    """
    store.connect()
    place = f"{uri.rstrip('/')}/model" if _RUN_ALONE.fullmatch(uri) else uri
    with tempfile.TemporaryDirectory() as scratch:
        try:
            with store.refusals(f"give the model {uri}"):
                folder = Path(download_artifacts(artifact_uri=place, dst_path=scratch))
        except TrackingError as error:
            raise TrackingError(f"{error}{_how_to_have_one(uri, error)}") from error
        if not (folder / CARD).is_file():
            raise TrackingError(
                f"{uri}: no sweep has made this model. Name one that `mlflow run . -e sweep` registered."
            )
        code = imported_from(folder / "code", MODULE)
        model = code.LabelledModel.load(folder)
        model.use_threads(0)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        kind = DeviceModel if (folder / PREPARATION).is_dir() else TableModel
        file = folder / LEARNED
        learned = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None
        return kind(uri, model, size, Model.load(str(folder)).run_id or "", learned)
