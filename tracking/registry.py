"""The model registry: the refitted winner is logged once, registered, and named by an alias.

Written with ``MlflowClient`` alone. ``log_model`` would take the run, the experiment and the store from process-wide
state, load the model again to try it, and print what the entry point says better. Aliases, not stages: MLflow has
deprecated stages.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient, get_registry_uri
from mlflow.entities import LoggedModelOutput, Metric
from mlflow.entities.model_registry import RegisteredModel as RegisteredModelEntity
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from errors import KeptForLaterError, StoreAwayError, TrackingError
from tracking import model_files, store
from tracking.client import impatient, one_request
from tracking.faults import status_of
from tracking.model_files import FittedModel
from tracking.runs import EntryRun

MODEL = "model"
_NAME_LIMIT = 256
_NO_TAG = "gridfold.may-write"  # nobody sets it, so that nothing is lost with it


@dataclass(frozen=True)
class RegisteredModel:
    """A version in the registry.

    Attributes
    ----------
    name : str
    version : int
    alias : str
    pickled_because : str or None
        Why it could only be pickled; None where it loads without pickles.
    """

    name: str
    version: int
    alias: str
    pickled_because: str | None

    @property
    def uri(self) -> str:
        """What ``mlflow.pyfunc.load_model`` takes."""
        return f"models:/{self.name}@{self.alias}"


def check_model_name(name: str) -> None:
    """Refuse a name that the registry would refuse, before there is a model to lose.

    Raises
    ------
    TrackingError
    """
    if not name.strip() or len(name) > _NAME_LIMIT or set("/:") & set(name) or name.strip(".") == "":
        raise TrackingError(
            f"model_name '{name}' is no name for a registered model: expected 1 to {_NAME_LIMIT} characters without"
            " '/' and ':', such as 'demographics'."
        )


def check_registry(client: MlflowClient, name: str) -> None:
    """Refuse what would keep a model from being registered as `name`, before there is a model to lose.

    A server is asked by what changes nothing, or makes the registered model, still without a version, where there is
    none: whether a person may is known to it alone. One that is away now may be there when the sweep has ended.

    Raises
    ------
    TrackingError
        The name is a prompt's, or this person may not write to it.
    """
    check_model_name(name)
    with suppress(StoreAwayError), store.refusals(f"take models under the name '{name}'"):
        known = _known(client, name)
        if known is None and _is_prompt(client, name):
            raise TrackingError(f"'{name}' is the name of a prompt there. Choose another: -P model_name=NAME.")
        if get_registry_uri().startswith("http"):
            _check_right(client, name, known is not None)


def _check_right(client: MlflowClient, name: str, exists: bool) -> None:
    """Refuse a registered model that this person may not write to.

    The first time without patience: elsewhere a 403 may pass, as credentials do that are renewed, but here the same
    person has just begun a run.
    """
    try:
        _write_nothing(impatient(client), name, exists)
    except MlflowException as error:
        if status_of(error) == 403:
            who = "may read it, and not write to it" if exists else "may not make it"
            raise TrackingError(
                f"the registered model '{name}': you {who} (403). Choose another name, -P model_name=NAME, or ask who"
                " runs the registry for the right to edit it."
            ) from error
        _write_nothing(client, name, exists)


def _write_nothing(client: MlflowClient, name: str, exists: bool) -> None:
    if exists:
        client.delete_registered_model_tag(name, _NO_TAG)
    else:
        ensure_registered(client, name)


def _known(client: MlflowClient, name: str) -> RegisteredModelEntity | None:
    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise


def _is_prompt(client: MlflowClient, name: str) -> bool:
    """Whether the name is a prompt's, of which a registry says that there is no such model; not where it has none."""
    with suppress(MlflowException):
        return client.get_prompt(name) is not None
    return False


@dataclass(frozen=True)
class StoredModel:
    """A model that is an artifact of its run, registered or not.

    Attributes
    ----------
    model_id : str
    pickled_because : str or None
        As in `RegisteredModel`.
    """

    model_id: str
    pickled_because: str | None

    @property
    def uri(self) -> str:
        """What ``mlflow.pyfunc.load_model`` and ``mlflow.register_model`` take."""
        return f"models:/{self.model_id}"


