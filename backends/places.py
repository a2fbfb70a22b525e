"""From a backend's configuration file to the capacity that it asks for, whichever backend it is of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backends import configuration
from backends.capacity import Capacity
from backends.databricks_jobs.settings import DatabricksSettings
from backends.dsvm.settings import DsvmSettings
from backends.failures import BackendError
from backends.hdinsight.settings import HdinsightSettings

_Sized = DatabricksSettings | HdinsightSettings | DsvmSettings

_TOLD_BY: tuple[tuple[set[str], type[_Sized], str], ...] = (
    ({"files", "new_cluster", "existing_cluster_id", "serverless"}, DatabricksSettings, "databricks-jobs"),
    ({"url", "storage"}, HdinsightSettings, "hdinsight"),
    ({"host"}, DsvmSettings, "dsvm"),
)


def capacity_of(file: str) -> Capacity:
    """Read the size and the price of the place that a backend's `file` describes.

    Raises
    ------
    BackendError
        There is no such file, or it is no backend's, or a key is wrong.
    """
    given = _read(file)
    for keys, model, backend in _TOLD_BY:
        if keys & given.keys():
            return configuration.load(model, given, backend).capacity(Path(file).stem)
    raise BackendError(f"-P backends: {file} has no key of a backend's configuration. backends/ has one of each kind.")


def _read(file: str) -> Mapping[str, Any]:
    try:
        given = json.loads(Path(file).expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        why = f"{file} cannot be read ({error.strerror})"
        raise BackendError(f"-P backends: {why}. Name 'here', or backends' files, with commas between them.") from error
    except ValueError as error:
        raise BackendError(f"-P backends: {file} is not JSON ({error}). Mend it, or name another file.") from error
    if not isinstance(given, dict):
        raise BackendError(f"-P backends: {file} is no backend's configuration, which is a JSON object.")
    return given
