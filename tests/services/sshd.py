"""An SSH server on a loopback port, with host key, accounts and a client configuration of its own.

By hand, as root, until Ctrl-C; prints how to log in:

    python -m tests.services.sshd

Needs ``sshd``: apt-get install openssh-server. The accounts are made for the time it runs, and removed after it.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.services.startup import free_port, wait_until_up

_SECONDS_TO_START = 20


def missing() -> str:
    """Return why a server cannot be run here, empty where it can."""
    if os.geteuid() != 0:
        return "needs root to run sshd for other accounts"
    programs = [name for name in ("sshd", "ssh", "ssh-keygen", "useradd") if _find(name) is None]
    return f"needs {' and '.join(programs)} (apt-get install openssh-server)" if programs else ""


@dataclass
class Sshd:
    """A running server.

    Attributes
    ----------
    port : int
        On 127.0.0.1.
    bin : Path
        A folder with an ``ssh`` that knows the host and has a key: put it first in PATH.
    """

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    accounts: list[str] = field(default_factory=list)

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    def start(self) -> None:
        """Start it and wait until it listens."""
        Path("/run/sshd").mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(_find("sshd")), "-D", "-e", "-f", str(self.folder / "sshd_config")],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until_up(self._listens, self.process, self.folder / "log", "sshd", _SECONDS_TO_START, every=0.05)

    def cut(self) -> int:
        """Kill every session, as a broken network would; the server goes on. Return how many processes there were."""
        assert self.process is not None
        sessions = psutil.Process(self.process.pid).children(recursive=True)
        for session in sessions:
            with suppress(psutil.NoSuchProcess):
                session.kill()
        return len(sessions)

    def stop(self) -> None:
        """End the server and every session."""
        if self.process is not None:
            self.cut()
            self.process.kill()
            self.process.wait()
            self.process = None

    def add_account(self, *groups: str) -> str:
        """Make an account that the client's key opens; return its name."""
        name = f"gf-{uuid.uuid4().hex[:8]}"
        extra = ["--groups", ",".join(groups)] if groups else []
        subprocess.run(
            [
                "useradd",
                "--no-create-home",
                "--home-dir",
                "/tmp",
                "--shell",
                "/bin/sh",
                "--password",
                "*",
                *extra,
                name,
            ],
            check=True,
        )
        self.accounts.append(name)
        return name

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


@contextmanager
def running(folder: Path) -> Iterator[Sshd]:
    """Run a server for the length of the block."""
    server = Sshd(folder, free_port())
    _write_files(server)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        for name in server.accounts:
            subprocess.run(["userdel", name], check=False, stderr=subprocess.DEVNULL)


def _write_files(server: Sshd) -> None:
    folder = server.folder
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    for key in ("host_key", "client_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True)
    (folder / "authorized_keys").write_text((folder / "client_key.pub").read_text())
    (folder / "authorized_keys").chmod(0o644)
    server.known_hosts.write_text(f"[127.0.0.1]:{server.port} {(folder / 'host_key.pub').read_text()}")
    (folder / "sshd_config").write_text(
        f"Port {server.port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host_key'}\n"
        f"AuthorizedKeysFile {folder / 'authorized_keys'}\nPidFile {folder / 'pid'}\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nMaxStartups 100\n"
    )
    (folder / "ssh_config").write_text(
        f"IdentityFile {folder / 'client_key'}\nIdentitiesOnly yes\nIdentityAgent none\n"
        f"UserKnownHostsFile {server.known_hosts}\nGlobalKnownHostsFile /dev/null\n"
    )
    server.bin.mkdir(exist_ok=True)
    wrapper = server.bin / "ssh"
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder / "ssh_config"} "$@"\n')
    wrapper.chmod(0o755)


def _find(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


if __name__ == "__main__":
    if reason := missing():
        sys.exit(reason)
    with tempfile.TemporaryDirectory(prefix="sshd-") as home, running(Path(home)) as started:
        print(f"{started.bin / 'ssh'} -p {started.port} {started.add_account()}@127.0.0.1", flush=True)
        with suppress(KeyboardInterrupt):
            time.sleep(10**9)