def log_and_register(
    run: EntryRun, fitted: FittedModel, model_name: str, alias: str = "challenger", scores: Mapping[str, float] = {}
) -> RegisteredModel:
    """Log `fitted` and register it at once: ``log``, then ``register``."""
    check_model_name(model_name)
    return register(run, log(run, fitted, scores), model_name, alias)


def log(run: EntryRun, fitted: FittedModel, scores: Mapping[str, float] = {}) -> StoredModel:
    """Log `fitted` as the run's artifact ``model``.

    Parameters
    ----------
    run : EntryRun
    fitted : FittedModel
    scores : mapping of str to float
        Metrics of the model itself, such as ``holdout_neg_log_loss``; they are logged on the run too.

    Raises
    ------
    TrackingError
        The store refuses. What the estimator raises when it predicts or is written is raised as it is.
    """
    with store.refusals("log the model"):
        return _log(run, fitted, scores)


def register(run: EntryRun, stored: StoredModel, model_name: str, alias: str = "challenger") -> RegisteredModel:
    """Make the run's model a new version of `model_name`, and move `alias` to it from the version that had it.

    Raises
    ------
    TrackingError
        The registry refuses.
    KeptForLaterError
        It is away, and will be told.
    """
    check_model_name(model_name)
    with store.refusals(f"register the model as '{model_name}'"):
        version = _register(run.client, stored.model_id, run.run_id, model_name, alias)
    if version is None:
        raise KeptForLaterError(f"the model is to be registered as '{model_name}' when the store is back.")
    return RegisteredModel(model_name, version, alias, stored.pickled_because)


def describe(run: EntryRun, model: RegisteredModel, markdown: str) -> None:
    """Set the text that the version's page opens with, of at most 5,000 characters."""
    with store.refusals(f"describe {model.name} version {model.version}"):
        run.client.update_model_version(model.name, str(model.version), markdown)


def _log(run: EntryRun, fitted: FittedModel, scores: Mapping[str, float]) -> StoredModel:
    """Log the model; its entry in the store is READY only when its files are whole."""
    params = {name: store.text(value) for name, value in fitted.estimator.get_params(deep=False).items()}
    logged = run.client.create_logged_model(
        run.experiment_id,
        name=MODEL,
        source_run_id=run.run_id,
        params=params,
        model_type=type(fitted.estimator).__name__,
    )
    try:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / MODEL
            about = Model(
                artifact_path=logged.artifact_location,
                run_id=run.run_id,
                model_uuid=logged.model_id,
                model_id=logged.model_id,
            )
            reason = model_files.save(fitted, folder, about)
            run.client.log_model_artifacts(logged.model_id, str(folder))
    except BaseException:
        run.client.finalize_logged_model(logged.model_id, "FAILED")
        raise
    run.client.finalize_logged_model(logged.model_id, "READY")
    run.client.log_outputs(run.run_id, [LoggedModelOutput(logged.model_id, step=0)])
    run.client.log_batch(run.run_id, metrics=_model_metrics(scores, logged.model_id))
    return StoredModel(logged.model_id, reason)


def _model_metrics(scores: Mapping[str, float], model_id: str) -> list[Metric]:
    return [Metric(m.key, m.value, m.timestamp, m.step, model_id=model_id) for m in store.as_metrics(scores)]


@one_request
def _register(client: MlflowClient, model_id: str, run_id: str, name: str, alias: str) -> int:
    ensure_registered(client, name)
    uri = f"models:/{model_id}"
    created: Any = client.create_model_version(name, source=uri, run_id=run_id, model_id=model_id)
    link = json.dumps(
        [{"name": name, "version": created.version}]
    )  # what the UI joins a logged model to its version by
    client.set_logged_model_tags(model_id, {"mlflow.modelVersions": link})
    client.set_registered_model_alias(name, alias, str(created.version))
    return int(created.version)


def ensure_registered(client: MlflowClient, name: str) -> None:
    """Make the registered model `name` unless it is there."""
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
