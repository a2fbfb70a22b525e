"""Models from the registry or a run, to predict for whole tables.

Not by ``mlflow.pyfunc.load_model``: that checks every nested event of every row, minutes for 100,000 devices, and uses
the code of whichever model the process has loaded first. The files are the same and so are the predictions.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
from mlflow.artifacts import download_artifacts

from errors import TrackingError
from tracking import gridfold_model, preparation, store
from tracking.gridfold_model import CARD, PREPARATION, imported_from

_RUN_ALONE = re.compile(r"runs:/[^/]+/?")


@dataclass(frozen=True)
class DeviceModel:
    """A model that predicts for devices, in memory.

    Attributes
    ----------
    uri : str
    model : LabelledModel
        By the code that travelled with it.
    example : DataFrame
        Rows as a caller sends them.
    size_bytes : int
        Of its files.
    """

    uri: str
    model: Any
    example: pd.DataFrame
    size_bytes: int

    @property
    def classes(self) -> list[str]:
        """Names of the columns of probabilities."""
        return [str(label) for label in self.model.classes]

    @property
    def rows(self) -> pl.DataFrame:
        """The devices of its sweep: ``device_id``, and ``split``, which is train or holdout."""
        rows: pl.DataFrame = self.model.preparation.rows
        return rows


def load(uri: str) -> DeviceModel:
    """Load the model at `uri`: ``models:/NAME@ALIAS``, ``models:/NAME/VERSION``, ``runs:/ID`` or ``runs:/ID/model``.

    Raises
    ------
    TrackingError
        It is not there, or it is not one that takes devices.
    """
    store.connect()
    place = f"{uri.rstrip('/')}/model" if _RUN_ALONE.fullmatch(uri) else uri
    with tempfile.TemporaryDirectory() as scratch:
        with store.refusals(f"give the model {uri}"):
            folder = Path(download_artifacts(artifact_uri=place, dst_path=scratch))
        if not (folder / CARD).is_file() or not (folder / PREPARATION).is_dir():
            raise TrackingError(
                f"{uri}: this model takes the columns of a table, not devices with brand, model and events."
                " Name one that `mlflow run . -e sweep` has registered from the seven tables."
            )
        code = imported_from(folder / "code", Path(gridfold_model.__file__).stem)
        model = code.LabelledModel.load(folder)
        model.use_threads(0)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        return DeviceModel(uri, model, preparation.example_of(model.preparation), size)
