"""Checks requests against what Databricks publishes: the names and types that its own SDK is generated with.

The SDK is generated from the same description as the documentation, so its dataclasses are that description: a field
that they do not have, a value of another type, or a required field that is missing is a 400 here, as it is there.
"""

from __future__ import annotations

import dataclasses
import inspect
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from databricks.sdk.service.jobs import JobsAPI, SubmitTask
from databricks.sdk.service.workspace import SecretsAPI

_LONGEST_TOKEN = 64
_COMPUTE = ("new_cluster", "existing_cluster_id", "environment_key")


class RefusedError(Exception):
    """A request that the service does not take."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def bad(message: str) -> RefusedError:
    return RefusedError(400, "INVALID_PARAMETER_VALUE", message)


def missing(message: str) -> RefusedError:
    return RefusedError(404, "RESOURCE_DOES_NOT_EXIST", message)


def known(given: dict[str, Any], names: set[str]) -> None:
    """Refuse what is not among `names`."""
    for name in given:
        if name not in names:
            raise bad(f"Unknown field: {name}")


def check_arguments(api: Any, body: dict[str, Any], required: tuple[str, ...] = ()) -> None:
    """Check a body or a query against the parameters of the SDK's method."""
    hints = get_type_hints(api)
    known = [name for name in inspect.signature(api).parameters if name != "self"]
    for name in required:
        if name not in body:
            raise bad(f"Missing required field: {name}")
    for name, value in body.items():
        if name not in known:
            raise bad(f"Unknown field: {name}")
        check(value, hints[name], name)


def check(value: Any, kind: Any, where: str) -> None:
    """Check one value against a type of the SDK's."""
    if get_origin(kind) in (Union, UnionType):
        kind = next(part for part in get_args(kind) if part is not type(None))
    if get_origin(kind) is list:
        _require(isinstance(value, list), where, "a list")
        for index, item in enumerate(value):
            check(item, get_args(kind)[0], f"{where}[{index}]")
    elif get_origin(kind) is dict:
        _require(isinstance(value, dict), where, "an object")
        for key, item in value.items():
            check(item, get_args(kind)[1], f"{where}.{key}")
    elif dataclasses.is_dataclass(kind):
        _check_object(value, kind, where)
    elif isinstance(kind, type) and issubclass(kind, Enum):
        _require(value in [member.value for member in kind], where, f"one of {[member.value for member in kind]}")
    elif isinstance(kind, type):
        right = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
        _require(right or (kind is float and isinstance(value, int)), where, kind.__name__)


def _check_object(value: Any, kind: Any, where: str) -> None:
    _require(isinstance(value, dict), where, "an object")
    hints = get_type_hints(kind)
    for field in dataclasses.fields(kind):
        needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if needed and field.name not in value:
            raise bad(f"Missing required field: {where}.{field.name}")
    for name, item in value.items():
        if name not in hints:
            raise bad(f"Unknown field: {where}.{name}")
        check(item, hints[name], f"{where}.{name}")


def _require(right: bool, where: str, expected: str) -> None:
    if not right:
        raise bad(f"Could not parse request object: {where} is not {expected}")


def check_submission(body: dict[str, Any]) -> None:
    """Check the body of ``runs/submit``, with what the documentation says beside names and types."""
    check_arguments(JobsAPI.submit, body, ("tasks",))
    if len(body.get("idempotency_token", "")) > _LONGEST_TOKEN:
        raise bad("idempotency_token must have at most 64 characters")
    keys = [environment["environment_key"] for environment in body.get("environments", [])]
    for task in body["tasks"]:
        check(task, SubmitTask, "task")
        kinds = [kind for kind in _COMPUTE if kind in task]
        if len(kinds) != 1:
            raise bad(f"Task {task['task_key']} must have exactly one of {_COMPUTE}, it has {kinds}")
        if "environment_key" in task and (task["environment_key"] not in keys or "libraries" in task):
            raise bad("A serverless task names one of the run's environments, which has its libraries")
        cluster = task.get("new_cluster", {"num_workers": 0, "spark_version": "", "node_type_id": ""})
        if not {"num_workers", "autoscale"} & cluster.keys() or not {"spark_version", "node_type_id"} <= cluster.keys():
            raise bad("Cluster specification lacks spark_version, node_type_id, or its size")
        if not task["spark_python_task"]["python_file"].startswith(("/Volumes/", "/Workspace/")):
            raise bad("python_file must be absolute")


BODIES = {
    "/api/2.0/secrets/scopes/create": (SecretsAPI.create_scope, ("scope",)),
    "/api/2.0/secrets/scopes/delete": (SecretsAPI.delete_scope, ("scope",)),
    "/api/2.0/secrets/delete": (SecretsAPI.delete_secret, ("scope", "key")),
    "/api/2.0/secrets/put": (SecretsAPI.put_secret, ("scope", "key")),
    "/api/2.0/secrets/list": (SecretsAPI.list_secrets, ("scope",)),
    "/api/2.0/secrets/get": (SecretsAPI.get_secret, ("scope", "key")),
}
