"""MLflow's client, with every request waited for as its patience allows, and nothing made twice.

Most of MLflow's requests may be sent again: params, tags, statuses and artifacts say the same a second time, and so do
metrics that carry their time. What makes a thing may not: the answer can be lost after the thing was made. Those
methods stand here in full: before they try again they look for what the lost answer would have told.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from tracking.patience import ARTIFACTS, REGISTRY, RUNS, Patience

_REQUEST = "gridfold.request"
_TELLING = ("mlflow.parentRunId", "candidate.key")


class PatientClient:
    """An MlflowClient whose methods wait for faults that may pass.

    Parameters
    ----------
    client : MlflowClient
    patience : Patience
    """

    def __init__(self, client: MlflowClient, patience: Patience) -> None:
        self._client = client
        self.patience = patience
        self._made_again: list[tuple[str, str, str]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name.startswith("_") or not callable(found):
            return found
        service = _service_of(name)
        return lambda *given, **named: self.patience.until_done(
            functools.partial(found, *given, **named), service=service
        )

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: Mapping[str, Any] | None = None,
        run_name: str | None = None,
    ) -> Run:
        """Make a run, known by its parent and candidate, else by a tag of its own."""
        told = dict(tags or {})
        if not all(name in told for name in _TELLING):
            told[_REQUEST] = uuid.uuid4().hex
        wanted = " and ".join(f"tags.`{name}` = '{told[name]}'" for name in (*_TELLING, _REQUEST) if name in told)

        def create() -> Run:
            return _with_id(self._client.create_run(experiment_id, start_time, told, run_name))

        def find_or_create() -> Run:
            found = self._client.search_runs([experiment_id], wanted, max_results=1)
            run = found[0] if found else create()
            self._made_again.append((experiment_id, wanted, run.info.run_id))
            return run

        return self.patience.until_done(create, find_or_create)

    def delete_doubles(self) -> None:
        """Delete the runs that a server made after all of requests whose answers were lost."""
        made_again, self._made_again = self._made_again, []
        for experiment_id, wanted, kept in made_again:
            for run in self.search_runs([experiment_id], wanted):
                if run.info.run_id != kept:
                    self.delete_run(run.info.run_id)

    def create_experiment(self, name: str, **options: Any) -> str:
        """Make an experiment, or find the one that was made under this name meanwhile."""

        def create() -> str:
            try:
                return str(self._client.create_experiment(name, **options))
            except MlflowException as error:
                found = self._client.get_experiment_by_name(name) if _is_there(error) else None
                if found is None:
                    raise
                return str(found.experiment_id)

        return self.patience.until_done(create)

    def create_logged_model(self, experiment_id: str, name: str, source_run_id: str, **options: Any) -> LoggedModel:
        """Make the entry of a run's model."""
        create = functools.partial(
            self._client.create_logged_model, experiment_id, name=name, source_run_id=source_run_id, **options
        )

        def find_or_create() -> LoggedModel:
            found = self._client.search_logged_models([experiment_id], f"source_run_id = '{source_run_id}'")
            return (
                next((model for model in found if model.name == name and model.status == "PENDING"), None) or create()
            )

        return self.patience.until_done(create, find_or_create)

    def log_outputs(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        """Say which models a run has made, those that it is known to have made aside."""

        def log_rest() -> None:
            known = {model.model_id for model in self._client.get_run(run_id).outputs.model_outputs}
            if rest := [model for model in models if model.model_id not in known]:
                self._client.log_outputs(run_id, rest)

        self.patience.until_done(lambda: self._client.log_outputs(run_id, list(models)), log_rest)

    def create_model_version(self, name: str, source: str, run_id: str, **options: Any) -> ModelVersion:
        """Make a version of a registered model."""
        create: Callable[[], ModelVersion] = functools.partial(
            self._client.create_model_version, name, source=source, run_id=run_id, **options
        )

        def find_or_create() -> ModelVersion:
            found = self._client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
            return next((version for version in found if version.source == source), None) or create()

        return self.patience.until_done(create, find_or_create, REGISTRY)


def patient(client: MlflowClient, patience: Patience) -> MlflowClient:
    """Return `client` with every request waited for."""
    return cast(MlflowClient, PatientClient(client, patience))


def briefly_patient(client: MlflowClient) -> MlflowClient:
    """Return a client of the same store for what can be done without: it gives up soon, whoever else waits."""
    plain = client._client if isinstance(client, PatientClient) else client
    return patient(plain, Patience(patience_of(client).store))


def patience_of(client: MlflowClient) -> Patience:
    """Return the patience of a client that ``patient`` gave; one of its own for another."""
    found = client.patience if isinstance(client, PatientClient) else None
    return found or Patience("the tracking store")


def delete_doubles(client: MlflowClient) -> None:
    """Do so where the client knows how; a double that cannot be deleted is no reason to fail."""
    if isinstance(client, PatientClient):
        with suppress(MlflowException):
            client.delete_doubles()


def _service_of(method: str) -> str:
    if "artifact" in method or method in ("log_text", "log_dict", "log_figure"):
        return ARTIFACTS
    return REGISTRY if "registered_model" in method or "model_version" in method else RUNS


def _with_id(run: Run) -> Run:
    if not run.info.run_id:  # an empty answer of a proxy is a whole one to MLflow
        raise MlflowException("The server has answered with a run without an id")
    return run


def _is_there(error: MlflowException) -> bool:
    return bool(error.error_code == "RESOURCE_ALREADY_EXISTS")
