"""An open run in the tracking store: what is read of it and of others, and what is written on it.

How a run begins and ends is in ``tracking.runs``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlflow import MlflowClient, get_tracking_uri
from mlflow.entities import Run

from masking import masked, shown
from tracking import living, store
from tracking.datasets import InputTable, as_inputs

_REPOSITORY = re.compile(
    r"(?:https://|(?:ssh://)?git@)(?P<host>(?:github|gitlab)\.com)[/:](?P<name>[^/]+/.+?)(?:\.git)?/?"
)
JOURNAL = "sweep.journal"
"""Stands for the cells that a sweep and its candidates are about (``tracking.cells``)."""
_INHERITED = (JOURNAL, "mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit")


class OpenRun:
    """One run in the tracking store, and what is known of it without asking again.

    Methods raise TrackingError where the store refuses.

    Attributes
    ----------
    client : MlflowClient
    run_id, experiment_id, name : str
    """

    def __init__(self, client: MlflowClient, run: Run) -> None:
        self.client = client
        self.run_id: str = run.info.run_id
        self.experiment_id: str = run.info.experiment_id
        self.name: str = run.info.run_name
        self._params: dict[str, str] = dict(run.data.params)
        self._tags: dict[str, str] = dict(run.data.tags)
        self._note = ""

    def inherited_tags(self) -> dict[str, str]:
        """Return the tags that tell where this run came from, for the runs made from it."""
        return {name: self._tags[name] for name in _INHERITED if name in self._tags}

    @property
    def tracking_uri(self) -> str:
        """The address of its store, which may hold a password."""
        return str(get_tracking_uri())

    @property
    def user(self) -> str:
        """Who started the run, as MLflow knows them."""
        return self._tags.get("mlflow.user", "unknown")

    @property
    def commit(self) -> str:
        """The git commit of the project that was run; empty where MLflow knows none."""
        return self._tags.get("mlflow.source.git.commit", "")

    def tag(self, name: str) -> str:
        """Return a tag of this run; empty where it has none."""
        return self._tags.get(name, "")

    def source_page(self, path: str) -> str:
        """Return the address of the project's file `path`, at this commit; empty where it is not on the web."""
        found = _REPOSITORY.fullmatch(self._tags.get("mlflow.source.git.repoURL", ""))
        return f"https://{found['host']}/{found['name']}/blob/{self.commit or 'HEAD'}/{path}" if found else ""

    def params_of(self, run_id: str) -> dict[str, str]:
        """Return the params of another run."""
        with store.refusals(f"read the run {run_id}"):
            return dict(self.client.get_run(run_id).data.params)

    def tags_of(self, run_id: str) -> dict[str, str]:
        """Return the tags of another run."""
        with store.refusals(f"read the run {run_id}"):
            return dict(self.client.get_run(run_id).data.tags)

    def metrics_of(self, run_id: str) -> dict[str, float]:
        """Return the metrics of another run."""
        with store.refusals(f"read the run {run_id}"):
            return dict(self.client.get_run(run_id).data.metrics)

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log the entry point's parameters, save those that the run already holds: MLflow never rewrites a param."""
        self._write_params({name: value for name, value in params.items() if name not in self._params})

    def log_best_params(self, params: Mapping[str, Any]) -> None:
        """Log the winner's parameters under their own names, as ``best_NAME`` where the run already holds that name."""
        self._write_params({f"best_{name}" if name in self._params else name: value for name, value in params.items()})

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Log `metrics` in one request."""
        with store.refusals("log metrics"):
            self.client.log_batch(self.run_id, metrics=store.as_metrics(metrics, step))

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set `tags` in one request."""
        with store.refusals("set tags"):
            self.client.log_batch(self.run_id, tags=store.as_tags(tags))
        self._tags |= {name: shown(str(value)) for name, value in tags.items()}

    def set_note(self, markdown: str, lasting: bool = True) -> None:
        """Set the text that the run's page opens with.

        Should the run fail, a `lasting` one stays below the line that says why.
        """
        markdown = masked(markdown)
        self.set_tags({living.NOTE: markdown})
        self._note = markdown if lasting else ""

    def log_text(self, content: str, path: str) -> None:
        """Store `content` as the artifact `path`."""
        with store.refusals(f"store {path}"):
            self.client.log_text(self.run_id, content, path)

    def log_file(self, source: Path, folder: str | None = None) -> None:
        """Store the file `source`, in the artifact `folder` if one is named."""
        with store.refusals(f"store {source.name}"):
            self.client.log_artifact(self.run_id, str(source), folder)

    def log_folder(self, source: Path, folder: str) -> None:
        """Store what is in the folder `source` as the artifact `folder`."""
        with store.refusals(f"store {folder}/"):
            self.client.log_artifacts(self.run_id, str(source), folder)

    def fetch_file(self, run_id: str, path: str, folder: Path) -> Path:
        """Download the artifact `path` of another run into `folder`, and return where it is."""
        with store.refusals(f"fetch {path} of the run {run_id}"):
            return Path(self.client.download_artifacts(run_id, path, str(folder)))

    def has_artifact(self, run_id: str, path: str) -> bool:
        """Whether another run has the artifact `path`, of its top folder."""
        with store.refusals(f"list what the run {run_id} has kept"):
            return any(found.path == path for found in self.client.list_artifacts(run_id))

    def log_datasets(self, tables: Iterable[InputTable]) -> None:
        """Log `tables` as the run's dataset inputs."""
        with store.refusals("log the dataset inputs"):
            self.client.log_inputs(self.run_id, datasets=as_inputs(tables))

    def _write_params(self, params: Mapping[str, Any]) -> None:
        with store.refusals("log params"):
            self.client.log_batch(self.run_id, params=store.as_params(params))
        self._params |= {name: store.text(value) for name, value in params.items()}
