"""The part of a backend that is the same everywhere: ``mlflow run -b NAME`` from its first check to its exit status.

MLflow's command line never waits for the run of a plugin, so ``run`` here blocks until the job has ended, and fails
with MLflow's ExecutionException, which is what makes ``mlflow run`` print one line and exit non-zero.
"""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import Any, ClassVar

from mlflow.exceptions import ExecutionException
from mlflow.projects.backend.abstract_backend import AbstractBackend
from mlflow.projects.submitted_run import SubmittedRun
from mlflow.projects.utils import get_or_create_run
from mlflow.tracking import MlflowClient

from backends import configuration, environment, project, reach, runs, secrets
from backends.configuration import Settings
from backends.failures import BackendError
from backends.following import follow, following
from backends.job import Compute, RemoteJob, Work
from backends.messages import say
from backends.request import Request
from errors import GridfoldError
from masking import CREDENTIALS, masked, secret_in, shown


class RemoteBackend(AbstractBackend, ABC):  # type: ignore[misc]  # mlflow has no types
    """A backend whose jobs run on some Compute.

    Attributes
    ----------
    name : str
        The word after ``-b``.
    settings : type
        The keys of its JSON file.
    """

    name: ClassVar[str]
    settings: ClassVar[type[Settings]]

    @abstractmethod
    def open(self, settings: Any, request: Request) -> AbstractContextManager[Compute]:
        """Reach the place and check what can be checked there, as Compute has it."""

    def check(self, settings: Any, request: Request) -> None:
        """Refuse what cannot work, before anything is reached or started."""
        reach.require(request.tracking_uri, request.artifact_location(), self.name, "there")

    def secrets(self, settings: Any, request: Request) -> dict[str, str]:
        """Return the environment values that must travel unseen."""
        return secrets.values(getattr(settings, "environment", ()), self.name) | secrets.tracking_credentials()

    def run(
        self,
        project_uri: str,
        entry_point: str,
        params: Mapping[str, Any] | None,
        version: str | None,
        backend_config: Mapping[str, Any],
        tracking_uri: str,
        experiment_id: str,
    ) -> SubmittedRun:
        """Run an entry point there and return when it has ended; the signature is MLflow's.

        Raises
        ------
        ExecutionException
            With the one line that MLflow prints.
        """
        try:
            request = Request.of(project_uri, entry_point, params, version, tracking_uri, experiment_id)
            _check_open(request)
            settings = configuration.load(self.settings, backend_config, self.name)
            run_id = self._run(settings, request)
        except GridfoldError as error:
            raise ExecutionException(masked(str(error))) from None
        return EndedRun(run_id)

    def _run(self, settings: Any, request: Request) -> str:
        if request.entry_point == "clean":
            return self._clean(settings, request)
        needed = environment.read(request.environment_file())
        if request.entry_point == "prepare":
            with self.open(settings, request) as compute:
                say(compute.prepare(needed))
            return _finished(self._new_run(request))
        self.check(settings, request)
        hidden = self.secrets(settings, request)
        with self.open(settings, request) as compute, ExitStack() as held:
            job = _job_of_before(compute, request, held) or self._start(compute, request, hidden, needed, held)
            return follow(job, compute.place, request)

    def _clean(self, settings: Any, request: Request) -> str:
        with self.open(settings, request) as compute:
            for sentence in compute.clean() or [f"{compute.place}: there was nothing to remove."]:
                say(sentence)
        return _finished(self._new_run(request))

    def _start(
        self,
        compute: Compute,
        request: Request,
        hidden: Mapping[str, str],
        needed: environment.Environment,
        held: ExitStack,
    ) -> RemoteJob:
        files = project.find(request.folder)
        project.check_spec(files, request.params.get("space", ""))
        say(f"{compute.place}: sends {files.summary}.")
        say(compute.prepare(needed))
        run_id = self._new_run(request)
        held.enter_context(following(run_id))
        shown_to_all, hidden = _parted(request.run_environment(run_id), hidden)
        work = Work(
            run_id=run_id,
            identity=request.identity,
            command=request.command(),
            project=files,
            environment=shown_to_all,
            secrets=hidden,
            terminal=_terminal(),
        )
        try:
            job = compute.start(work, needed)
        except BaseException as error:
            status = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
            runs.settle(MlflowClient(), run_id, status, masked(str(error)) or status.lower())
            raise
        say(f"{compute.place}: started run {run_id} with {len(files.files):,} files.")
        return job

    def _new_run(self, request: Request) -> str:
        run = get_or_create_run(
            None,
            shown(request.project_uri),
            request.experiment_id,
            str(request.folder),
            request.version,
            request.entry_point,
            dict(request.params),
        )
        MlflowClient().set_tag(run.info.run_id, "mlflow.project.backend", self.name)
        return str(run.info.run_id)


class EndedRun(SubmittedRun):  # type: ignore[misc]  # mlflow has no types
    """A job that has succeeded; whatever else ends in an exception before one of these exists."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id

    @property
    def run_id(self) -> str:
        """The MLflow run that the job logged to."""
        return self._run_id

    def wait(self) -> bool:
        """Return True: it has succeeded."""
        return True

    def get_status(self) -> str:
        """Return FINISHED."""
        return "FINISHED"

    def cancel(self) -> None:
        """Do nothing: it has ended."""


def _job_of_before(compute: Compute, request: Request, held: ExitStack) -> RemoteJob | None:
    """Return the job that an earlier command has started and nobody follows any more, and hold it.

    Raises
    ------
    BackendError
        The request names a job that is not there, or that another process follows.
    """
    if request.attach:
        if not held.enter_context(following(request.attach)):
            raise BackendError(f"run {request.attach} is being followed by another process on this machine.")
        job = compute.attach(request.attach)
        if job is None:
            raise BackendError(
                f"{compute.place}: there is no job of run {request.attach}; it has ended and been removed."
            )
        return job
    for run_id in compute.find(request.identity):
        # Asked for once we hold it: whoever held it until now may have removed it.
        job = compute.attach(run_id) if held.enter_context(following(run_id)) else None
        if job is not None:
            say(f"{compute.place}: this command was started before; following run {run_id} again.")
            return job
    return None


def _parted(environment: Mapping[str, str], hidden: Mapping[str, str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the job's environment and its secrets, the values with a secret in them (a database's address) moved."""
    secret = {name: value for name, value in environment.items() if secret_in(value)}
    return {name: value for name, value in environment.items() if name not in secret}, {**hidden, **secret}


def _check_open(request: Request) -> None:
    """Refuse secrets among what the run and the job's orders repeat for others to read."""
    for name, value in request.params.items():
        if form := secret_in(value):
            raise BackendError(
                f"-P {name} has a secret in it ({form}), and a run's parameters are there for all to read. Nothing was "
                f"recorded; {CREDENTIALS}"
            )
    if request.tracking_uri.startswith("http") and (form := secret_in(request.tracking_uri)):
        raise BackendError(
            f"MLFLOW_TRACKING_URI has {form}, which a job elsewhere would repeat. Take it out, and set "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN: they travel unseen."
        )


def _finished(run_id: str) -> str:
    runs.settle(MlflowClient(), run_id, "FINISHED")
    return run_id


def _terminal() -> tuple[int, int] | None:
    if not sys.stdout.isatty():
        return None
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    return rows, columns
