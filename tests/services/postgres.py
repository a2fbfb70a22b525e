"""A PostgreSQL cluster of its own on a loopback port, in a folder that goes when it ends.

By hand, until Ctrl-C; prints the address of an empty database:

    python -m tests.services.postgres

Needs Debian's package (apt-get install postgresql). PostgreSQL refuses to run as root, so under root it runs as the
package's own user, who needs a folder that is not inside one of root's.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.services.startup import free_port, wait_until_up

_SECONDS_TO_START = 60
_USER = "postgres"
_QUICK = ("fsync=off", "full_page_writes=off", "listen_addresses=127.0.0.1", "unix_socket_directories=")


def missing() -> str:
    """Return why a database cannot be run here, empty where it can."""
    if _programs() is None:
        return "needs PostgreSQL (apt-get install postgresql)"
    return "" if find_spec("psycopg2") else "needs psycopg2 (pip install psycopg2-binary)"


@dataclass
class Postgres:
    """A cluster, of which the database ``postgres`` is used.

    Attributes
    ----------
    folder : Path
    """

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """What MLflow takes as a store."""
        return self.database("postgres")

    def database(self, name: str) -> str:
        """Return the address of one of its databases; the driver is named, since SQLAlchemy's default has changed."""
        return f"postgresql+psycopg2://{_USER}@127.0.0.1:{self.port}/{name}"

    def make_database(self, name: str) -> str:
        """Make an empty database, and return its address."""
        self._run("createdb", "--host=127.0.0.1", f"--port={self.port}", f"--username={_USER}", name)
        return self.database(name)

    def make(self) -> None:
        """Make the cluster's files."""
        options = ["--auth=trust", f"--username={_USER}", "--encoding=UTF8", "--locale=C", "--no-sync"]
        self._run("initdb", f"--pgdata={self.folder}/data", *options)

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        log = self.folder / "log"
        settings = [word for setting in _QUICK for word in ("-c", setting)]
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [str(_program("postgres")), "-D", f"{self.folder}/data", "-p", str(self.port), *settings],
                stdout=file,
                stderr=file,
                cwd=self.folder,
                **_unprivileged(),
            )
        wait_until_up(self._is_ready, self.process, log, "PostgreSQL", _SECONDS_TO_START, every=0.1)

    def stop(self, at_once: bool = False) -> None:
        """End it in good order, cutting all connections; or as a power cut would."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            self.process.wait()

    def _is_ready(self) -> bool:
        ready = [str(_program("pg_isready")), "--quiet", "--host=127.0.0.1", f"--port={self.port}"]
        return subprocess.run(ready, check=False).returncode == 0

    def _run(self, name: str, *arguments: str) -> None:
        command = [str(_program(name)), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, check=False, **_unprivileged())
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr[-2000:]}")


@contextmanager
def running() -> Iterator[Postgres]:
    """Run a cluster for the length of the block."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, _USER, _USER)
    cluster = Postgres(folder)
    try:
        cluster.make()
        cluster.start()
        yield cluster
    finally:
        cluster.stop(at_once=True)
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(_USER)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _programs() -> Path | None:
    """Return the folder of the newest version's programs, which Debian does not put on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    elsewhere = shutil.which("initdb")
    return Path(elsewhere).parent if elsewhere else None


def _program(name: str) -> Path:
    folder = _programs()
    assert folder is not None, missing()
    return folder / name


if __name__ == "__main__":
    with running() as shown:
        print(f"export MLFLOW_TRACKING_URI={shown.address}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()
