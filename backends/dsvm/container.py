"""One job in one container: made, given its code and orders, followed over broken connections, stopped, removed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from docker.errors import APIError, NotFound
from docker.types import DeviceRequest, LogConfig

from backends import project, shipping
from backends.dsvm import image, streams
from backends.dsvm.engine import Broken, Engine, explain, refusals
from backends.dsvm.logs import LogReader
from backends.dsvm.settings import DsvmSettings
from backends.dsvm.streams import timestamp
from backends.failures import BackendError
from backends.guest import supervisor
from backends.guest.reach import UNREACHABLE
from backends.job import Ending, Work, Write
from backends.messages import say
from backends.sizes import MIB

CACHE = "gridfold-cache"
KEPT = "gridfold-kept-"
RUN, IDENTITY, TUNNEL = "gridfold.run", "gridfold.identity", "gridfold.tunnel"
GUEST = "/opt/gridfold.pyz"
_HOME = "/cache/home"
_LOG_LIMITS = {"max-size": "64m", "max-file": "2"}
_KILLED, _STOPPED = 137, 143
NOT_STARTED = "created"
_ALIVE = ("running", "paused", "restarting")
_SECONDS_TO_BEGIN = 600.0
_REFUSALS = 5
_PATIENT_REQUESTS = str(7 * 24 * 3600)
_STORE = "MLFLOW_TRACKING_URI"


def create(engine: Engine, image_name: str, work: Work, settings: DsvmSettings) -> Any:
    """Make the job's container and start it with its orders.

    Raises
    ------
    BackendError
        The engine refuses; nothing is left there.
    """
    with refusals(engine.place):
        made = engine.client.containers.create(image_name, **options(work, settings))
        try:
            made.put_archive("/", _code(work.project))
            pipe = streams.Pipe(made.attach_socket(params={"stdin": 1, "stream": 1}))
            made.start()
            pipe.write(supervisor.envelope(_orders(work, settings)))
            pipe.close()
        except BaseException:
            with suppress(*Broken, APIError):  # what stays is never started, and removed where it is found
                remove(engine.client, made.id)
            raise
    return made


def options(work: Work, settings: DsvmSettings) -> dict[str, Any]:
    """Return docker-py's arguments for the job's container: nothing in them is secret."""
    chosen: dict[str, Any] = {
        "entrypoint": [image.PYTHON],
        "command": [GUEST, "run"],
        "name": f"gridfold-{work.run_id[:12]}",
        "user": image.USER,
        "stdin_open": True,
        "labels": {
            image.LABEL: "job",
            RUN: work.run_id,
            IDENTITY: work.identity,
            TUNNEL: str(settings.tunnel).lower(),
        },
        "network_mode": settings.network,
        "volumes": {CACHE: {"bind": "/cache", "mode": "rw"}},
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "log_config": LogConfig(type="json-file", config=_LOG_LIMITS),
    }
    if settings.cpus is not None:
        chosen["nano_cpus"] = int(settings.cpus * 1e9)
    if settings.memory is not None:
        chosen |= {"mem_limit": settings.memory, "memswap_limit": settings.memory, "shm_size": settings.memory // 2}
    if settings.gpus:
        count = -1 if settings.gpus == "all" else settings.gpus
        chosen["device_requests"] = [DeviceRequest(count=count, capabilities=[["gpu"]])]
    return chosen


class DsvmJob:
    """A RemoteJob in a container."""

    def __init__(self, engine: Engine, container: Any, settings: DsvmSettings) -> None:
        self._engine = engine
        self._id: str = container.id
        self._memory = container.attrs["HostConfig"]["Memory"] or settings.memory
        self._keep = settings.keep
        self._log = LogReader(self._id)
        self.run_id: str = container.labels[RUN]
        self.has_tunnel = container.labels[TUNNEL] == "true"

    def follow(self, write: Write) -> Ending:
        """Write the log until the job ends, as RemoteJob has it."""
        refusals = 0
        while True:
            try:
                self._log.follow(self._engine.client, write)
                state = self._state()
                refusals = 0
                if state["Status"] not in _ALIVE:
                    self._log.follow(self._engine.client, write, live=False)
                    return ending(state, self._memory, self._log.last_line)
                time.sleep(0.2)  # the log has ended an instant before the job
            except NotFound:
                return Ending(_KILLED, "the job's container was removed there.", is_gone=True)
            except APIError as error:  # an engine that is going down refuses before it is gone
                refusals += 1
                if refusals > _REFUSALS:
                    raise BackendError(f"{self._engine.place}: {explain(str(error.explanation or error))}") from error
                time.sleep(1)
            except Broken:
                self._reconnect()

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        self._signal("SIGTERM")

    def kill(self) -> None:
        """Send SIGKILL."""
        self._signal("SIGKILL")

    def remove(self) -> None:
        """Remove the container, or put it aside to be looked into."""
        if not self._keep:
            self._engine.insist(lambda client: remove(client, self._id))
            return
        kept = f"{KEPT}{self.run_id[:12]}"
        with suppress(BackendError):  # it is gone
            self._engine.insist(lambda client: client.api.rename(self._id, kept))
            say(f"{self._engine.place}: kept its container as {kept}.")

    def is_running(self) -> bool:
        """Whether the container runs; raises one of Broken where the engine cannot be asked."""
        return self._state()["Status"] in _ALIVE

    @property
    def container(self) -> str:
        """The container's id."""
        return self._id

    def _signal(self, name: str) -> None:
        def send(client: Any) -> None:
            with suppress(APIError):  # it has ended
                client.api.kill(self._id, name)

        self._engine.insist(send)

    def _reconnect(self) -> None:
        place = self._engine.place
        self._engine.reopen(lambda: say(f"{place}: the connection is lost; the job goes on. Connecting again."))

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._engine.client.api.inspect_container(self._id)["State"]
        return state


