"""The Docker engine at the other end of the connection, with its refusals turned into one line each."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException

from backends.dsvm.settings import DsvmSettings, parse_host
from backends.dsvm.ssh import Connection
from backends.failures import BackendError, ConnectionLostError
from backends.sizes import MIB

# What a request or a stream raises when the connection breaks under it: docker-py lets several libraries' errors pass.
Broken = (requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError, EOFError, TimeoutError)
_SECONDS_TO_ANSWER = 120
_SECONDS_TO_END = 1.0  # a stream breaks an instant before its ssh ends
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0


class Engine:
    """A Docker engine that can be reached again when the connection to it breaks.

    Attributes
    ----------
    client : docker.DockerClient
        Of the present connection; ask for it anew after a break.
    place : str
        The machine as a person calls it.
    """

    client: docker.DockerClient

    def __init__(self, settings: DsvmSettings) -> None:
        address = parse_host(settings.host)
        self.place = address.place
        self.connection = Connection(address)
        self._socket = address.socket
        self._patience = settings.reconnect_minutes * 60

    def open(self) -> None:
        """Connect.

        Raises
        ------
        BackendError, ConnectionLostError
            One line that says why not.
        """
        self.connection.open()
        try:
            self.client = docker.DockerClient(
                base_url=f"unix://{self.connection.socket}",
                version="auto",
                timeout=_SECONDS_TO_ANSWER,
                max_pool_size=32,
            )
        except DockerException as error:
            if "Permission denied" in str(error):
                raise BackendError(
                    f"{self.place}: you may not use the Docker engine at {self._socket}. "
                    "Run: sudo usermod -aG docker $USER, and log in again."
                ) from error
            raise ConnectionLostError(
                f"{self.place}: the Docker engine at {self._socket} does not answer. "
                f"Start it: sudo systemctl start docker.{self._if_it_runs()}"
            ) from error

    def _if_it_runs(self) -> str:
        """Return what else to look at: what ssh says is the same for a dead engine and for an sshd that forbids it."""
        if not self.connection.is_forwarded:
            return ""
        return " If it runs, sshd forbids forwarding: set AllowStreamLocalForwarding yes in sshd_config there."

    def reopen(self, is_lost: Callable[[], None] = lambda: None) -> None:
        """Connect again after a break, trying for as long as the configuration says.

        Parameters
        ----------
        is_lost : callable
            Called if it is the SSH connection that broke: the job goes on then. It may have ended with an engine that
            went away behind a connection that stands.

        Raises
        ------
        ConnectionLostError
            It has not come back in that time.
        """
        give_up, pause = time.monotonic() + self._patience, _FIRST_PAUSE
        if self.connection.has_ended(_SECONDS_TO_END):  # asked before anything here cuts it or connects again
            is_lost()
        while True:
            try:
                self.open()
                self.client.ping()
                return
            except (BackendError, *Broken, APIError) as error:  # a starting engine may have no socket yet
                self.connection.cut()
                if time.monotonic() + pause > give_up:
                    raise ConnectionLostError(str(error)) from error
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def insist(self, call: Callable[[docker.DockerClient], None]) -> None:
        """Make a call that may be made twice, over a new connection if the present one breaks under it.

        Raises
        ------
        BackendError, ConnectionLostError
            The engine refuses, or cannot be reached again.
        """
        try:
            with refusals(self.place):
                call(self.client)
        except ConnectionLostError:
            self.reopen()
            with refusals(self.place):
                call(self.client)

    def close(self) -> None:
        """Disconnect."""
        self.connection.close()


@contextmanager
def connected(settings: DsvmSettings) -> Iterator[Engine]:
    """Connect to the VM's engine, and check that it has what the configuration asks for.

    Raises
    ------
    BackendError
        One line: no connection, no engine, no rights, or not enough cores or memory.
    """
    engine = Engine(settings)
    try:
        engine.open()
        with refusals(engine.place):
            _check_sizes(engine, settings)
        yield engine
    finally:
        engine.close()


@contextmanager
def refusals(place: str) -> Iterator[None]:
    """Turn the engine's refusals into a BackendError, and a broken connection into ConnectionLostError."""
    try:
        yield
    except APIError as error:
        raise BackendError(f"{place}: {explain(str(error.explanation or error))}") from error
    except Broken as error:
        raise ConnectionLostError(f"{place}: the connection was lost.") from error


def explain(said: str) -> str:
    """Say in one line what the engine's refusal means."""
    said = " ".join(said.split()).rstrip(".")
    if "no space left on device" in said.lower():
        return "its disk is full. Free some space there (docker system prune, or mlflow run . -e clean -b dsvm ...)."
    if "could not select device driver" in said or "nvidia" in said.lower():
        return f'its engine has no GPU support ({said}). Install nvidia-container-toolkit there, or set "gpus": 0.'
    if match := re.search(r"network (\S+) not found", said):
        return f"it has no Docker network '{match[1]}'. Create it (docker network create {match[1]}), or use 'bridge'."
    return f"Docker says: {said}."


def _check_sizes(engine: Engine, settings: DsvmSettings) -> None:
    info: dict[str, Any] = engine.client.info()
    if settings.cpus is not None and settings.cpus > info["NCPU"]:
        raise BackendError(f"cpus: {settings.cpus:g} asked for, and {engine.place} has {info['NCPU']}.")
    if settings.memory is not None and settings.memory > info["MemTotal"]:
        raise BackendError(
            f"memory: {settings.memory / MIB:,.0f} MiB asked for, and {engine.place} has "
            f"{info['MemTotal'] / MIB:,.0f} MiB."
        )
    if info["OSType"] != "linux":
        raise BackendError(f"{engine.place}: its engine runs {info['OSType']} containers; Linux ones are needed.")
