"""MLflow's client, with every request waited for as its patience allows, and nothing made twice.

Most of MLflow's requests may be sent again: params, tags, statuses and artifacts say the same a second time, and so do
metrics that carry their time. What makes a thing may not: the answer can be lost after the thing was made. Those
requests are told in full here: before one is tried again, what it would make is looked for.

With an outbox, what a store cannot be told is kept, and told as soon as the store is back, in its order.
"""

from __future__ import annotations

import functools
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, ClassVar, TypeVar, cast

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.utils.time import get_current_time_millis

from errors import StoreAwayError, TrackingError
from tracking.outbox import SENDS_FILES, Outbox, name_of_our_own, rename_files, renamed
from tracking.patience import ARTIFACTS, REGISTRY, RUNS, Patience

Answer = TypeVar("Answer")

_REQUEST = "gridfold.request"
_TELLING = ("mlflow.parentRunId", "candidate.key")
_MAKES = {"create_run": ("info.run_id",), "create_logged_model": ("model_id", "artifact_location")}
_CAN_WAIT = {
    *(*_MAKES, "finalize_logged_model", "log_artifact", "log_artifacts", "log_batch", "log_inputs"),
    *("log_model_artifacts", "log_outputs", "log_text", "set_experiment_tag", "set_logged_model_tags", "set_tag"),
    *("set_terminated", "update_run"),
}


def impatient(client: MlflowClient) -> MlflowClient:
    """Return the client behind a patient one, for a question whose answer should come at once."""
    found: object = client
    return found._client if isinstance(found, PatientClient) else client


