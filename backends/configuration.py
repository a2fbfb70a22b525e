"""The JSON file of a backend: checked whole before anything starts, with a schema for editors.

MLflow reads the file and hands over a dict into which it has put keys of its own; they are taken out here, so that
every other unknown key can be an error. JSON cannot hold comments; ``$schema`` is how an editor explains the keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

from mlflow.projects import utils as mlflow_keys
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from backends.failures import BackendError
from errors import first_complaint

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""Of an environment variable."""

_FROM_MLFLOW = {value for name, value in vars(mlflow_keys).items() if name.startswith("PROJECT_")} | {
    mlflow_keys.MLFLOW_LOCAL_BACKEND_RUN_ID_CONFIG
}


class Settings(BaseModel):
    """The keys of one backend's JSON file; field descriptions are what its editor shows.

    Attributes
    ----------
    file : str
        The file's name, without ``.json``; the backend's own if empty.
    """

    file: ClassVar[str] = ""
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, use_attribute_docstrings=True)


def _are_names(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not NAME.fullmatch(name):
            raise ValueError("expected names of environment variables, without '=' and value; one of them is not")
    return names


Names = Annotated[tuple[str, ...], AfterValidator(_are_names)]
"""Names of environment variables; what is refused is not repeated, since it may be a value."""

Model = TypeVar("Model", bound=Settings)


def load(model: type[Model], given: Mapping[str, Any], backend: str) -> Model:
    """Check the backend's configuration.

    Parameters
    ----------
    model : type
        The backend's Settings.
    given : mapping
        As MLflow hands it over.
    backend : str
        Its name after ``-b``.

    Raises
    ------
    BackendError
        One line for the first key that is wrong.
    """
    keys = {key: value for key, value in given.items() if key not in _FROM_MLFLOW and key != "$schema"}
    if not keys:
        raise BackendError(f"backend '{backend}' needs a configuration: add -c backends/{model.file or backend}.json.")
    try:
        return model.model_validate(keys)
    except ValidationError as error:
        raise BackendError(f"-c of backend '{backend}': {first_complaint(error.errors(), model)}") from error


def schema(model: type[Settings], backend: str) -> str:
    """Return the JSON schema of the backend's file, as text."""
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(),
        "title": f"mlflow run -b {backend} -c ...",
    }
    described["properties"] = {"$schema": {"type": "string"}, **described["properties"]}
    described.pop("description", None)
    return json.dumps(described, indent=2) + "\n"


def write_schema(model: type[Settings], backend: str) -> None:
    """Write the schema beside the backend's JSON file."""
    Path(__file__).with_name(f"{model.file or backend}.schema.json").write_text(schema(model, backend))
