"""What makes an estimator's rows of what a caller has, as a part of a logged model.

The estimator of a sweep over features takes a matrix of thousands of columns, which nobody who calls a model has. Its
preparation travels with it, code included; how that code is loaded is in ``tracking.gridfold_model``. We do not use
MLflow's ``python_model``, which is a pickle or a script that runs on loading: with a loader module the model stays a
plain XGBoost or scikit-learn model too, for those who have the matrix.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from errors import TrackingError
from tracking.gridfold_model import CODE, LOADER, PREPARATION


class Preparation(Protocol):
    """Code and vocabularies that turn a caller's rows into an estimator's.

    Loading
        ``loader`` is ``module:Class``; ``Class.load(folder)`` gives back what ``save(folder)`` wrote. `code` names the
        top-level modules and packages that this takes, `requires` the distributions, beside what every model needs.
    Rows
        `schema` describes a caller's rows in the words of MLflow's JSON schema, `example` is a few of them. The loaded
        object's ``transform_raw(frame)`` makes the matrix of them, and raises ValueError, with a message for the
        caller, where a row is malformed. ``transform(keys, tables)`` makes it of whole tables.
    """

    @property
    def loader(self) -> str:
        """Where to find the class."""

    @property
    def code(self) -> Sequence[str]:
        """What must travel."""

    @property
    def requires(self) -> Sequence[str]:
        """What must be installed."""

    @property
    def schema(self) -> Sequence[Mapping[str, Any]]:
        """Columns of a caller's rows."""

    @property
    def example(self) -> Sequence[Mapping[str, Any]]:
        """A few rows."""

    def save(self, folder: Path) -> None:
        """Write the vocabularies into `folder`, which exists."""


def save(preparation: Preparation, model: Path) -> None:
    """Write `preparation` and its code into the folder of a model."""
    folder = model / PREPARATION
    folder.mkdir()
    preparation.save(folder)
    (folder / LOADER).write_text(json.dumps(preparation.loader), encoding="utf-8")
    for name in preparation.code:
        _copy_module(name, folder / CODE)


def example_of(preparation: Preparation) -> pd.DataFrame:
    """Return the rows to show, every column of them."""
    return pd.DataFrame(list(preparation.example), columns=[column["name"] for column in preparation.schema])


def signature_of(preparation: Preparation, classes: Sequence[Any]) -> ModelSignature:
    """Return what comes out: a probability for each of `classes`, or a label where there are none.

    Not what goes in: MLflow would drop the fields that it does not know, and a row of which it knows none. `described`
    says it in the model's metadata.
    """
    outputs = Schema([ColSpec(DataType.double, str(label)) for label in classes] or [ColSpec(DataType.string)])
    return ModelSignature(outputs=outputs)


def described(preparation: Preparation) -> dict[str, str]:
    """Return the fields of a caller's rows, by name, and what they hold."""
    return {str(column["name"]): str(column["type"]) for column in preparation.schema}


def _copy_module(name: str, folder: Path) -> None:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise TrackingError(f"the code of {name} cannot be found, so the model would not load elsewhere. Reinstall it.")
    folder.mkdir(exist_ok=True)
    source = Path(found.origin)
    if found.submodule_search_locations:
        shutil.copytree(source.parent, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, folder / source.name)
