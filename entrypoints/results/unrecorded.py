"""What sweeps could not record, since their store was away: where it is kept, and how it is recorded after all.

It lies in the cache, in a folder by the sweep's run. ``sync`` records all that is there; and so does the next sweep,
before it begins, so that the command that a person repeats anyway is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cache import Cache
from errors import TrackingError
from tracking import EntryRun
from tracking.outbox import Outbox

KIND = "unrecorded"


def keep(run: EntryRun) -> None:
    """Let `run` keep what its store cannot be told."""
    run.keep_unrecorded(Cache.from_environment().path(KIND, run.run_id))


def waiting() -> list[Path]:
    """Return the folders in which something is kept."""
    root = Cache.from_environment().root / KIND
    return sorted(folder for folder in root.glob("*") if Outbox(folder))


def record(run: EntryRun) -> Iterator[str]:
    """Record what is kept, and yield what became of each sweep's.

    Raises
    ------
    TrackingError
        The store refuses something, or is away; that and what follows stay where they are.
    """
    for folder in waiting():
        if not run.knows(folder.name):
            yield f"run {folder.name} is of another store, so what is kept in {folder} stays there"
            continue
        run.send(Outbox(folder))
        yield f"run {folder.name} now holds all that was kept for it"


def record_quietly(run: EntryRun) -> None:
    """Do so before a sweep, which goes on whatever comes of it."""
    try:
        for line in record(run):
            print(f"record   {line}", flush=True)
    except TrackingError as error:
        print(f"record   what an earlier sweep could not record is still not recorded: {error}", flush=True)
