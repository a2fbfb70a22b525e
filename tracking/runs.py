"""The run of an entry point, whoever made it.

``mlflow run`` makes a run, logs every MLproject parameter on it (defaults too), and passes it on by environment; an
entry point that is started by hand makes its own. Either way the entry point sets the final status itself, with a note
that says why. On this machine ``mlflow run`` then sets it once more, by the exit code alone: it means to leave ended
runs alone, but compares the status' name with numbers (mlflow 3.17, ``projects._maybe_set_run_terminated``). So a run
that we end KILLED reads FAILED there, with our note; remote backends and entry points started by hand keep KILLED.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mlflow import MlflowClient, get_tracking_uri
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.time import get_current_time_millis

from cache.locks import HeldFile
from errors import GridfoldError, KeptForLaterError, StoreAwayError, TrackingError
from masking import masked, shown
from tracking import living, store
from tracking.client import keep_in, outbox_of, patience_of, send
from tracking.datasets import InputTable, as_inputs
from tracking.outbox import Outbox
from tracking.patience import WAIT, Patience
from tracking.unstarted import DRAWN_NAME, NEVER_BEGUN, unstarted

_LAST_WORDS = 2.0
_RECORDED_BY = "mlflow run . -e sync records it; so does the next sweep"
_REPOSITORY = re.compile(
    r"(?:https://|(?:ssh://)?git@)(?P<host>(?:github|gitlab)\.com)[/:](?P<name>[^/]+/.+?)(?:\.git)?/?"
)
_HOW_IT_ENDED = {"FAILED": "failed", "KILLED": "interrupted"}
JOURNAL = "sweep.journal"
"""Stands for the cells that a sweep and its candidates are about (``tracking.cells``)."""
_INHERITED = (JOURNAL, "mlflow.user", "mlflow.source.name", "mlflow.source.type", "mlflow.source.git.commit")


Contradicted = Callable[[Mapping[str, str]], Sequence[str]]


class AnothersRunError(TrackingError):
    """The run to attach to holds what is not so now."""


class EntryRun:
    """One run in the tracking store, ended by leaving its ``with`` block.

    The block's end sets the status: FINISHED, KILLED on an interrupt, FAILED on an error, with the error's one line as
    the run's note. Methods raise TrackingError where the store refuses.

    Attributes
    ----------
    client : MlflowClient
    run_id, experiment_id, name : str
    last_words : list of callable
        Each returns a word and a line, for a person who interrupts the run: what it has come to so far.
    title : str
        What ``entitle`` has called the run; empty where it has not, or a person has.
    is_ours_to_name : bool
        Whether no person has named it.
    """

    def __init__(self, client: MlflowClient, run: Run) -> None:
        self.client = client
        self._opened = run
        self.run_id: str = run.info.run_id
        self.experiment_id: str = run.info.experiment_id
        self.name: str = run.info.run_name
        self._params: dict[str, str] = dict(run.data.params)
        self._tags: dict[str, str] = dict(run.data.tags)
        self.last_words: list[Callable[[], tuple[str, str]]] = []
        self._note = ""
        self._ended = False
        self._alive: HeldFile | None = None
        self._left: HeldFile | None = None
        self.is_ours_to_name = False
        self.title = ""

    @classmethod
    def begin(cls, entry_point: str, contradicted: Contradicted = lambda held: ()) -> Self:
        """Attach to the run that ``MLFLOW_RUN_ID`` names, or make one called `entry_point`.

        A name that MLflow has drawn for want of a given one is replaced as well.

        Parameters
        ----------
        entry_point : str
        contradicted : callable, optional
            Takes the params of the run to attach to, and says what in them is not so now.

        Raises
        ------
        TrackingError
            The store cannot be reached, or does not know the run; or the run is another command's, and stays as it is.
        """
        client = store.connect()
        run_id = os.environ.get("MLFLOW_RUN_ID")
        if not run_id:
            run = cls(client, _create(client, entry_point))
        else:
            run = cls(client, _attach(client, run_id, contradicted))
            run.hold()  # before the name is taken from it, by which one that was never begun is known
            run._hide_secrets()
            if DRAWN_NAME.fullmatch(run.name):
                run.rename(entry_point)
        run.patience.allow(WAIT)
        run.is_ours_to_name = run.name == entry_point
        return run

    @property
    def patience(self) -> Patience:
        """How long faults of the store are waited for."""
        return patience_of(self.client)

    def keep_unrecorded(self, folder: Path) -> None:
        """From now on keep in `folder` what a store that was waited for in vain cannot be told."""
        keep_in(self.client, Outbox(folder))

    def send(self, outbox: Outbox) -> None:
        """Tell the store what `outbox` holds for it."""
        with store.refusals(f"record what is kept in {outbox.folder}"):
            send(self.client, outbox)

    def knows(self, run_id: str) -> bool:
        """Whether this run's store has the run `run_id` too."""
        with store.refusals(f"look for the run {run_id}"):
            try:
                self.client.get_run(run_id)
                return True
            except MlflowException as error:
                if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                    return False
                raise

    def sibling(self, name: str, seconds_ago: float = 0) -> EntryRun:
        """Make another run in the same experiment, with this one's user and source, that began `seconds_ago`."""
        began = get_current_time_millis() - round(1000 * seconds_ago)
        with store.refusals(f"create the run '{name}'"):
            run = EntryRun(self.client, self.client.create_run(self.experiment_id, began, self.inherited_tags(), name))
        if self._alive is not None:
            run.hold()
        return run

    def hold(self) -> None:
        """Let others see that this process works on the run, until that has ended; they end it should we be killed."""
        if self._alive is None:  # else the file is held already, and its holder alone can let go of it
            self._alive = living.hold(self.run_id, self.experiment_id)

    def end_abandoned(self) -> list[str]:
        """End the runs in this store whose processes were killed on this machine, and return their ids."""
        ended = living.end_abandoned(self.client)
        with suppress(MlflowException, TrackingError):
            for run_id in unstarted(self.client, self._opened):
                living.end(self.client, run_id, self.experiment_id, NEVER_BEGUN)
                ended.append(run_id)
        return ended

    def rename(self, name: str) -> None:
        """Call the run `name` from now on."""
        with store.refusals(f"rename the run to '{name}'"):
            self.client.set_tag(self.run_id, "mlflow.runName", name)
        self.name = name

    def entitle(self, title: str) -> None:
        """Call the run by what it is about, unless a person has named it; how it fails is added to it in the end."""
        if self.is_ours_to_name and title:
            self.rename(title)
            self.title = title

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

    def finish(self) -> None:
        """End the run FINISHED."""
        self._end("FINISHED")

    def fail(self, line: str) -> None:
        """End the run FAILED, with `line` as its note."""
        self._end("FAILED", line)

    def kill(self, line: str = "Interrupted.") -> None:
        """End the run KILLED, with `line` as its note, without much waiting: someone wants to be gone."""
        if not self._ended:
            self.patience.leave(_LAST_WORDS)
        self._end("KILLED", line)

    def abandon(self, line: str) -> None:
        """End the run KILLED, and the runs under it that are open, whoever was to see to them: the process ends.

        Another thread may be making a run under it at this moment. So the file by which the run is held stays, and the
        next command ends what is open by then.
        """
        self._left, self._alive = self._alive, None
        with suppress(TrackingError):
            self.kill(line)
        with suppress(TrackingError), store.refusals("end the runs under it"):
            for run in self.client.search_runs([self.experiment_id], living.open_under(self.run_id)):
                self.client.set_terminated(run.info.run_id, "KILLED")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None:
            self.finish()
            if unrecorded := self._unrecorded():
                raise KeptForLaterError(f"{self.patience.given_up or 'The store is away.'} {unrecorded}")
            return
        self._end_by(error)
        if unrecorded := self._unrecorded():
            self.patience.tell(unrecorded)

    def _end_by(self, error: BaseException) -> None:
        with suppress(TrackingError):  # the error that ended the block is the one worth showing
            if isinstance(error, GridfoldError):
                self.fail(str(error))
            elif isinstance(error, Exception):
                self.fail(f"{type(error).__name__}: {store.first_line(error)}")
            else:
                self.kill()

    def _hide_secrets(self) -> None:
        """Mask what ``mlflow run`` has tagged the run with: a project's address may have a token in it."""
        if readable := {name: value for name, value in self._tags.items() if shown(value) != value}:
            self.set_tags({name: shown(value) for name, value in readable.items()})

    def _unrecorded(self) -> str:
        """Say where that is which the store could not be told; empty where it knows all."""
        kept = outbox_of(self.client)
        if not kept:
            return ""
        return f"What is not recorded is kept in {kept.folder}: {_RECORDED_BY}."

    def _write_params(self, params: Mapping[str, Any]) -> None:
        with store.refusals("log params"):
            self.client.log_batch(self.run_id, params=store.as_params(params))
        self._params |= {name: store.text(value) for name, value in params.items()}

    def _end(self, status: str, note: str | None = None) -> None:
        if self._ended:
            return
        self._ended = True
        with store.refusals(f"end the run as {status}"):
            if note is not None:
                note = masked(note)
                whole = f"{note}\n\n{self._note}" if self._note else note
                self.client.set_tag(self.run_id, living.NOTE, store.text(whole, store.TAG_LIMIT))
            if self.title and status in _HOW_IT_ENDED:
                self.client.set_tag(self.run_id, "mlflow.runName", f"{self.title}, {_HOW_IT_ENDED[status]}")
            self.client.set_terminated(self.run_id, status)
        if self._alive is not None:
            self._alive.release()


