"""What a backend must be able to do, in two small contracts; ``backends.plugin`` drives whatever meets them.

MLflow's own SubmittedRun is not that contract: from the command line it is never waited for, so nobody would write the
status back, stream the log or cancel. Here a job is followed to its end inside ``run()``, and can be found again by a
process that knows nothing but the configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from backends.environment import Environment
from backends.project import Project

Write = Callable[[bytes], None]


@dataclass(frozen=True)
class Work:
    """One entry point to run somewhere.

    Attributes
    ----------
    run_id : str
        Of the MLflow run that the entry point will log to; it exists already.
    identity : str
        The same for the same command typed by the same person again, see ``Compute.find``.
    command : str
        A line for a shell, to be run in the project's folder.
    environment : mapping
        Values that anyone may see, the tracking store's address and the run's id among them.
    secrets : mapping
        Values that must not be written down anywhere on the way.
    terminal : (int, int) or None
        Rows and columns of the terminal that shows the log, None where a file does.
    """

    run_id: str
    identity: str
    command: str
    project: Project
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    terminal: tuple[int, int] | None


@dataclass(frozen=True)
class Ending:
    """How a job ended.

    Attributes
    ----------
    exit_code : int
        0 for success, 128 and the signal's number for a job that a signal ended.
    reason : str
        One line for people; empty for success.
    is_gone : bool
        Whether nothing of the job was left to say how it ended, so that its run may know better.
    """

    exit_code: int
    reason: str = ""
    is_gone: bool = False


class RemoteJob(Protocol):
    """A job that has been started, by this process or by another one.

    Log
        ``follow`` writes the log as it grows, from where this object has left off (a new object: from the beginning),
        without losing or repeating a byte over lost connections, and returns when the job has ended and its log is
        written. It tries to get a lost connection back by itself, for as long as the configuration says, and then
        raises ConnectionLostError. KeyboardInterrupt may leave it at any time; it can then be called again.
    Cancel
        ``ask_to_stop`` returns at once; a job that minds ends soon, with its runs KILLED. ``kill`` leaves it no choice.
        Both are harmless on a job that has ended.
    After the end
        ``remove`` takes away everything that the place keeps of this job, or, where the configuration says so, puts it
        where ``find`` and ``attach`` do not see it.
    """

    @property
    def run_id(self) -> str:
        """The MLflow run that the job logs to."""

    def follow(self, write: Write) -> Ending:
        """Write the log until the job ends; see Log."""

    def ask_to_stop(self) -> None:
        """Tell the job to end; see Cancel."""

    def kill(self) -> None:
        """End the job now; see Cancel."""

    def remove(self) -> None:
        """Leave nothing behind; see After the end."""


class Compute(Protocol):
    """A place where jobs run, for the length of one command.

    It is opened before any MLflow run exists, and whatever can be known to be wrong (the host, the rights, the sizes)
    is raised then, as one line. No method may leave anything half-made behind when it raises.
    """

    @property
    def place(self) -> str:
        """What a person calls it: a host's or a cluster's name."""

    def prepare(self, environment: Environment) -> str:
        """Make the environment there unless it is there, and return a sentence that says which of the two."""

    def start(self, work: Work, environment: Environment) -> RemoteJob:
        """Start the job; it goes on without this process. Raise, and leave nothing there, if it cannot start."""

    def find(self, identity: str) -> list[str]:
        """Return the runs whose jobs are still there, running or ended, and were started as this `identity`."""

    def attach(self, run_id: str) -> RemoteJob | None:
        """Return the job of this run, None where there is none: it may have been removed since ``find``."""

    def clean(self) -> list[str]:
        """Remove everything of ours that no running job uses; a sentence for each thing."""
