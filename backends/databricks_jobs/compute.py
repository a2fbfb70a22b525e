"""A Databricks workspace as a place to run jobs, and a run of its Jobs service as an Application."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace

from databricks.sdk.errors import BadRequest, NotFound
from databricks.sdk.service import jobs

from backends.cluster.compute import ClusterCompute, Started
from backends.cluster.job import ClusterJob
from backends.cluster.shared_folder import SharedFolder
from backends.databricks_jobs.settings import DatabricksSettings
from backends.databricks_jobs.shared_files import open_files
from backends.databricks_jobs.submission import require_python, run_of
from backends.databricks_jobs.vault import Vault
from backends.databricks_jobs.workspace import Workspace, told
from backends.environment import Environment
from backends.failures import BackendError
from backends.job import RemoteJob, Work
from backends.messages import say
from backends.reach import DATABRICKS

_ENDED = (
    jobs.RunLifeCycleState.TERMINATED,
    jobs.RunLifeCycleState.SKIPPED,
    jobs.RunLifeCycleState.INTERNAL_ERROR,
)
_LOOKED_BACK = 7 * 24 * 3600.0
_LONGEST_WORDS = 300
_TRACKING, _REGISTRY = "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"


class WorkspaceCompute(ClusterCompute):
    """A Compute: one workspace, and a folder of its files."""

    def __init__(self, workspace: Workspace, settings: DatabricksSettings) -> None:
        self._files = open_files(workspace, settings.files)
        super().__init__(workspace.place, self._files, settings.reconnect_minutes * 60)
        self._client = workspace.client
        self._vault = Vault(workspace)
        self._settings = settings
        self._spark_version = self._known_spark_version()

    def _known_spark_version(self) -> str | None:
        if self._settings.new_cluster is not None:
            return self._settings.new_cluster.spark_version
        cluster = self._settings.existing_cluster_id
        if cluster is None:
            return None
        with told(self.place):
            try:
                return str(self._client.clusters.get(cluster).spark_version)
            except (NotFound, BadRequest) as error:
                raise BackendError(
                    f"{self.place}: there is no cluster {cluster}. `databricks clusters list` shows those there are; "
                    "correct existing_cluster_id, or use new_cluster."
                ) from error

    def prepare(self, environment: Environment) -> str:
        """Check that the compute's Python will do: it is the service that installs the packages, for each run."""
        require_python(environment, self._settings, self._spark_version)
        count = len(environment.requirements)
        if self._settings.serverless is not None:
            return f"{self.place}: serverless compute makes the environment of {count} packages, and keeps it."
        return f"{self.place}: the cluster installs {count} packages before the job begins."

    def start(self, work: Work, environment: Environment) -> RemoteJob:
        """Start the job, which is signed in to its workspace without a profile's name."""
        return super().start(replace(work, environment=inside(work.environment)), environment)

    def hide(self, work: Work, started: Started) -> dict[str, object]:
        """Put the secrets into the vault."""
        if not work.secrets:
            return {}
        self._vault.put(started.run_id, work.secrets)
        return {"vault": {"scope": self._vault.scope, "key": started.run_id}}

    def submit(self, started: Started, environment: Environment) -> str:
        """Submit the run; the SDK asks again where the answer is lost, and the token makes it one run."""
        with told(self.place):
            try:
                waiting = self._client.jobs.submit(**run_of(started, self._files.root, environment, self._settings))
            except NotFound as error:
                raise BackendError(f"{self.place}: refuses: {error}") from error
        return str(waiting.run_id)

    def search(self, name: str) -> str | None:
        """Return the id of the run of that name."""
        since = round((time.time() - _LOOKED_BACK) * 1000)
        with told(self.place):
            runs = self._client.jobs.list_runs(run_type=jobs.RunType.SUBMIT_RUN, start_time_from=since)
            return next((str(run.run_id) for run in runs if run.run_name == name), None)

    def application(self, service_id: str) -> JobRun:
        """Return the run of that id."""
        return JobRun(self._client.jobs, self.place, int(service_id))

    def clean(self) -> list[str]:
        """Remove jobs that have ended, whatever is kept for others, and the secrets of these jobs."""
        runs = [started.run_id for started in self._all_started()]
        sentences = super().clean()
        for run_id in runs:  # those that the service never had, too
            self._vault.remove(run_id)
        return sentences + ([f"{self.place}: removed secret scope {self._vault.scope}."] if self._vault.close() else [])

    def _job(self, started: Started) -> ClusterJob:
        application = self.application(started.service_id)
        return SecretiveJob(self._vault, started.run_id, self.place, self.shared, application, self.patience)

    def _withdraw(self, started: Started) -> None:
        super()._withdraw(started)
        try:
            self._vault.remove(started.run_id)
        except BackendError as error:  # the first failure is the one to be told
            say(f"{self.place}: the job's secret could not be removed: {error}")


