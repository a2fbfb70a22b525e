"""A run of the Jobs service that really runs: spark-submit (or, for serverless, Python) with the states of the API."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.services.spark_cluster import installed_home

LOG_LIMIT = 5 * 2**20
_INSTALLING, _LEAVING = 0.3, 0.3
_FAILED = "Workload failed, see run output for details"


class Run:
    """One run.

    Parameters
    ----------
    run_id : int
    body : dict
        Of ``runs/submit``.
    real_path : callable
        Where a path of the workspace is on this machine, as the mounts of a real driver have it.
    spark : tuple of str
        The Spark master that stands for the run's cluster, and the address of Spark Connect for a serverless one.
    environment : dict
        What signs the job in to the workspace, as the runtime does.
    folder : Path
        For the driver's output.
    """

    def __init__(
        self,
        run_id: int,
        body: dict[str, Any],
        real_path: Callable[[str], str],
        spark: tuple[str, str],
        environment: dict[str, str],
        folder: Path,
    ) -> None:
        self.run_id = run_id
        self.body = body
        self.began = time.time()
        self.state = "PENDING"
        self.cancelled = False
        self.process: subprocess.Popen[bytes] | None = None
        self.log_limit = LOG_LIMIT
        self._log = folder / f"{run_id}.log"
        master, self._remote = spark
        self._command = self._command_of(body["tasks"][0], real_path, master)
        self._environment = environment
        self._changing = threading.Lock()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    @property
    def is_serverless(self) -> bool:
        return "environment_key" in self.body["tasks"][0]

    def _command_of(self, task: dict[str, Any], real_path: Callable[[str], str], master: str) -> list[str]:
        script = task["spark_python_task"]
        words = [real_path(word) for word in (script["python_file"], *script.get("parameters", []))]
        if self.is_serverless:
            return [sys.executable, *words]
        conf = ("spark.ui.enabled=false", "spark.driver.host=127.0.0.1", "spark.driver.bindAddress=127.0.0.1")
        options = [word for pair in conf for word in ("--conf", pair)]
        return [str(installed_home() / "bin" / "spark-submit"), "--master", master, *options, *words]

    def _live(self) -> None:
        time.sleep(_INSTALLING)
        with self._changing:
            if not self.cancelled:
                self._start()
        if self.process is not None:
            timeout = self.body.get("timeout_seconds") or None
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout)
            self._kill()
        self.state = "TERMINATING"
        time.sleep(_LEAVING)
        self.state = "TERMINATED"

    def _start(self) -> None:
        mine = {
            name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "SPARK_", "PYSPARK_"))
        }
        python = {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
        kind = {"SPARK_REMOTE": self._remote} if self.is_serverless else {"SPARK_HOME": str(installed_home())}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command,
                env=mine | python | kind | {"SPARK_LOCAL_IP": "127.0.0.1"} | self._environment,
                cwd=self._log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.state = "RUNNING"

    def cancel(self) -> None:
        """Begin to end it; it is over some time later."""
        with self._changing:
            if self.state in ("PENDING", "RUNNING"):
                self.cancelled = True
                self._kill()

    def kill_driver(self) -> None:
        """Kill what runs, as a machine without memory would."""
        self._kill()

    def _kill(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def log(self) -> str:
        """Return all that the driver, Spark's part of it included, has written."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def join(self) -> None:
        self._thread.join(30)

    def _outcome(self) -> tuple[str, str, str, str]:
        """Return result state, termination code and type, and the message."""
        if self.cancelled:
            return "CANCELED", "USER_CANCELED", "CLIENT_ERROR", "Run cancelled."
        code = self.process.returncode if self.process else 1
        if code == 0:
            return "SUCCESS", "SUCCESS", "SUCCESS", ""
        return "FAILED", "RUN_EXECUTION_ERROR", "CLIENT_ERROR", _FAILED

    def described(self) -> dict[str, Any]:
        """Return the answer of ``runs/get``: the newer status, and the older state beside it."""
        state = self.state
        old: dict[str, Any] = {"life_cycle_state": state, "state_message": ""}
        new: dict[str, Any] = {"state": state}
        if state == "TERMINATED":
            result, code, kind, message = self._outcome()
            old |= {"result_state": result, "state_message": message, "user_cancelled_or_timedout": self.cancelled}
            new["termination_details"] = {"code": code, "type": kind, "message": message}
        task = {"run_id": self.run_id + 1, "task_key": self.body["tasks"][0]["task_key"], "state": old, "status": new}
        return {
            "run_id": self.run_id,
            "job_id": self.run_id + 2,
            "run_name": self.body.get("run_name", "Untitled"),
            "run_type": "SUBMIT_RUN",
            "start_time": round(self.began * 1000),
            "state": old,
            "status": new,
            "tasks": [task],
        }

    def output(self) -> dict[str, Any]:
        """Return the answer of ``runs/get-output`` for the run's task."""
        log = self.log().encode()
        answer: dict[str, Any] = {
            "metadata": self.described(),
            "logs": log[: self.log_limit].decode(errors="replace"),
            "logs_truncated": len(log) > self.log_limit,
        }
        code = self.process.returncode if self.process else None
        if code in (-9, 137) and not self.cancelled:
            answer["error"] = (
                "The Python process exited with exit code 137 (SIGKILL: Killed). "
                "This may have been caused by an OOM error."
            )
        return answer
