"""Whether a job somewhere else can log to the user's tracking store.

A path, a sqlite file, or a server or database on this machine's loopback means nothing over there. Better said before a
VM has worked for an hour. Whether a server's own name can be reached from there is for the place itself to find out.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from backends.failures import BackendError
from cache.local import is_a_file, is_drive
from masking import shown

DATABRICKS = ("databricks", "databricks-uc")
"""What MLflow calls the workspace that it is signed in to; a profile may follow, ``databricks://PROFILE``."""

_DATABASES = ("postgresql", "mysql", "mssql")
"""That MLflow opens itself; without a host their address means a socket of this machine."""


def is_local(uri: str) -> bool:
    """Whether only this machine can open the tracking or artifact store `uri`."""
    if uri in DATABRICKS:
        return False
    parts = urlsplit(uri)
    if is_a_file(uri):
        return True
    host = parts.hostname or ""
    if parts.scheme.partition("+")[0] in _DATABASES:
        return not host or _is_loopback(host)
    return parts.scheme in ("http", "https") and _is_loopback(host)


def require(tracking_uri: str, artifact_location: str, backend: str, place: str, advice: str = "") -> None:
    """Refuse a store that a job at `place` cannot reach.

    Parameters
    ----------
    tracking_uri : str
        The store as this process uses it.
    artifact_location : str
        Where the run's experiment keeps its artifacts.
    backend, place : str
        The backend's name, and the machine it runs on, as a person calls it.
    advice : str
        What may help beside a server.

    Raises
    ------
    BackendError
        It is local to this machine.
    """
    other = f", or {advice}" if advice else ""
    if is_local(tracking_uri):
        raise BackendError(
            f"backend '{backend}': the tracking store {shown(tracking_uri)} cannot be reached from "
            f"{place}. Set MLFLOW_TRACKING_URI to a server{other}."
        )
    if local_path(artifact_location) is not None:
        raise BackendError(
            f"backend '{backend}': the experiment keeps its artifacts in {shown(artifact_location)}, a folder that "
            f"{place} does not have. Use an experiment whose artifacts the server hands on "
            f"(mlflow server --serve-artifacts){other}."
        )


def local_path(uri: str) -> Path | None:
    """Return the absolute folder that an artifact `uri` means on this machine, or None for one that is elsewhere."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path)).absolute()
    return Path(uri).absolute() if not parts.scheme or is_drive(parts.scheme) else None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
