"""A real Spark Connect server on this machine, of the installed pyspark, with its executors on any master.

By hand: ``python -m tests.services.spark_connect [MASTER]`` starts one (on ``local[2]`` if no master is named), prints
its address and runs until Ctrl-C.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from tests.services import spark_cluster
from tests.services.spark_cluster import environment_of, installed_home, until

if TYPE_CHECKING:
    from tests.services.network import Host

_READY = re.compile(r"Spark Connect server started at: \S*:(\d+)")
_CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"


def lacking() -> str:
    """Say what this machine lacks to run a server; empty where it can."""
    missing = [name for name in ("grpc", "grpc_status", "zstandard") if find_spec(name) is None]
    return spark_cluster.lacking() or (f"{missing[0]} is not installed (pip install '.[connect]')" if missing else "")


class ConnectServer:
    """One server; a context manager that ends it.

    Parameters
    ----------
    master : str
        Where its executors are.
    port : int
        0 for a free one.
    settings : sequence of str
        ``NAME=VALUE``, of Spark's.
    host : Host or None
        Where it runs; None for this machine.
    """

    def __init__(self, master: str, port: int = 0, settings: Sequence[str] = (), host: Host | None = None) -> None:
        home = installed_home()
        self._address = host.address if host else "127.0.0.1"
        self._folder = tempfile.TemporaryDirectory(prefix="spark-connect-")
        self._log = Path(self._folder.name, "log.txt")
        grpc = "spark.connect.grpc.binding"
        binding = (f"{grpc}.address={self._address}", f"{grpc}.port={port}")
        ours = ("spark.ui.enabled=false", "spark.driver.memory=512m", f"spark.local.dir={self._folder.name}")
        options = [word for pair in (*binding, *ours, *settings) for word in ("--conf", pair)]
        command = [
            *(host.prefix if host else ()),
            str(home / "bin" / "spark-submit"),
            "--class",
            _CLASS,
            "--master",
            master,
            *options,
            "spark-internal",
        ]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self._folder.name,
                env=environment_of(home) | {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": self._address},
                start_new_session=True,
            )
        self.port = 0

    @property
    def address(self) -> str:
        """What ``master`` is to be."""
        return f"sc://{self._address}:{self.port}"

    def __enter__(self) -> ConnectServer:
        try:
            self.port = int(until(self._said, "the Spark Connect server did not start")[1])
        except BaseException:
            self.stop()
            raise
        return self

    def _said(self) -> re.Match[str] | None:
        text = self.log()
        if self.process.poll() is not None:
            raise RuntimeError(f"the Spark Connect server ended with {self.process.returncode}: {text[-2000:]}")
        return _READY.search(text)

    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text(errors="replace")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self, kill: bool = False) -> None:
        """End it; with `kill`, as a machine that loses power would."""
        (self.process.kill if kill else self.process.terminate)()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._folder.cleanup()


def main() -> None:
    """Run a server until Ctrl-C."""
    with ConnectServer(sys.argv[1] if len(sys.argv) > 1 else "local[2]") as server:
        print(f"{server.address}  (Ctrl-C ends it)", flush=True)
        try:
            server.process.wait()
        except KeyboardInterrupt:
            print("ended")


if __name__ == "__main__":
    main()