class SecretiveJob(ClusterJob):
    """A ClusterJob with a secret in the vault."""

    def __init__(
        self, vault: Vault, run_id: str, place: str, shared: SharedFolder, application: JobRun, patience: float
    ) -> None:
        super().__init__(run_id, place, shared, application, patience)
        self._vault = vault

    def remove(self) -> None:
        """Remove the secret as well."""
        self._vault.remove(self.run_id)
        super().remove()


class JobRun:
    """An Application: one run of the Jobs service."""

    def __init__(self, api: jobs.JobsAPI, place: str, run_id: int) -> None:
        self._api = api
        self._place = place
        self._run_id = run_id

    def ended(self) -> str | None:
        """Return None while it waits or runs; then what the service says of its end."""
        with told(self._place):
            try:
                run = self._api.get_run(self._run_id)
                return self._words(run) if has_ended(run) else None
            except NotFound:
                return "its run was deleted from the workspace"

    def _words(self, run: jobs.Run) -> str:
        words = why(run)
        if not words or not run.tasks or _was_cancelled(run):
            return words
        try:
            output = self._api.get_run_output(run.tasks[0].run_id or self._run_id)
        except (BadRequest, NotFound):  # it never came so far
            return words
        return ": ".join(part for part in (words, last_words(output)) if part)

    def cancel(self) -> None:
        """Cancel it, unless it has ended; the workspace lists it for 60 days."""
        with told(self._place):
            try:
                run = self._api.get_run(self._run_id)
                if not has_ended(run) and _life(run) is not jobs.RunLifeCycleState.TERMINATING:
                    self._api.cancel_run(self._run_id)
            except (NotFound, BadRequest):
                return


def _life(run: jobs.Run) -> jobs.RunLifeCycleState | None:
    return run.state.life_cycle_state if run.state else None


def _was_cancelled(run: jobs.Run) -> bool:
    return bool(run.state) and run.state.result_state is jobs.RunResultState.CANCELED


def has_ended(run: jobs.Run) -> bool:
    """Whether nothing of the run is at work any more, by the newer ``status`` or else the older ``state``."""
    if run.status and run.status.state:
        return run.status.state is jobs.RunLifecycleStateV2State.TERMINATED
    return _life(run) in _ENDED


def why(run: jobs.Run) -> str:
    """Return the service's words for an end that was no success."""
    details = run.status.termination_details if run.status else None
    if details and details.code:
        if details.code is jobs.TerminationCodeCode.SUCCESS:
            return ""
        return f"Databricks says {details.code.value}: {_short(details.message or '')}".rstrip(": ")
    result = run.state.result_state if run.state else None
    if result is jobs.RunResultState.SUCCESS:
        return ""
    said = _short((run.state.state_message if run.state else "") or "")
    return f"Databricks says {result.value if result else 'that the run did not end well'}: {said}".rstrip(": ")


def last_words(output: jobs.RunOutput) -> str:
    """Return the error of the task, or else the last line that it wrote; of a long log the end may be cut off."""
    if output.error:
        return _short(output.error)
    lines = [line for line in (output.logs or "").splitlines() if line.strip()]
    if not lines:
        return ""
    return f"{_short(lines[-1])}{' (the log is cut off here)' if output.logs_truncated else ''}"


def _short(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _LONGEST_WORDS else line[:_LONGEST_WORDS] + " ..."


def inside(environment: Mapping[str, str], here: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment with tracking store and registry named as a job in the workspace names them."""
    named = dict(environment)
    if here.get(_REGISTRY):
        named.setdefault(_REGISTRY, here[_REGISTRY])
    for key in (_TRACKING, _REGISTRY):
        scheme = named.get(key, "").partition("://")[0]
        if scheme in DATABRICKS:
            named[key] = scheme  # a profile is a matter of this machine
    return named