class PatientClient:
    """An MlflowClient whose methods wait for faults that may pass.

    Parameters
    ----------
    client : MlflowClient
    patience : Patience

    Attributes
    ----------
    outbox : Outbox or None
        Where that which the store cannot be told is kept; None where it is refused.
    compound : dict of str to callable
        Those of ``one_request``, by name.
    """

    compound: ClassVar[dict[str, Callable[..., Any]]] = {}

    def __init__(self, client: MlflowClient, patience: Patience) -> None:
        self._client = client
        self.patience = patience
        self.outbox: Outbox | None = None
        self._sending = threading.RLock()
        self._names: dict[str, str] = {}
        self._made_again: list[tuple[str, str, str]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name.startswith("_") or not callable(found):
            return found
        return lambda *given, **named: self._tell(name, given, named)

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: Mapping[str, Any] | None = None,
        run_name: str | None = None,
    ) -> Run:
        """Make a run, known by its parent and candidate, else by a tag of its own."""
        all_tags = dict(tags or {})
        if not all(name in all_tags for name in _TELLING):
            all_tags[_REQUEST] = uuid.uuid4().hex
        started = start_time or get_current_time_millis()
        return cast(Run, self._tell("create_run", (experiment_id, started, all_tags, run_name), {}))

    def create_experiment(self, name: str, **options: Any) -> str:
        """Make an experiment, or find the one that was made under this name meanwhile."""

        def create() -> str:
            try:
                return str(self._client.create_experiment(name, **options))
            except MlflowException as error:
                taken = error.error_code == "RESOURCE_ALREADY_EXISTS"
                found = self._client.get_experiment_by_name(name) if taken else None
                if found is None:
                    raise
                return str(found.experiment_id)

        return self.patience.until_done(create)

    def set_terminated(self, run_id: str, status: str | None = None, end_time: int | None = None) -> None:
        """End a run, now if no other time is given, whenever the store comes to hear of it."""
        self._tell("set_terminated", (run_id, status, end_time or get_current_time_millis()), {})

    def delete_doubles(self) -> None:
        """Delete the runs that a server made after all of requests whose answers were lost."""
        made_again, self._made_again = self._made_again, []
        for experiment_id, wanted, kept in made_again:
            for run in self.search_runs([experiment_id], wanted):
                if run.info.run_id != kept:
                    self.delete_run(run.info.run_id)

    def send(self, outbox: Outbox) -> None:
        """Tell the store what `outbox` holds.

        Raises
        ------
        StoreAwayError
            The store is away; what was told up to then will not be told again.
        MlflowException
            It refuses something for good.
        """
        with self._sending:
            self._names |= outbox.send(functools.partial(self._do, perhaps_done=True))
        delete_doubles(cast(MlflowClient, self))

    def _tell(self, method: str, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """Do it, or keep it for later, after what is kept already."""
        if self.outbox is None or (method not in _CAN_WAIT and method not in self.compound):
            return self._do(method, given, named)
        if self.outbox:
            try:
                self.send(self.outbox)
            except (StoreAwayError, MlflowException):
                return self._keep(self.outbox, method, given, named)
        if self._names:
            given, named = _translated((list(given), dict(named)), self._names)
            if method in SENDS_FILES:
                rename_files(method, given, self._names)
        try:
            return self._do(method, given, named)
        except StoreAwayError:
            if method in self.compound and self._registry_is_elsewhere():
                raise  # the store of the runs is there: they end now, and say what is missing
            return self._keep(self.outbox, method, given, named)

    def _registry_is_elsewhere(self) -> bool:
        return bool(self._client._registry_uri != self._client.tracking_uri)

    def _do(self, method: str, given: Sequence[Any], named: Mapping[str, Any], perhaps_done: bool = False) -> Any:
        if method in self.compound:
            return self.compound[method](self, *given, **named)
        plainly: Callable[..., Any] = getattr(self._client, method)
        first: Callable[..., Any] = self._created if method == "create_run" else plainly
        known: dict[str, Callable[..., Any]] = {
            "copy_model_version": self._copy_again,
            "create_run": self._found_or_created,
            "create_logged_model": self._logged_model_again,
            "create_model_version": self._version_again,
            "log_outputs": self._outputs_again,
        }
        again = known.get(method, first)
        call = functools.partial(again if perhaps_done else first, *given, **named)
        return self.patience.until_done(call, functools.partial(again, *given, **named), _service_of(method))

    def _keep(self, outbox: Outbox, method: str, given: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """Keep a request, and return what stands for its answer."""
        made = {attribute: name_of_our_own() for attribute in _MAKES.get(method, ())}
        outbox.add(method, given, named, made)
        if method == "create_run":
            info = SimpleNamespace(run_id=made["info.run_id"], experiment_id=given[0], run_name=given[3])
            return SimpleNamespace(info=info, data=SimpleNamespace(params={}, tags=given[2], metrics={}))
        return SimpleNamespace(**made) if made else None

    def _created(self, experiment_id: str, start_time: int, tags: Mapping[str, Any], run_name: str | None) -> Run:
        run = self._client.create_run(experiment_id, start_time, dict(tags), run_name)
        if not run.info.run_id:  # an empty answer of a proxy is a whole one to MLflow
            raise MlflowException("The server has answered with a run without an id")
        return run

    def _found_or_created(
        self, experiment_id: str, start_time: int, tags: Mapping[str, Any], run_name: str | None
    ) -> Run:
        wanted = " and ".join(f"tags.`{name}` = '{tags[name]}'" for name in (*_TELLING, _REQUEST) if name in tags)
        found = self._client.search_runs([experiment_id], wanted, max_results=1)
        run = found[0] if found else self._created(experiment_id, start_time, tags, run_name)
        self._made_again.append((experiment_id, wanted, run.info.run_id))
        return run

    def _logged_model_again(self, experiment_id: str, name: str, source_run_id: str, **options: Any) -> LoggedModel:
        found = self._client.search_logged_models([experiment_id], f"source_run_id = '{source_run_id}'")
        pending = (model for model in found if model.name == name and model.status == "PENDING")
        return next(pending, None) or self._client.create_logged_model(
            experiment_id, name=name, source_run_id=source_run_id, **options
        )

    def _outputs_again(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        known = {model.model_id for model in self._client.get_run(run_id).outputs.model_outputs}
        if rest := [model for model in models if model.model_id not in known]:
            self._client.log_outputs(run_id, rest)

    def _copy_again(self, src_model_uri: str, dst_name: str) -> ModelVersion:
        found = self._client.search_model_versions(f"name = '{dst_name}'")
        known = next((version for version in found if version.source == src_model_uri), None)
        return known or self._client.copy_model_version(src_model_uri, dst_name)

    def _version_again(self, name: str, source: str, run_id: str, **options: Any) -> ModelVersion:
        found = self._client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
        known = next((version for version in found if version.source == source), None)
        return known or self._client.create_model_version(name, source=source, run_id=run_id, **options)


def one_request(function: Callable[..., Answer]) -> Callable[..., Answer | None]:
    """Let a function of a client and plain values count as one request to it, which is kept and told later as one.

    Where it is kept, the answer is None.
    """
    name = function.__name__
    PatientClient.compound[name] = function

    @functools.wraps(function)
    def asked(client: MlflowClient, *given: Any) -> Answer | None:
        if isinstance(client, PatientClient):
            return cast("Answer | None", client._tell(name, given, {}))
        return function(client, *given)

    return asked


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


def outbox_of(client: MlflowClient) -> Outbox | None:
    """Return what `client` keeps for a store that is away."""
    return client.outbox if isinstance(client, PatientClient) else None


def keep_in(client: MlflowClient, outbox: Outbox) -> None:
    """Let `client` keep what a store that is away cannot be told, from now on."""
    if isinstance(client, PatientClient):
        client.outbox = outbox


def send(client: MlflowClient, outbox: Outbox) -> None:
    """Tell the store of `client` what `outbox` holds, as ``PatientClient.send`` does."""
    if isinstance(client, PatientClient):
        client.send(outbox)


def delete_doubles(client: MlflowClient) -> None:
    """Do so where the client knows how; a double that cannot be deleted is no reason to fail."""
    if isinstance(client, PatientClient):
        try:
            client.delete_doubles()
        except (MlflowException, TrackingError):
            return


def _translated(value: Any, names: Mapping[str, str]) -> Any:
    """Put what the store has made in place of our own names, wherever they stand."""
    if isinstance(value, str):
        return renamed(value, names)
    if isinstance(value, dict):
        return {key: _translated(each, names) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_translated(each, names) for each in value)
    if getattr(value, "model_id", None) in names:
        return _with_model(value, names[value.model_id])
    return value


def _with_model(entity: Any, model_id: str) -> Any:
    return type(entity)(**{**dict(entity), "model_id": model_id})


def _service_of(method: str) -> str:
    if "artifact" in method or method in ("log_text", "log_dict", "log_figure"):
        return ARTIFACTS
    return REGISTRY if "registered_model" in method or "model_version" in method else RUNS
