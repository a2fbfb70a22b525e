"""What ``mlflow run`` was asked to do, before any backend has a say."""

from __future__ import annotations

import getpass
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.projects import env_type
from mlflow.projects.utils import fetch_and_validate_project, load_project
from mlflow.tracking import MlflowClient

from backends.failures import BackendError
from cache import fingerprint


@dataclass(frozen=True)
class Request:
    """One ``mlflow run`` of a project.

    Attributes
    ----------
    project_uri, entry_point, params, version, tracking_uri, experiment_id
        As MLflow hands them to a backend, without ``attach``.
    folder : Path
        The project's, on this machine.
    attach : str or None
        The run whose job is to be followed again.
    """

    project_uri: str
    entry_point: str
    params: Mapping[str, str]
    version: str | None
    tracking_uri: str
    experiment_id: str
    folder: Path
    attach: str | None

    @classmethod
    def of(
        cls,
        project_uri: str,
        entry_point: str,
        params: Mapping[str, Any] | None,
        version: str | None,
        tracking_uri: str,
        experiment_id: str,
    ) -> Request:
        """Fetch the project and check the request against its MLproject.

        Raises
        ------
        BackendError
            MLflow refuses the project, the entry point or the parameters.
        """
        given = {name: str(value) for name, value in (params or {}).items()}
        attach = given.pop("attach", None)
        try:
            folder = fetch_and_validate_project(project_uri, version, entry_point, given)
            load_project(folder).get_entry_point(entry_point)
        except MlflowException as error:
            raise BackendError(str(error)) from error
        return cls(
            project_uri, entry_point, given, version, tracking_uri, experiment_id, Path(folder).resolve(), attach
        )

    @property
    def identity(self) -> str:
        """The same for the same command typed by the same person on the same machine again."""
        return fingerprint(
            who=f"{getpass.getuser()}@{platform.node()}",
            project=self.folder.as_posix() if _is_here(self.project_uri) else self.project_uri,
            version=self.version,
            entry_point=self.entry_point,
            params=dict(self.params),
            tracking=self.tracking_uri,
            experiment=self.experiment_id,
        )

    def environment_file(self) -> Path:
        """Return the project's conda.yaml.

        Raises
        ------
        BackendError
            MLproject names none.
        """
        project = load_project(str(self.folder))
        if project.env_type != env_type.CONDA or not project.env_config_path:
            raise BackendError(
                f"{self.folder / 'MLproject'}: needs a conda_env; the remote environment is made from it."
            )
        return Path(project.env_config_path)

    def command(self) -> str:
        """Return the line for the shell that runs the entry point."""
        entry_point = load_project(str(self.folder)).get_entry_point(self.entry_point)
        return str(entry_point.compute_command(dict(self.params), None))  # None: nothing is downloaded to this machine

    def run_environment(self, run_id: str) -> dict[str, str]:
        """Return what tells MLflow, in the job, where it logs to."""
        return {
            "MLFLOW_RUN_ID": run_id,
            "MLFLOW_EXPERIMENT_ID": self.experiment_id,
            "MLFLOW_TRACKING_URI": self.tracking_uri,
        }

    def artifact_location(self) -> str:
        """Return where the experiment keeps its artifacts."""
        return str(MlflowClient().get_experiment(self.experiment_id).artifact_location)


def _is_here(project_uri: str) -> bool:
    return Path(project_uri.partition("#")[0]).exists()
