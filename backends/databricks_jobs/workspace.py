"""The connection to a workspace: signing in as Databricks' own tools do, and its refusals as one line each.

databricks-sdk finds the credentials, refreshes them, and asks again after 429, 503 and broken connections, as long as
Retry-After says; so nothing here does. Its own client of the Files API is switched off in favour of the published one
(``/api/2.0/fs/files``): for log pieces of a few kilobytes, presigned addresses of the cloud's storage would be a second
host that has to be reachable from here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.errors import DatabricksError, InternalError, NotFound, PermissionDenied, Unauthenticated
from databricks.sdk.errors import platform as errors

from backends.cluster.job import LockedOutError
from backends.databricks_jobs.settings import DatabricksSettings
from backends.failures import BackendError, ConnectionLostError

_SECONDS_TO_ANSWER = 30
_SECONDS_OF_RETRIES = 60
_SECONDS_TO_DISCOVER = 5
_LONGEST_MESSAGE = 300
_PASSING = (InternalError, errors.TemporarilyUnavailable, errors.DeadlineExceeded, errors.TooManyRequests)
_SIGNED_OUT = re.compile(r"token|credential|authenticat|sign", re.IGNORECASE)
_SIGN_IN = (
    "Sign in again (databricks auth login, az login), or set DATABRICKS_TOKEN to a token that holds, or name another "
    "'profile'."
)


class Workspace:
    """One workspace, signed in to.

    Attributes
    ----------
    client : WorkspaceClient
    place : str
        The workspace's name, as a person calls it.
    user : str
        Who we are there: a person's address, or a service principal's id.
    """

    def __init__(self, client: WorkspaceClient, user: str) -> None:
        self.client = client
        self.user = user
        self.place = place_of(client.config.host)

    @classmethod
    def sign_in(cls, settings: DatabricksSettings) -> Workspace:
        """Reach the workspace and ask it who we are.

        Raises
        ------
        BackendError
            One line: no credentials, wrong ones, no such workspace.
        """
        logging.getLogger("databricks.sdk").setLevel(logging.ERROR)  # what it warns of, we say or is none of a user's
        config = _configure(settings)
        place = place_of(config.host)
        _require_answer(config, place)
        config.retry_timeout_seconds = _SECONDS_OF_RETRIES
        client = WorkspaceClient(config=config)
        with told(place):
            try:
                name = client.current_user.me().user_name
            except NotFound as error:
                raise BackendError(f"{place}: is no Databricks workspace. Correct 'host', or the profile's.") from error
        return cls(client, str(name))


def _configure(settings: DatabricksSettings) -> Config:
    try:
        return Config(
            host=settings.host,
            profile=settings.profile,
            http_timeout_seconds=_SECONDS_TO_ANSWER,
            retry_timeout_seconds=_SECONDS_TO_DISCOVER,
            disable_experimental_files_api_client=True,
            product="gridfold",
            product_version="0",
        )
    except (ValueError, OSError) as error:
        said = str(error).partition(" Config:")[0].partition("\n")[0].rstrip(".")
        raise BackendError(f"backend 'databricks-jobs': cannot sign in: {said}. {_SIGN_IN}") from error


def _require_answer(config: Config, place: str) -> None:
    """Ask once whether anybody is there: the SDK would try for minutes whether a misspelt name comes to be."""
    try:
        requests.head(config.host, timeout=_SECONDS_TO_ANSWER, allow_redirects=False)
    except requests.exceptions.SSLError as error:
        raise BackendError(
            f"{place}: its certificate is not one that this machine trusts. Behind a proxy, set REQUESTS_CA_BUNDLE."
        ) from error
    except requests.RequestException as error:
        raise BackendError(f"{place}: does not answer. Check 'host' (or the profile's), and the network.") from error


def place_of(host: str) -> str:
    """Return the workspace's name as a person calls it."""
    return urlsplit(host).hostname or host


@contextmanager
def told(place: str) -> Iterator[None]:
    """Turn what the SDK raises into one line; NotFound passes, since often it is an answer.

    Raises
    ------
    ConnectionLostError
        Trying again may help.
    LockedOutError, BackendError
        It will not.
    """
    try:
        yield
    except NotFound:
        raise
    except (Unauthenticated, PermissionDenied) as error:
        said = _line(error)
        advice = (
            _SIGN_IN if isinstance(error, Unauthenticated) or _SIGNED_OUT.search(said) else "Ask its administrator."
        )
        raise LockedOutError(f"{place}: refuses: {said}. {advice}") from error
    except (*_PASSING, requests.RequestException, TimeoutError) as error:
        raise ConnectionLostError(f"{place}: does not answer ({_line(error.__cause__ or error)}).") from error
    except DatabricksError as error:
        raise BackendError(f"{place}: refuses: {_line(error)}.") from error
    except ValueError as error:  # a credential that could not be refreshed
        raise LockedOutError(f"{place}: cannot sign in: {_line(error)}. {_SIGN_IN}") from error


def _line(error: BaseException) -> str:
    said = " ".join(str(error).partition(" Config:")[0].split()).rstrip(".") or type(error).__name__
    return said if len(said) <= _LONGEST_MESSAGE else said[:_LONGEST_MESSAGE] + " ..."
