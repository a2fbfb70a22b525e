"""What a store's failures mean: whether they may pass, and what a person can do about them.

A store is many programs: MLflow's client and server, a database behind SQLAlchemy, a cloud's artifact store, drivers
that may not be installed. Each has exceptions of its own, and MLflow wraps some of them more than once, so we look
through the whole chain of causes, by the names of types (most of these libraries may be absent), and at the words where
a type says too little. The rest of the room asks ``fault_of``.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mlflow.exceptions import MlflowException

CHECK_ADDRESS = "Check MLFLOW_TRACKING_URI, and that the store may be written."
_SERVER_RUNS = "Check MLFLOW_TRACKING_URI, and that the server runs."
_DATABASE_RUNS = "Check that the database runs and lets this machine in."
_CREDENTIALS = (
    "Check the credentials: MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN; for a"
    " database or a cloud's store, its own."
)
_PASSING_CODES = {
    "TEMPORARILY_UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
    "REQUEST_LIMIT_EXCEEDED": 429,
    "RESOURCE_EXHAUSTED": 429,
    "CUSTOMER_UNAUTHORIZED": 401,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "ENDPOINT_NOT_FOUND": 404,  # of a proxy, while what is behind it is being replaced; MLflow's own say which thing
}
_DRIVERS = {
    "psycopg2": "psycopg2-binary",
    "psycopg": "'psycopg[binary]'",
    "MySQLdb": "mysqlclient",
    "google.cloud": "google-cloud-storage",
    "google.cloud.storage": "google-cloud-storage",
    "azure.storage.filedatalake": "azure-storage-file-datalake",
    "databricks.sdk": "databricks-sdk",
    "requests_auth_aws_sigv4": "requests-auth-aws-sigv4",
    **{name: name for name in ("boto3", "botocore", "paramiko", "pymssql", "pymysql", "pyodbc", "pysftp")},
}
_OF_STORES = (
    *("alembic", "azure", "boto3", "botocore", "databricks", "google", "mlflow", "psycopg", "psycopg2", "pymysql"),
    *("requests", "s3transfer", "sqlalchemy", "sqlite3", "urllib3"),
)
_STATUS = re.compile(r"too many (\d{3}) error responses|failed with error code (\d{3}) ")
_UNREADABLE = re.compile(r"not in a valid JSON format|run without an id")
_OUT_OF_SPACE = re.compile(
    r"database or disk is full|No space left on device|could not extend file|Disk quota exceeded"
)
_LOCKED = re.compile(r"database (?:table )?is locked|deadlock|lock timeout|lock wait timeout", re.IGNORECASE)
_LASTING = re.compile(
    r"readonly database|read-only|unable to open database|no such (?:table|column)|authentication failed|"
    r"(?:database|role|relation) \S+ does not exist|unknown database|access denied|no pg_hba.conf entry",
    re.IGNORECASE,
)
_CONNECTION = re.compile(
    r"\((?:psycopg2?|pymysql|MySQLdb|sqlite3)\S*\.(?:Operational|Interface|Internal)Error|connection already closed|"
    r"server closed the connection|invalid transaction is rolled back|QueuePool limit",
)
_MAKING = re.compile(r"already exists|duplicate key value|UNIQUE constraint failed: alembic_version|duplicate column")
_REASON = re.compile(
    r"(Connection refused|Connection reset by peer|Remote end closed connection|timed out|"
    r"Name or service not known|Temporary failure in name resolution|No route to host|"
    r"Network is unreachable|certificate verify failed)"
)


@dataclass(frozen=True)
class Fault:
    """A failure of a store.

    Attributes
    ----------
    said : str
        What goes on, to follow the name of the store: ``does not answer (connection refused)``.
    passes : bool
        Whether the same request may succeed a while later.
    cure : str
        A sentence; empty where the reason says it all.
    timed_out : bool
        The store may only have been slow.
    """

    said: str
    passes: bool
    cure: str = ""
    timed_out: bool = False


def fault_of(error: BaseException) -> Fault | None:
    """Return what `error` means; None where it is not a store's."""
    chain = list(_chain(error))
    if not _is_stores(error):
        return None
    return (
        _of_driver(chain)
        or _of_machine(chain)
        or _of_words(chain)
        or _of_status(chain)
        or _of_network(chain)
        or _of_database(chain)
        or _of_cloud(chain)
        or Fault("refuses", passes=False, cure=_cure_of_refusal(error))
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and what it was raised from, or while handling."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)


def _is_stores(error: BaseException) -> bool:
    named = any(name.partition(".")[0] in _OF_STORES for name in _kinds(error))
    return named or isinstance(error, OSError) or _driver_missing(error) is not None


def _kinds(error: BaseException) -> set[str]:
    """Return the names of the error's types, each after its library's: ``requests.Timeout``."""
    return {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(error).__mro__}


def _any_is(chain: list[BaseException], *kinds: str) -> bool:
    return any(not _kinds(each).isdisjoint(kinds) for each in chain)


def _driver_missing(error: BaseException) -> str | None:
    if not isinstance(error, ImportError):
        return None
    name = error.name or ""
    return _DRIVERS.get(name) or _DRIVERS.get(name.partition(".")[0])


def _of_driver(chain: list[BaseException]) -> Fault | None:
    package = next(filter(None, map(_driver_missing, chain)), None)
    if package is None:
        return None
    return Fault("needs a package that is not installed", False, f"Install it where this runs: pip install {package}.")


def _of_machine(chain: list[BaseException]) -> Fault | None:
    full = any(isinstance(each, OSError) and each.errno in (errno.ENOSPC, errno.EDQUOT) for each in chain)
    if full or any(_OUT_OF_SPACE.search(str(each)) for each in chain):
        return Fault("has no space left", True, "Free some space on its disk.")
    return None


def _of_words(chain: list[BaseException]) -> Fault | None:
    unreadable = _any_is(chain, "requests.JSONDecodeError", "google.ParseError", "google.DecodeError")
    if unreadable or any(_UNREADABLE.search(str(each)) for each in chain):
        return Fault("gives answers that cannot be read", True, _SERVER_RUNS)
    return None


def _of_status(chain: list[BaseException]) -> Fault | None:
    status = next(filter(None, map(status_of, chain)), None)
    if status in (401, 403):
        return Fault(f"refuses the credentials ({status})", True, _CREDENTIALS)
    if status == 429:
        return Fault("asks for fewer requests (429)", True, "Run it again when it is less busy.")
    missing = status == 404 and isinstance(chain[0], MlflowException)  # not of a file in an artifact store
    if missing or status == 408 or (status is not None and status >= 500):
        return Fault(f"fails ({status})", True, "Look into the server's log.")
    return None


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that stands behind `error`; None where there is none, or it says no for good."""
    if match := _STATUS.search(str(error)):
        return int(next(filter(None, match.groups())))
    if isinstance(error, MlflowException):
        if error.error_code == "INTERNAL_ERROR" and hasattr(error, "json"):  # said by a server
            return 500
        return None if _LASTING.search(str(error)) else _PASSING_CODES.get(error.error_code)
    for answer in (error, getattr(error, "response", None)):  # azure.core has it itself, requests behind it
        if isinstance(status := getattr(answer, "status_code", None), int):
            return status
    return None


def _of_network(chain: list[BaseException]) -> Fault | None:
    timed_out = _any_is(chain, "requests.Timeout", "builtins.TimeoutError", "botocore.ReadTimeoutError")
    lost = _any_is(chain, "requests.ConnectionError", "requests.ChunkedEncodingError", "builtins.ConnectionError")
    if _any_is(chain, "requests.InvalidURL", "requests.MissingSchema", "requests.InvalidSchema"):
        return None
    far = _any_is(chain, "urllib3.HTTPError", "botocore.HTTPClientError", "azure.ServiceRequestError")
    if not (timed_out or lost or far):
        return None
    found = next(filter(None, (_REASON.search(str(each)) for each in chain)), None)
    reason = found[1].lower() if found else "timed out" if timed_out else "the connection is lost"
    return Fault(f"does not answer ({reason})", True, _SERVER_RUNS, timed_out or reason == "timed out")


_MADE = "Start this again when that has ended. If none is at it, one was killed in the middle: delete the database."


def _of_database(chain: list[BaseException]) -> Fault | None:
    words = " ".join(map(str, chain))
    if _LASTING.search(words):
        return None
    if not isinstance(chain[0], MlflowException) and _MAKING.search(words):  # MLflow's own say that of other things
        return Fault("is being made by another program", True, _MADE)
    if _LOCKED.search(words):
        return Fault("is locked by another program", True, "End what holds it, or use a server.")
    lost = ("OperationalError", "InterfaceError", "InternalError", "TimeoutError", "PendingRollbackError")
    if _any_is(chain, *(f"sqlalchemy.{name}" for name in lost)) or _CONNECTION.search(words):
        return Fault("has lost its database", True, _DATABASE_RUNS)
    return None


def _of_cloud(chain: list[BaseException]) -> Fault | None:
    words = " ".join(f"{type(each).__name__}: {each}" for each in chain)
    if re.search(r"NoCredentials|PartialCredentials|DefaultCredentials|ClientAuthentication", words):
        return Fault("needs credentials", False, _CREDENTIALS)
    if re.search(r"AccessDenied|InvalidAccessKey|ExpiredToken|Forbidden", words):
        return Fault("refuses the credentials", True, _CREDENTIALS)
    if re.search(r"SlowDown|Throttl|ServiceUnavailable|RequestTimeout|ServiceRequestError|ServerBusy", words):
        return Fault("is too busy", True, "Run it again when it is less busy.")
    return None


def _cure_of_refusal(error: BaseException) -> str:
    """Return where to look, if that is at the address: a store that says what it minds needs no such advice."""
    by_mlflow = isinstance(error, MlflowException) and error.error_code not in ("INTERNAL_ERROR", "BAD_REQUEST")
    return "" if by_mlflow and not _LASTING.search(str(error)) else CHECK_ADDRESS