def ending(state: Mapping[str, Any], memory: int | None, last_line: str = "") -> Ending:
    """Say how a container ended.

    Parameters
    ----------
    state : mapping
        ``State`` of the engine's inspect.
    memory : int or None
        The container's limit in bytes.
    last_line : str
        Of its log.
    """
    code = int(state["ExitCode"])
    if state.get("Status") == NOT_STARTED:
        return Ending(_KILLED, "the job was never started: its command ended before.")
    if code == 0:
        return Ending(0)
    if state.get("OOMKilled"):
        limit = f"the limit is {memory / MIB:,.0f} MiB" if memory else "the VM has no more"
        return Ending(
            _KILLED,
            f"the job was killed: out of memory; {limit}. Raise 'memory' in the configuration, or use less data.",
        )
    if code == UNREACHABLE:
        return Ending(
            code,
            f"the tracking server cannot be reached from there ({last_line.removeprefix('gridfold: ')}). "
            'Name it as the VM sees it, open its port to the VM, or put "tunnel": true in the configuration.',
        )
    if code == _KILLED:
        return Ending(
            code, "the job was killed from outside: by docker kill, or as the engine or the VM was restarted."
        )
    if code == _STOPPED:
        return Ending(
            code, "the job was stopped from outside: by docker stop, or as the engine or the VM was shut down."
        )
    if state.get("Error"):
        return Ending(code, f"the job could not be started: {state['Error']}")
    return Ending(code, f"the job failed with exit status {code}: {last_line or 'it wrote no log'}")


def is_alive(client: Any, container: Any) -> bool:
    """Whether a container runs, or is still to be started by the command that makes it."""
    if container.status != NOT_STARTED:
        return container.status in _ALIVE
    now, made = client.info()["SystemTime"], container.attrs["Created"]  # both by the engine's clock
    return timestamp(now) - timestamp(made) < _SECONDS_TO_BEGIN


def remove(client: Any, container: str) -> None:
    """Remove a container, whatever it does, and be content if it is gone."""
    try:
        client.api.remove_container(container, force=True)
    except NotFound:
        return
    except APIError as error:
        if error.status_code != 409:  # its removal is under way
            raise


def _orders(work: Work, settings: DsvmSettings) -> dict[str, Any]:
    environment, secrets = dict(work.environment), dict(work.secrets)
    environment |= {"HOME": _HOME, "SWEEP_CACHE": "/cache", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    tunnel = ""
    if settings.tunnel:  # while the connection is lost, a request waits instead of failing
        tunnel = shown_address(environment.pop(_STORE, ""))
        secrets.pop(_STORE, None)  # the job has the tunnel's address in place of the store's
        environment |= {"MLFLOW_HTTP_REQUEST_TIMEOUT": _PATIENT_REQUESTS, "NO_PROXY": "127.0.0.1"}
    if work.terminal:
        environment["TERM"] = "xterm-256color"
    return {
        "command": work.command,
        "environment": environment,
        "secrets": secrets,
        "tunnel": tunnel,
        "terminal": work.terminal,
    }


def shown_address(tracking_uri: str) -> str:
    """Return where a person opens the store; a job behind a tunnel knows another address, which means nothing here."""
    return tracking_uri if tracking_uri.startswith("http") else "http://127.0.0.1:5000"  # where mlflow ui serves


def _code(files: project.Project) -> bytes:
    """Pack the project and our supervisor, owned by root: the job can read them and cannot change them."""
    parts: list[tuple[str, bytes | Path]] = [(f"project/{name}", files.folder / name) for name in files.files]
    return project.archive([(GUEST.lstrip("/"), shipping.for_container()), *parts])
