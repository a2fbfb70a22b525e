"""A job is followed to its end by one command at a time.

So a command typed twice on purpose is two jobs, and one typed again after a loss is one. A lock on a file says who
follows, and not a process id in one: the system lets go of the lock however the process ends. A command holds it from
before its job is there, since the same command typed beside it would else find a job without a follower.
"""

from __future__ import annotations

import _thread
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlflow.tracking import MlflowClient

from backends import runs
from backends.failures import BackendError, ConnectionLostError
from backends.job import Ending, RemoteJob
from backends.messages import say, show
from backends.request import Request
from cache import fingerprint
from cache.locks import HeldFile
from masking import shown

STOP_SECONDS = 30.0


def _folder() -> Path:
    """Return this user's own among the temporary folders; Windows has those for each user anyway."""
    name = "gridfold"
    if sys.platform != "win32":
        name += f"-{os.getuid()}"
    return Path(tempfile.gettempdir()) / name


@contextmanager
def following(run_id: str) -> Iterator[bool]:
    """Hold the run's job for the block, and give True; False where another process of this user here follows it."""
    _folder().mkdir(mode=0o700, exist_ok=True)
    held = HeldFile.take(_folder() / fingerprint(run=run_id))  # what a person types as a run's id may be a path
    try:
        yield held is not None
    finally:
        if held is not None:
            held.release()


def follow(job: RemoteJob, place: str, request: Request) -> str:
    """Follow `job`, which we hold, to its end, write its status back, and take away what is left of it.

    Returns
    -------
    str
        The run's id, of a job that has succeeded.

    Raises
    ------
    BackendError
        The job has failed.
    ConnectionLostError
        It goes on, but cannot be followed any more.
    KeyboardInterrupt
        It was stopped because a person wanted it.
    """
    client = MlflowClient()
    try:
        ending, was_stopped = _followed(job, place)
    except BackendError as error:
        raise ConnectionLostError(
            f"{error} The job goes on there: the same command follows it again, or add -P attach={job.run_id}."
        ) from error
    has_said_so = client.get_run(job.run_id).info.status == "FINISHED"
    if has_said_so and ending.is_gone:  # it ended well, and somebody has taken away what is left of it
        ending = Ending(0)
    if was_stopped and not (has_said_so and ending.exit_code == 0):
        runs.settle(client, job.run_id, "KILLED", "interrupted.")
        job.remove()
        raise KeyboardInterrupt
    runs.settle_as(client, job.run_id, ending)
    job.remove()
    if ending.exit_code:
        raise BackendError(f"{place}: run {job.run_id}: {ending.reason}")
    ui = (
        ""
        if request.tracking_uri.startswith("http")
        else f" (mlflow ui --backend-store-uri {shown(request.tracking_uri)})"
    )
    say(f"{place}: run {job.run_id} has succeeded{ui}.")
    return job.run_id


def _followed(job: RemoteJob, place: str) -> tuple[Ending, bool]:
    """Follow the job to its end; return how it ended, and whether a person wanted it to."""
    try:
        return job.follow(show), False
    except KeyboardInterrupt:
        return _stop(job, place), True


def _stop(job: RemoteJob, place: str) -> Ending:
    """Ask the job to stop, and see that it does, while its last words are shown."""
    say(
        f"{place}: asks the job to stop, and kills it if it has not after {STOP_SECONDS:.0f} s. "
        "Press Ctrl-C again to kill it now."
    )
    # Nobody else may use the connection beside us, which may just be made again: so impatience is one more Ctrl-C,
    # which `follow` notices as soon as it looks up.
    impatience = threading.Timer(STOP_SECONDS, _thread.interrupt_main)
    impatience.start()
    try:
        job.ask_to_stop()
        return job.follow(show)
    except KeyboardInterrupt:
        impatience.cancel()
        job.kill()
        return job.follow(show)
    finally:
        impatience.cancel()
