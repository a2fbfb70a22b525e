"""The run of an entry point, whoever made it.

``mlflow run`` makes a run, logs every MLproject parameter on it (defaults too), and passes it on by environment; an
entry point that is started by hand makes its own. Either way the entry point sets the final status itself, with a note
that says why. On this machine ``mlflow run`` then sets it once more, by the exit code alone: it means to leave ended
runs alone, but compares the status' name with numbers (mlflow 3.17, ``projects._maybe_set_run_terminated``). So a run
that we end KILLED reads FAILED there, with our note; remote backends and entry points started by hand keep KILLED.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.utils.time import get_current_time_millis

from cache.locks import HeldFile
from errors import GridfoldError, KeptForLaterError, TrackingError
from masking import masked, shown
from tracking import living, store
from tracking.attach import Contradicted, attach, create
from tracking.client import keep_in, outbox_of, patience_of, send
from tracking.open_run import OpenRun
from tracking.outbox import Outbox
from tracking.patience import WAIT, Patience
from tracking.unstarted import DRAWN_NAME, NEVER_BEGUN, unstarted

_LAST_WORDS = 2.0
_RECORDED_BY = "mlflow run . -e sync --env-manager local records it; so does the next sweep"
_HOW_IT_ENDED = {"FAILED": "failed", "KILLED": "interrupted"}


class EntryRun(OpenRun):
    """An open run that leaving its ``with`` block ends.

    The block's end sets the status: FINISHED, KILLED on an interrupt, FAILED on an error, with the error's one line as
    the run's note.

    Attributes
    ----------
    last_words : list of callable
        Each returns a word and a line, for a person who interrupts the run: what it has come to so far.
    title : str
        What ``entitle`` has called the run; empty where it has not, or a person has.
    is_ours_to_name : bool
        Whether no person has named it.
    """

    def __init__(self, client: MlflowClient, run: Run) -> None:
        super().__init__(client, run)
        self._opened = run
        self.last_words: list[Callable[[], tuple[str, str]]] = []
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
            run = cls(client, create(client, entry_point))
        else:
            run = cls(client, attach(client, run_id, contradicted))
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
