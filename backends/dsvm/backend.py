"""The plugin that ``-b dsvm`` names, and the VM as a place to run jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from backends import reach, runs, secrets
from backends.dsvm import container, image
from backends.dsvm.engine import Engine, connected, refusals
from backends.dsvm.settings import DsvmSettings, parse_host
from backends.dsvm.store import serve
from backends.dsvm.tunnel import Tunnel
from backends.environment import Environment
from backends.failures import BackendError
from backends.job import Compute, RemoteJob, Work
from backends.plugin import RemoteBackend
from backends.request import Request


class DsvmBackend(RemoteBackend):
    """Runs entry points in a container on a VM."""

    name = "dsvm"
    settings = DsvmSettings

    def check(self, settings: DsvmSettings, request: Request) -> None:
        """Refuse a tracking store that the VM cannot reach."""
        if settings.tunnel:
            return
        place = parse_host(settings.host).place
        advice = 'put "tunnel": true in backends/dsvm.json'
        if settings.network == "host" and place == "this machine" and request.tracking_uri.startswith("http"):
            return  # our loopback is the container's
        reach.require(request.tracking_uri, request.artifact_location(), self.name, place, advice)

    def secrets(self, settings: DsvmSettings, request: Request) -> dict[str, str]:
        """Return what must travel unseen; with a tunnel the store's own credentials stay here."""
        named = secrets.values(settings.environment, self.name)
        return named if settings.tunnel else named | secrets.tracking_credentials()

    @contextmanager
    def open(self, settings: DsvmSettings, request: Request) -> Iterator[Compute]:
        """Connect to the VM."""
        with connected(settings) as engine, ExitStack() as open_things:
            yield Vm(engine, settings, request, open_things)


class Vm:
    """A Compute: one VM's engine."""

    def __init__(self, engine: Engine, settings: DsvmSettings, request: Request, open_things: ExitStack) -> None:
        self._engine = engine
        self._settings = settings
        self._request = request
        self._open_things = open_things
        self.place = engine.place

    def prepare(self, environment: Environment) -> str:
        """Make the image, or find it."""
        return image.prepare(self._engine, environment, self._settings)

    def start(self, work: Work, environment: Environment) -> RemoteJob:
        """Start the container."""
        tunnel = self._tunnel() if self._settings.tunnel else None
        made = container.create(self._engine, image.tag(environment, self._settings), work, self._settings)
        job = container.DsvmJob(self._engine, made, self._settings)
        if tunnel is not None:
            tunnel.connect(job)
        return job

    def find(self, identity: str) -> list[str]:
        """Return the runs of the same command, the newest first."""
        return [found.labels[container.RUN] for found in self._followable(f"{container.IDENTITY}={identity}")]

    def attach(self, run_id: str) -> RemoteJob | None:
        """Return the job of this run; one that was never started, since its maker was killed before, is removed."""
        found = self._followable(f"{container.RUN}={run_id}")
        if not found:
            return None
        if found[0].status == container.NOT_STARTED:
            with refusals(self.place):
                container.remove(self._engine.client, found[0].id)
            runs.settle_unfollowed(run_id, container.ending(found[0].attrs["State"], None))
            return None
        return self._resumed(found[0])

    def clean(self) -> list[str]:
        """Remove containers that have ended, then images and the cache, unless a job runs."""
        with refusals(self.place):
            ended = self._ended()
            return [*map(self._removed, ended), *self._kept_for_jobs_removed()]

    def _ended(self) -> list[Any]:
        """Return our containers, all of which have ended, or will never begin."""
        jobs = self._jobs(image.LABEL)
        for job in jobs:
            if container.is_alive(self._engine.client, job):
                what = job.labels.get(container.RUN, "another command's image build")
                raise BackendError(f"{self.place}: {what} is still running there; stop it or wait, then clean.")
        return jobs

    def _removed(self, job: Any) -> str:
        """Remove a container, after the run of a job that nobody has followed to its end has ended too."""
        run_id = job.labels.get(container.RUN)
        if run_id and not job.name.startswith(container.KEPT):
            ending = container.ending(job.attrs["State"], job.attrs["HostConfig"]["Memory"])
            runs.settle_unfollowed(run_id, ending)
        container.remove(self._engine.client, job.id)
        return f"{self.place}: removed container {job.name}."

    def _kept_for_jobs_removed(self) -> Iterator[str]:
        """Remove images and the cache."""
        client = self._engine.client
        for found in client.images.list(filters={"label": f"{image.LABEL}=environment"}):
            client.images.remove(found.id, force=True)
            yield f"{self.place}: removed image {', '.join(found.tags)}."
        for volume in client.volumes.list(filters={"name": container.CACHE}):
            if volume.name == container.CACHE:  # the engine's filter takes names that only contain it
                volume.remove()
                yield f"{self.place}: removed volume {volume.name}."

    def _followable(self, label: str) -> list[Any]:
        return [found for found in self._jobs(label) if not found.name.startswith(container.KEPT)]

    def _jobs(self, label: str) -> list[Any]:
        with refusals(self.place):
            return list(self._engine.client.containers.list(all=True, filters={"label": label}, ignore_removed=True))

    def _resumed(self, found: Any) -> RemoteJob:
        """Return a job that another process started; its tunnel is connected when it is followed."""
        job = container.DsvmJob(self._engine, found, self._settings)
        if job.has_tunnel and found.status == "running":
            self._tunnel().connect(job)
        return job

    def _tunnel(self) -> Tunnel:
        store = serve(self._request.tracking_uri)
        self._open_things.callback(store.close)
        tunnel = Tunnel(self._engine, store)
        self._open_things.callback(tunnel.close)
        return tunnel
