"""Secrets are named in the configuration and never written there: their values are this process's environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from backends.failures import BackendError

# How MLflow's own client signs in to a tracking server; whoever logs to that server needs them.
_TRACKING = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")


def values(names: Iterable[str], backend: str, here: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the values of the named environment variables.

    Raises
    ------
    BackendError
        One of them is not set here.
    """
    missing = [name for name in names if name not in here]
    if missing:
        raise BackendError(
            f"-c of backend '{backend}': environment names {missing[0]}, which is not set here. "
            f"Set it (export {missing[0]}=...), or take the name out."
        )
    return {name: here[name] for name in names}


def tracking_credentials(here: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what this process would sign in to its tracking server with."""
    return {name: here[name] for name in _TRACKING if here.get(name)}
