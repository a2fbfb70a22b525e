"""The keys of ``backends/dsvm.json``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from backends.capacity import Capacity, Price
from backends.configuration import Names, Settings
from backends.sizes import MIB, Size, mebibytes

_LEAST_MEMORY = 256 * MIB


class Build(Settings):
    """What pip needs to reach its packages while the image is built; nothing of it stays in the image."""

    environment: tuple[str, ...] = ()
    """Names of environment variables that pip is to have, PIP_INDEX_URL for example."""

    pip_config: Path | None = None
    """A pip.conf on this machine."""

    ca_bundle: Path | None = None
    """A file of certificates (PEM) on this machine, for an index behind a proxy that signs its own."""

    @field_validator("pip_config", "ca_bundle")
    @classmethod
    def _is_a_file(cls, path: Path | None) -> Path | None:
        if path is not None and not path.expanduser().is_file():
            raise ValueError(f"there is no file {path}")
        return path.expanduser() if path else None


class DsvmSettings(Settings):
    """Where the container runs, from what image, and how much of the VM it may use."""

    host: str
    """The VM: ssh://user@host, ssh://user@host:port, either with the path of the engine's socket behind it if that is
    not /var/run/docker.sock; or unix:///path for an engine on this machine."""

    base_image: str = Field("python:3.11-slim", min_length=1)
    """A Debian or Ubuntu image with the Python that conda.yaml asks for; the environment is installed on top of it."""

    cpus: float | None = Field(None, gt=0)
    """How many of the VM's cores the container may use; all if absent."""

    memory: Size | None = None
    """How much of the VM's memory, like '24g'; the container is killed beyond it. All if absent."""

    gpus: Literal["all"] | Annotated[int, Field(ge=0)] = 0
    """How many GPUs, or 'all'. With 0 the image has no GPU packages and is about 0.3 GB smaller."""

    environment: Names = ()
    """Names of environment variables of this machine that the job is to have; never their values."""

    tunnel: bool = False
    """Let the job log to this machine's own tracking store, through SSH, where there is no server that it can reach."""

    keep: bool = False
    """Leave the container on the VM when the job has ended, to look into it."""

    network: str = Field("bridge", min_length=1)
    """The container's Docker network: 'bridge', 'host', 'none' (with a tunnel) or the name of one of the VM's."""

    reconnect_minutes: float = Field(15.0, ge=0)
    """How long a lost connection is tried again before this command gives up (the job goes on)."""

    price_per_hour: Price | None = None
    """What an hour of the VM costs, in your currency as you write it, like '0.504 EUR'.
    With it -P plan=true says what a sweep comes to."""

    build: Build = Build()
    """What pip needs while the image is built, and the image must not keep."""

    def capacity(self, name: str) -> Capacity:
        """Return what the container may use."""
        unknown = "" if self.cpus else 'how many cores it has: write "cpus"'
        fits = max(1, int(self.cpus)) if self.cpus else None
        return Capacity(name, fits, self.memory, self.price_per_hour, unknown)

    @field_validator("host")
    @classmethod
    def _is_an_address(cls, host: str) -> str:
        parse_host(host)
        return host

    @field_validator("memory")
    @classmethod
    def _is_enough(cls, memory: int | None) -> int | None:
        if memory is not None and memory < _LEAST_MEMORY:
            raise ValueError(f"a job needs at least 256m, and {mebibytes(memory)} were given")
        return memory


class Address(Settings):
    """A parsed ``host``.

    Attributes
    ----------
    ssh : str or None
        What ssh calls the machine (``user@host``), None for a socket on this one.
    port : int or None
        None where the user's ssh configuration decides.
    socket : str
        The engine's, there.
    """

    ssh: str | None
    port: int | None
    socket: str

    @property
    def place(self) -> str:
        """The machine as a person calls it."""
        return self.ssh.rpartition("@")[2] if self.ssh else "this machine"


_SSH = re.compile(
    r"ssh://(?P<name>(?:[^@:/\s]+@)?[A-Za-z0-9_][^@:/\s]*|(?:[^@:/\s]+@)?\[[0-9a-fA-F:]+\])(?::(?P<port>\d+))?(?P<socket>/.+)?/?"
)
_DEFAULT_SOCKET = "/var/run/docker.sock"


def parse_host(host: str) -> Address:
    """Read the key ``host``.

    Raises
    ------
    ValueError
        It is neither of the two kinds, or has a password in it.
    """
    if host.startswith("unix:///"):
        return Address(ssh=None, port=None, socket=host.removeprefix("unix://"))
    if re.match(r"ssh://[^@/]*:[^@/]*@", host):
        raise ValueError("has a password in it; use an SSH key instead (ssh-copy-id user@host), and take it out")
    match = _SSH.fullmatch(host)
    if match is None:
        raise ValueError(f"'{host}' is neither ssh://user@host[:port] nor unix:///path")
    port = int(match["port"]) if match["port"] else None
    name = match["name"].replace("[", "").replace("]", "")
    return Address(ssh=name, port=port, socket=match["socket"] or _DEFAULT_SOCKET)
