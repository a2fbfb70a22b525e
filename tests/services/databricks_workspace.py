"""What the stand-in for a Databricks workspace knows and answers: runs, secrets, and which of its files is meant."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from databricks.sdk.service.jobs import JobsAPI

from tests.services.databricks_api import BODIES, RefusedError, bad, check_arguments, check_submission, known, missing
from tests.services.databricks_files import Files
from tests.services.databricks_run import Run

USER = "someone@example.com"
VOLUME = "/Volumes/main/default/gridfold"
CLUSTER = "0923-164208-meows279"
_PAGE = 24


@dataclass
class Fault:
    """What goes wrong with the next requests.

    Attributes
    ----------
    path : str
        Pattern of the paths that it concerns.
    times : int
        How many more requests.
    status : int
        The answer; 0 for none: the request is carried out, and the connection then closed.
    headers : dict
    """

    path: str
    times: int = 1
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)


class Workspace:
    """The service's state, and its answers.

    Attributes
    ----------
    token : str
        The one that it lets in.
    master : str
        The Spark master that stands for every cluster.
    runs : dict of int to Run
    secrets : dict of str to dict
        Scopes, their keys and values.
    faults : list of Fault
    asked : list of (str, str)
        Method and path of every request so far.
    spark_remote : str
        Where a serverless run finds Spark Connect; nobody listens there until a test sets it.
    """

    def __init__(self, folder: Path, master: str = "local[2]") -> None:
        self.folder = folder
        self.files = Files(folder)
        self.master = master
        self.spark_remote = "sc://127.0.0.1:1"
        self.token = "dapi-right"
        self.host = ""
        self.runs: dict[int, Run] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        self.faults: list[Fault] = []
        self.asked: list[tuple[str, str]] = []
        self._tokens: dict[str, int] = {}
        self._lock = threading.Lock()
        (folder / "logs").mkdir(parents=True)
        self.files.real(VOLUME).mkdir(parents=True)
        self.files.real(f"/Workspace/Users/{USER}").mkdir(parents=True)

    def count(self, pattern: str) -> int:
        """Return how many requests for such paths there were."""
        return sum(bool(re.search(pattern, path)) for _, path in self.asked)

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes, kind: str) -> bytes | dict[str, Any]:
        """Carry out a request.

        Raises
        ------
        RefusedError
        """
        if method == "HEAD" and path == "/":
            return b""
        if path.startswith("/api/2.0/fs/"):
            return self.files.volume(method, path, query, body)
        if path.startswith("/api/2.0/workspace/"):
            return self.files.workspace(path.rpartition("/")[2], query, body, kind)
        given: dict[str, Any] = json.loads(body) if body else dict(query)
        if path in BODIES:
            check_arguments(BODIES[path][0], given, BODIES[path][1])
            return self._secret(path.removeprefix("/api/2.0/secrets/"), given)
        named = re.fullmatch(r"/api/2\.[0-2]/(jobs/runs/[a-z-]+|clusters/get|preview/scim/v2/Me)", path)
        if named is None:
            raise RefusedError(404, "ENDPOINT_NOT_FOUND", f"No API found for '{method} {path}'")
        routes: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
            "preview/scim/v2/Me": ("GET", lambda _: {"userName": USER, "id": "1"}),
            "clusters/get": ("GET", self._cluster),
            "jobs/runs/submit": ("POST", self._submit),
            "jobs/runs/get": ("GET", self._get),
            "jobs/runs/get-output": ("GET", self._output),
            "jobs/runs/list": ("GET", self._list),
            "jobs/runs/cancel": ("POST", self._cancel),
        }
        expected, do = routes[named[1]]
        if method != expected:
            raise RefusedError(405, "METHOD_NOT_ALLOWED", f"{method} is not for {path}")
        return do(given)

    def _cluster(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("cluster_id") != CLUSTER:
            raise bad(f"Cluster {given.get('cluster_id')} does not exist")
        return {"cluster_id": CLUSTER, "spark_version": "15.4.x-scala2.12", "state": "RUNNING"}

    def _submit(self, body: dict[str, Any]) -> dict[str, Any]:
        check_submission(body)
        with self._lock:
            token = body.get("idempotency_token")
            if token in self._tokens:
                return {"run_id": self._tokens[token]}
            script = body["tasks"][0]["spark_python_task"]["python_file"]
            if not self.files.real(script).is_file():
                raise bad(f"Cannot read the python file {script}")
            run_id = 1000 + 10 * len(self.runs)
            signed_in = {"DATABRICKS_HOST": self.host, "DATABRICKS_TOKEN": self.token}
            spark = self.master, self.spark_remote
            self.runs[run_id] = Run(run_id, body, self._mounted, spark, signed_in, self.folder / "logs")
            if token:
                self._tokens[token] = run_id
        return {"run_id": run_id}

    def _mounted(self, word: str) -> str:
        return str(self.files.real(word)) if word.startswith(("/Volumes/", "/Workspace/")) else word

    def _run(self, given: dict[str, Any]) -> Run:
        number = int(given["run_id"])
        if number not in self.runs:
            raise bad(f"Run {number} does not exist.")
        return self.runs[number]

    def _get(self, given: dict[str, Any]) -> dict[str, Any]:
        known(given, {"run_id", "include_history", "include_resolved_values", "page_token"})
        return self._run(given).described()

    def _output(self, given: dict[str, Any]) -> dict[str, Any]:
        known(given, {"run_id"})
        if int(given["run_id"]) in self.runs:
            raise bad("Retrieving the output of runs with tasks is not supported; use the task's run id")
        return self._run({"run_id": int(given["run_id"]) - 1}).output()

    def _list(self, given: dict[str, Any]) -> dict[str, Any]:
        known(given, set(JobsAPI.list_runs.__annotations__))
        start = int(given.get("page_token", 0))
        found = [run.described() for run in sorted(self.runs.values(), key=lambda run: -run.began)]
        found = [run for run in found if run["start_time"] >= int(given.get("start_time_from", 0))]
        for run in found:
            run.pop("tasks")
        more = {"next_page_token": str(start + _PAGE)} if len(found) > start + _PAGE else {}
        return {"runs": found[start : start + _PAGE], "has_more": bool(more)} | more

    def _cancel(self, given: dict[str, Any]) -> dict[str, Any]:
        check_arguments(JobsAPI.cancel_run, given, ("run_id",))
        self._run(given).cancel()
        return {}

    def _secret(self, action: str, given: dict[str, Any]) -> dict[str, Any]:
        scope = given["scope"]
        if action == "scopes/create":
            if scope in self.secrets:
                raise RefusedError(400, "RESOURCE_ALREADY_EXISTS", f"Scope {scope} already exists!")
            self.secrets[scope] = {}
            return {}
        if scope not in self.secrets:
            raise missing(f"Scope {scope} does not exist!")
        if action == "scopes/delete":
            del self.secrets[scope]
        elif action == "list":
            return {"secrets": [{"key": key} for key in self.secrets[scope]]}
        elif action == "put":
            self.secrets[scope][given["key"]] = given["string_value"]
        elif given["key"] not in self.secrets[scope]:
            raise missing(f"Failed to find the secret {given['key']} in scope {scope}.")
        elif action == "get":
            return {"key": given["key"], "value": base64.b64encode(self.secrets[scope][given["key"]].encode()).decode()}
        else:
            del self.secrets[scope][given["key"]]
        return {}

    def stop(self) -> None:
        """End what still runs."""
        for run in self.runs.values():
            run.cancel()
            run.join()
