"""A cluster as a place to run jobs: what is put in the shared folder, and how jobs are found there again."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace

from backends import project, runs, shipping
from backends.cluster.job import Application, ClusterJob
from backends.cluster.shared_folder import SharedFolder
from backends.environment import Environment
from backends.failures import BackendError
from backends.job import RemoteJob, Work
from backends.messages import say

_SECONDS_TO_SUBMIT = 600.0


@dataclass(frozen=True)
class Started:
    """A job that has been handed to the service, or is about to be.

    Attributes
    ----------
    run_id, identity : str
        As in Work.
    name : str
        What the service shows, and by which it can be asked for the job.
    at : float
        When, in seconds since 1970.
    service_id : str
        The service's own name for it; empty while the service has not answered.
    """

    run_id: str
    identity: str
    name: str
    at: float
    service_id: str = ""

    @property
    def folder(self) -> str:
        """The job's folder in the shared folder."""
        return f"jobs/{self.run_id}"

    @property
    def driver(self) -> str:
        """The application's main file in the shared folder; its arguments are the shared folder and the run's id."""
        return f"{self.folder}/driver.py"


class ClusterCompute(ABC):
    """A Compute but for what one service does differently.

    Submitting
        ``submit`` hands the job to the service once. Where its answer is lost it must find out by the job's name
        whether the service has it, and hand it over again only if not.
    Errors
        Those of a SharedFolder.

    Parameters
    ----------
    place : str
        The cluster as a person calls it.
    shared : SharedFolder
    patience : float
        Seconds for which a lost connection is tried again.
    """

    def __init__(self, place: str, shared: SharedFolder, patience: float) -> None:
        self.place = place
        self.shared = shared
        self.patience = patience

    @abstractmethod
    def prepare(self, environment: Environment) -> str:
        """Make the environment there, as Compute has it."""

    @abstractmethod
    def submit(self, started: Started, environment: Environment) -> str:
        """Let the service run ``started.driver``; return the service's id of it."""

    @abstractmethod
    def search(self, name: str) -> str | None:
        """Return the service's id of the job of that name, None where there is none."""

    @abstractmethod
    def application(self, service_id: str) -> Application:
        """Return what the service knows of a job."""

    def hide(self, work: Work, started: Started) -> dict[str, object]:
        """Put the secrets where the driver alone finds them; return what the orders say of it."""
        if work.secrets:
            self.shared.put(f"{started.folder}/secrets.json", json.dumps(dict(work.secrets)).encode())
        return {}

    def start(self, work: Work, environment: Environment) -> RemoteJob:
        """Put everything in the shared folder and hand the job to the service."""
        started = Started(work.run_id, work.identity, f"gridfold-{work.identity}-{work.run_id}", time.time())
        try:
            self._note(started)
            self.shared.put(started.driver, shipping.for_spark())
            orders = {
                "command": work.command,
                "environment": {"PYTHONUNBUFFERED": "1", **work.environment},
                "project": self._put_project(work.project),
                **self.hide(work, started),
            }
            self.shared.put(f"{started.folder}/orders.json", json.dumps(orders).encode())
            started = replace(started, service_id=self.submit(started, environment))
            self._note(started)
        except BaseException:
            self._withdraw(started)
            raise
        return self._job(started)

    def _put_project(self, files: project.Project) -> str:
        """Put the project there under the hash of what was packed: its files may be saved again at any moment."""
        archive = project.archive((str(file), files.folder / file) for file in files.files)
        name = f"projects/{hashlib.sha256(archive).hexdigest()[:16]}.tar.gz"
        if name not in self.shared.names(name):
            self.shared.put(name, gzip.compress(archive, mtime=0))
        return name

    def _note(self, started: Started) -> None:
        self.shared.put(f"started/{started.run_id}.json", json.dumps(asdict(started)).encode())

    def _withdraw(self, started: Started) -> None:
        """Leave nothing of a job that could not be started; a driver that starts all the same finds no orders."""
        try:
            self.shared.remove(f"{started.folder}/")
            service_id = started.service_id or self.search(started.name)
            if service_id:
                self.application(service_id).cancel()
            self.shared.remove(f"started/{started.run_id}.json")
        except BackendError as error:  # the first failure is the one to be told
            say(f"{self.place}: what was put there could not be removed: {error}")

    def _all_started(self) -> Iterator[Started]:
        for name in self.shared.names("started/"):
            content = self.shared.get(name)
            if content is not None:
                yield Started(**json.loads(content))

    def _job(self, started: Started) -> ClusterJob:
        application = self.application(started.service_id)
        return ClusterJob(started.run_id, self.place, self.shared, application, self.patience)

    def _submitted(self, started: Started) -> Started | None:
        """Return a job with the service's id, None where the service has not got it."""
        if started.service_id:
            return started
        service_id = self.search(started.name)
        if service_id is None:
            return None
        found = replace(started, service_id=service_id)
        self._note(found)
        return found

    def find(self, identity: str) -> list[str]:
        """Return the runs of the same command."""
        return [started.run_id for started in self._all_started() if started.identity == identity]

    def attach(self, run_id: str) -> RemoteJob | None:
        """Return the job of this run."""
        for started in self._all_started():
            if started.run_id == run_id and (found := self._submitted(started)):
                return self._job(found)
        return None

    def clean(self) -> list[str]:
        """Remove jobs that have ended, projects and environments, unless a job runs."""
        started = list(self._all_started())
        jobs = self._ended(started)
        for job in jobs:
            runs.settle_unfollowed(job.run_id, job.ending())
            job.remove()
        known = {each.run_id for each in started}
        if new := next((each for each in self._all_started() if each.run_id not in known), None):
            raise BackendError(f"{self.place}: run {new.run_id} was started meanwhile; wait for it, then clean.")
        shared = [name for name in self.shared.names("") if name.startswith(("environments/", "projects/"))]
        self.shared.remove("")
        removed = [f"the job of run {job.run_id}" for job in jobs] + shared
        return [f"{self.place}: removed {what}." for what in removed]

    def _ended(self, all_started: Iterable[Started]) -> list[ClusterJob]:
        """Return the jobs that the service knows, all of which have ended."""
        jobs = []
        for started in all_started:
            found = self._submitted(started)
            job = self._job(found) if found else None
            if job.is_running() if job else time.time() - started.at < _SECONDS_TO_SUBMIT:
                raise BackendError(
                    f"{self.place}: run {started.run_id} is still running there; stop it or wait, then clean."
                )
            jobs += [job] if job else []
        return jobs
