"""One SSH connection to the VM, by the user's own ``ssh``, through which everything goes.

It forwards a socket file in a private folder here to the Docker engine's over there. We use the ssh program, and not
paramiko as docker-py does, so that the user's configuration, agent, keys, jump hosts and known hosts hold as they are;
and we forward instead of running ``docker system dial-stdio`` for each request, which costs a handshake every time.
"""

from __future__ import annotations

import queue
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

from backends.dsvm.settings import Address
from backends.failures import BackendError, ConnectionLostError

_SECONDS_TO_CONNECT = 30
_SECONDS_TO_END = 1
_OPTIONS = (
    "BatchMode=yes",  # a question nobody sees would hang for ever
    "ConnectTimeout=15",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=3",
    "ExitOnForwardFailure=yes",
    "StreamLocalBindUnlink=yes",
    "ControlMaster=no",
    "ControlPath=none",
)
# Says what is there, then lives as long as its stdin: when this process dies, however it does, so does the connection.
_OVER_THERE = """
if [ ! -S {socket} ]; then echo gridfold:absent; elif [ ! -w {socket} ]; then echo gridfold:forbidden;
else echo gridfold:ready; fi; exec cat >/dev/null
"""


class Connection:
    """A forwarded Docker socket.

    Attributes
    ----------
    socket : Path
        Here; it leads to the engine while the connection is up.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._process: subprocess.Popen[str] | None = None
        self._said: list[str] = []
        self._folder = Path(tempfile.mkdtemp(prefix="gridfold-"))
        self.socket = self._folder / "docker.sock" if address.ssh else Path(address.socket)

    @property
    def is_up(self) -> bool:
        """Whether the connection stands, as far as this side knows."""
        return not self._address.ssh or (self._process is not None and self._process.poll() is None)

    @property
    def is_forwarded(self) -> bool:
        """Whether there is an sshd between here and the engine."""
        return self._address.ssh is not None

    def open(self) -> None:
        """Connect, if it is not up.

        Raises
        ------
        BackendError
            One line that says why not and what to do.
        ConnectionLostError
            As above, for reasons that may pass.
        """
        if sys.platform == "win32":
            raise BackendError(
                "backend 'dsvm': its connection to the Docker engine is a socket file, which Python has not on "
                "Windows. Start it from WSL."
            )
        if self.is_up:
            return
        if shutil.which("ssh") is None:
            raise BackendError("there is no 'ssh' program on this machine. Install OpenSSH's client.")
        self._end()
        self._process = subprocess.Popen(
            self._command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",  # a banner may be in any encoding
            start_new_session=True,  # Ctrl-C is for us to answer
        )
        state = self._answer(self._process)
        if state != "ready":
            self._end()
            raise self._explain(state)

    def has_ended(self, within: float) -> bool:
        """Whether ssh ends by itself in so many seconds: not where it was cut, nor where there is none."""
        if self._process is None:
            return False
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """Disconnect, and remove the socket file."""
        self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def cut(self) -> None:
        """Disconnect as a broken network would; ``open`` connects again."""
        self._end()

    def _command(self) -> list[str]:
        address = self._address
        options = [word for option in _OPTIONS for word in ("-o", option)]
        port = ["-p", str(address.port)] if address.port else []
        script = _OVER_THERE.format(socket=shlex.quote(address.socket)).strip()
        forward = f"{self.socket}:{address.socket}"
        return ["ssh", "-T", *options, *port, "-L", forward, "--", str(address.ssh), f"sh -c {shlex.quote(script)}"]

    def _answer(self, process: subprocess.Popen[str]) -> str:
        """Return what the other side says about its engine, or an empty string if it says nothing."""
        answers: queue.Queue[str] = queue.Queue()
        said = self._said = []  # its own: the listener of an earlier ssh may still be at work
        complaints = threading.Thread(target=_listen, args=(process.stderr, said), daemon=True)
        complaints.start()
        threading.Thread(target=_find_answer, args=(process.stdout, answers), daemon=True).start()
        try:
            answer = answers.get(timeout=_SECONDS_TO_CONNECT)
        except queue.Empty:
            said.append("timed out")
            return ""
        if not answer:
            complaints.join(5)
        return answer

    def _end(self) -> None:
        """End ssh, without waiting for its output to end: a proxy of it that lives on may hold that open."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.terminate()  # asked, it ends its proxy too
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()

    def _explain(self, state: str) -> BackendError:
        place, socket = self._address.place, self._address.socket
        user = str(self._address.ssh).rpartition("@")[0] or "the user"
        if state == "absent":
            return BackendError(
                f"{place}: there is no Docker engine at {socket}. Install it there (sudo apt-get install docker.io), "
                f'or name its socket in the configuration: "host": "ssh://{self._address.ssh}/path/docker.sock".'
            )
        if state == "forbidden":
            return BackendError(
                f"{place}: {user} may not use the Docker engine at {socket}. "
                f"Run there: sudo usermod -aG docker {user}, and try again."
            )
        return explain(" ".join(line for line in self._said if line), self._address)


def explain(said: str, address: Address) -> BackendError:
    """Say in one line why ssh could not connect.

    Parameters
    ----------
    said : str
        What ssh wrote to stderr.
    """
    place = address.place
    port = f"-p {address.port} " if address.port else ""
    by_hand = f"ssh {port}{address.ssh}"
    if "IDENTIFICATION HAS CHANGED" in said:
        return BackendError(
            f"{place}: its host key is not the one in known_hosts: another machine answers there, or it was "
            f"reinstalled. If you know that it was, remove the old key (ssh-keygen -R {_known_name(address)}) "
            "and add the new one."
        )
    if "Host key verification failed" in said:
        return BackendError(
            f"{place}: its host key is unknown. Compare and add it: {by_hand} (ssh shows the fingerprint and asks), or "
            f"ssh-keyscan {port}{place} >> ~/.ssh/known_hosts where you trust the network."
        )
    if "Permission denied" in said:
        return BackendError(
            f"{place}: no key of yours is accepted. Try {by_hand}; "
            f"add your key there (ssh-copy-id {port}{address.ssh}), or load it into the agent here (ssh-add)."
        )
    if "administratively prohibited" in said or "forwarding" in said.lower():
        return BackendError(f"{place}: its sshd forbids forwarding. Set AllowStreamLocalForwarding yes in sshd_config.")
    reason = re.sub(r"^ssh: ", "", said).strip().rstrip(".") or "the connection was closed"
    return ConnectionLostError(f"{place}: no SSH connection: {reason}. Is the VM running, and does '{by_hand}' work?")


def _known_name(address: Address) -> str:
    return f"'[{address.place}]:{address.port}'" if address.port else address.place


def _listen(stderr: IO[str], said: list[str]) -> None:
    with stderr:
        for line in stderr:
            said.append(line.strip())


def _find_answer(stdout: IO[str], answers: queue.Queue[str]) -> None:
    """Put the state that the other side tells, after whatever its login scripts print; empty if it ends first."""
    with stdout:
        for line in stdout:
            if line.startswith("gridfold:"):
                answers.put(line.strip().removeprefix("gridfold:"))
    answers.put("")
