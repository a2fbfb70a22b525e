"""A real standalone Spark cluster on this machine: one Master and any number of one-core Workers, on free ports.

By hand: ``python tests/services/spark_cluster.py`` starts one with two Workers, prints its address and runs until
Ctrl-C. Not ``local-cluster[2,1,1024]``, whose Workers live inside the driver: nobody can kill one of those, or join.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

if TYPE_CHECKING:
    from tests.services.network import Host, Network

STARTS_WITHIN = 180
"""Seconds."""

_LOOPBACK = "127.0.0.1"


def lacking() -> str:
    """Say what this machine lacks to run a cluster; empty where it can."""
    if find_spec("pyspark") is None:
        return "pyspark is not installed (pip install '.[spark]')"
    java = Path(os.environ["JAVA_HOME"]) / "bin" / "java" if "JAVA_HOME" in os.environ else shutil.which("java")
    return "" if java and Path(java).exists() else "there is no Java (apt-get install openjdk-17-jre-headless)"


class Daemon:
    """One Master or Worker process.

    Parameters
    ----------
    role : str
        ``master.Master`` or ``worker.Worker``.
    arguments : sequence of str
    folder : Path
        Its log and scratch files go there.
    ready : str
        Pattern of the log line that says that it is up.
    home : Path
        Spark's folder.
    host : Host or None
        Where it runs; None for this machine.
    address : str
        Its own.
    """

    def __init__(
        self,
        role: str,
        *arguments: str,
        folder: Path,
        ready: str,
        home: Path,
        host: Host | None = None,
        address: str = _LOOPBACK,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log_path = folder / "log.txt"
        scratch = {"SPARK_LOCAL_DIRS": str(folder / "local"), "SPARK_WORKER_DIR": str(folder / "work")}
        places = ("--host", address, "--port", "0", "--webui-port", "0")
        program = (str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{role}")
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [*(host.prefix if host else ()), *program, *places, *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=environment_of(home) | scratch | {"SPARK_LOCAL_IP": address},
                start_new_session=True,  # a Ctrl-C meant for the driver is not meant for the cluster
            )
        self._ready = ready

    def wait(self) -> re.Match[str]:
        """Wait for the line that says that it is up."""
        found: re.Match[str] = until(self._said, f"{self.log_path}: no line like '{self._ready}'")
        return found

    def _said(self) -> re.Match[str] | None:
        text = self.log_path.read_text(errors="replace")
        if self.process.poll() is not None:
            raise RuntimeError(f"the daemon ended with {self.process.returncode}: {text[-2000:]}")
        return re.search(self._ready, text)

    def stop(self, kill: bool = False) -> None:
        """End it; with `kill`, without giving it time to say goodbye."""
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class SparkCluster:
    """A Master and its Workers; a context manager that ends them all.

    Parameters
    ----------
    n_workers : int
        Each has one core, and so at most one executor of one task.
    home : Path or None
        Spark's folder; by default that of the installed pyspark.
    memory : str
        What each Worker lends out.
    network : Network or None
        Has the Workers on its hosts, one on each, as if they were on machines of their own.
    """

    def __init__(
        self, n_workers: int = 2, home: Path | None = None, memory: str = "2g", network: Network | None = None
    ) -> None:
        self._home = home or installed_home()
        self._memory = memory
        self._network = network
        self._folder = Path(tempfile.mkdtemp(prefix="spark-cluster-"))
        self._n_started = 0
        self.workers: list[Daemon] = []
        self.master = ""
        self._web = ""
        self._to_start = n_workers

    def __enter__(self) -> SparkCluster:
        try:
            self._start_master()
            daemons = [self._launch_worker() for _ in range(self._to_start)]
            for daemon in daemons:
                daemon.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_master(self) -> None:
        address = self._network.address if self._network else _LOOPBACK
        ready = r"Starting Spark master at (spark://\S+)[\s\S]*MasterWebUI.*(http://\S+)[\s\S]*ALIVE"
        self._master = Daemon(
            "master.Master", folder=self._folder / "master", ready=ready, home=self._home, address=address
        )
        found = self._master.wait()
        self.master, port = found[1], found[2].rpartition(":")[2]
        self._web = f"http://{address}:{port}/json/"

    def _launch_worker(self) -> Daemon:
        host = self._network.hosts[self._n_started] if self._network else None
        self._n_started += 1
        daemon = Daemon(
            "worker.Worker",
            *("--cores", "1", "--memory", self._memory),
            self.master,
            folder=self._folder / f"worker{self._n_started}",
            ready="Successfully registered with master",
            home=self._home,
            host=host,
            address=host.address if host else _LOOPBACK,
        )
        self.workers.append(daemon)
        return daemon

    def add_worker(self) -> Daemon:
        """Let another Worker join."""
        daemon = self._launch_worker()
        daemon.wait()
        return daemon

    def lose_worker(self) -> None:
        """Kill the oldest Worker and the executors on it, as a machine that loses power would."""
        daemon = self.workers.pop(0)
        executors = children(daemon.process.pid)
        daemon.stop(kill=True)
        for pid in executors:
            kill(pid)

    def lose_master(self) -> None:
        """Kill the Master; Workers and executors stay."""
        self._master.stop(kill=True)

    def executors(self) -> list[int]:
        """Process ids of the executors that run now."""
        return [pid for worker in self.workers for pid in children(worker.process.pid)]

    def executor_of(self, python_worker: int) -> int:
        """Process id of the executor that the Python process belongs to."""
        return next(pid for pid in self.executors() if python_worker in descendants(pid))

    def python_workers(self) -> list[int]:
        """Process ids of the Python processes of the executors, their daemons included."""
        return [
            pid for executor in self.executors() for pid in descendants(executor) if "pyspark" in _command_line(pid)
        ]

    def executor_logs(self) -> str:
        """What all executors have logged, of those that run and of those that have ended."""
        return "".join(path.read_text(errors="replace") for path in self._folder.glob("worker*/work/*/*/stderr"))

    def state(self) -> Mapping[str, Any]:
        """What the Master says of itself: ``coresused``, ``activeapps``, ``workers``."""
        with urlopen(self._web, timeout=10) as answer:
            found: Mapping[str, Any] = json.load(answer)
        return found

    def stop(self) -> None:
        """End the Workers and the Master, and remove their files."""
        for daemon in [*self.workers, *([self._master] if hasattr(self, "_master") else [])]:
            daemon.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def installed_home() -> Path:
    """Return the folder of the installed pyspark, which is a whole Spark."""
    found = find_spec("pyspark")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def until(look: Callable[[], Any], complaint: str, seconds: float = STARTS_WITHIN) -> Any:
    """Wait until `look` returns something true, and return it."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise TimeoutError(complaint)


def children(pid: int) -> list[int]:
    """Process ids whose parent is `pid`."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []


def descendants(pid: int) -> list[int]:
    """Process ids of the children of `pid`, and of theirs."""
    return [found for child in children(pid) for found in (child, *descendants(child))]


def kill(pid: int) -> None:
    """Kill one process, unless it has ended."""
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        return


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def environment_of(home: Path) -> dict[str, str]:
    """Return this process's environment without what a person's own Spark may have put there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))}
    return kept | {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": _LOOPBACK, "SPARK_NO_DAEMONIZE": "1"}


def main() -> None:
    """Run a cluster until Ctrl-C."""
    n_workers = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    with SparkCluster(n_workers) as cluster:
        print(f"{cluster.master}  ({n_workers} Workers of one core; Ctrl-C ends it)", flush=True)
        try:
            cluster._master.process.wait()
        except KeyboardInterrupt:
            print("ended")


if __name__ == "__main__":
    main()
