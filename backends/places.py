"""From a backend's configuration file to the capacity that it asks for, whichever backend it is of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backends import configuration
from backends.abilities import declared
from backends.capacity import Capacity
from backends.failures import BackendError


def capacity_of(file: str) -> Capacity:
    """Read the size and the price of the place that a backend's `file` describes.

    Raises
    ------
    BackendError
        There is no such file, or it is no backend's, or a key is wrong.
    """
    given = _read(file)
    models = {backend: able.model for backend, able in declared().items() if given.keys() & able.model.model_fields}
    if not models:
        raise BackendError(
            f"-P backends: {file} has no key of a backend's configuration. backends/ has one of each kind."
        )
    backend = min(models, key=lambda name: _unlike(given, models[name]))
    found: Capacity = configuration.load(models[backend], given, backend).capacity(Path(file).stem)
    return found


def _unlike(given: Mapping[str, Any], model: type[configuration.Settings]) -> int:
    """Count the keys that a file of this backend must have and `given` lacks, and those of `given` that none has."""
    required = {name for name, field in model.model_fields.items() if field.is_required()}
    return len(required - given.keys()) + len(given.keys() - model.model_fields.keys())


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