def _attach(client: MlflowClient, run_id: str, contradicted: Contradicted) -> Run:
    try:
        with store.refusals(f"open the run {run_id}"):
            run = client.get_run(run_id)
            if differing := contradicted(run.data.params):
                raise AnothersRunError(
                    f"MLFLOW_RUN_ID names the run {run_id}, which is of another command: {'; '.join(differing)}. What "
                    "a run holds is never rewritten, so its record would be wrong. Unset MLFLOW_RUN_ID."
                )
            if run.info.status != "RUNNING":
                client.update_run(run_id, status="RUNNING")
            return run
    except (StoreAwayError, AnothersRunError):
        raise
    except TrackingError as error:
        raise TrackingError(
            f"MLFLOW_RUN_ID names the run {run_id}, which {shown(get_tracking_uri())} does not give, seen from"
            f" {Path.cwd()}: {store.first_line(error.__cause__ or error)}. A relative sqlite path means another file in"
            " another folder: set MLFLOW_TRACKING_URI to an absolute path or a server."
        ) from error


def _create(client: MlflowClient, name: str) -> Run:
    with store.refusals(f"create the run '{name}'"):
        tags = resolve_tags({"mlflow.source.name": Path(sys.argv[0]).name or name})
        return client.create_run(_experiment_id(client), tags=tags, run_name=name)


def _experiment_id(client: MlflowClient) -> str:
    """Return the experiment that MLflow's own variables name, made if need be; else MLflow's default one."""
    if given := os.environ.get("MLFLOW_EXPERIMENT_ID"):
        return given
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME")
    if not name:
        return "0"
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))
