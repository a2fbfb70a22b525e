"""A job of which the service tells little, and the shared folder all."""

from __future__ import annotations

import json
import time
from typing import Protocol

from backends.cluster.shared_folder import SharedFolder
from backends.failures import ConnectionLostError
from backends.job import Ending, Write
from backends.messages import say

_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_TO_LEAVE = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
_KILLED = 137


class LockedOutError(ConnectionLostError):
    """The service does not let us in any more, so trying again does not help; the job may well go on."""


class Application(Protocol):
    """What the service knows of a job.

    Errors are those of a SharedFolder.
    """

    def ended(self) -> str | None:
        """Return None while it waits or runs; then why it ended, in the service's words for a person, or nothing."""

    def cancel(self) -> None:
        """End it, and let the service forget it; harmless where it has ended."""


class ClusterJob:
    """A RemoteJob whose log and ending are in the shared folder.

    Parameters
    ----------
    run_id : str
    place : str
        The cluster as a person calls it.
    shared : SharedFolder
    application : Application
    patience : float
        Seconds for which a lost connection is tried again.
    """

    def __init__(
        self, run_id: str, place: str, shared: SharedFolder, application: Application, patience: float
    ) -> None:
        self.run_id = run_id
        self._place = place
        self._shared = shared
        self._application = application
        self._patience = patience
        self._pieces = 0  # of the log, that have been written

    @property
    def _folder(self) -> str:
        return f"jobs/{self.run_id}"

    def follow(self, write: Write) -> Ending:
        """Write the log until the job ends, as RemoteJob has it."""
        give_up, pause = 0.0, 0.0
        while True:
            try:
                ending = self._look(write)
            except LockedOutError:
                raise
            except ConnectionLostError:
                if not pause:
                    give_up, pause = time.monotonic() + self._patience, _FIRST_PAUSE
                    say(f"{self._place}: the connection is lost; the job goes on. Connecting again.")
                if time.monotonic() + pause > give_up:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            if ending is not None:
                return ending
            pause = 0.0
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _look(self, write: Write) -> Ending | None:
        words = self._application.ended()  # asked first: what the job has written is then all there
        said = self._said()
        self._write_log(write)
        if said is not None and words is None:
            self._let_it_leave()
        return said if said is not None or words is None else self._unsaid(words)

    def ending(self) -> Ending:
        """Return how it ended; it has."""
        words = self._application.ended() or ""
        return self._said() or self._unsaid(words)

    def _said(self) -> Ending | None:
        said = self._shared.get(f"{self._folder}/ending.json")
        return None if said is None else Ending(**json.loads(said))

    def _unsaid(self, words: str) -> Ending:
        return Ending(_KILLED, _without_ending(words), is_gone=not self._shared.names(f"{self._folder}/"))

    def _write_log(self, write: Write) -> None:
        while (piece := self._shared.get(f"{self._folder}/log/{self._pieces + 1:06d}")) is not None:
            self._pieces += 1
            write(piece)

    def _let_it_leave(self) -> None:
        """Wait for an application that has done its work; cancelled now, it would be listed as killed."""
        give_up = time.monotonic() + _SECONDS_TO_LEAVE
        while time.monotonic() < give_up and self._application.ended() is None:
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def is_running(self) -> bool:
        """Whether it waits or runs."""
        return self._application.ended() is None

    def ask_to_stop(self) -> None:
        """Leave word for the driver."""
        self._shared.put(f"{self._folder}/stop", b"")

    def kill(self) -> None:
        """Let the service end it."""
        self._application.cancel()

    def remove(self) -> None:
        """Remove it from the service and from the shared folder."""
        self._application.cancel()
        self._shared.remove(f"{self._folder}/")
        self._shared.remove(f"started/{self.run_id}.json")


def _without_ending(words: str) -> str:
    if not words:
        return "the job was killed from outside, or its driver was lost."
    return f"the job's driver was lost: {words.rstrip('.')}."
