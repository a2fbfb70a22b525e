"""Record what earlier sweeps could not, because their tracking store was away."""

from __future__ import annotations

from entrypoints.command.entry import entrypoint
from entrypoints.parameters import SyncParams
from entrypoints.results import unrecorded
from tracking import EntryRun


@entrypoint("sync")
def sync(params: SyncParams, run: EntryRun) -> None:
    """Record what earlier sweeps could not, because their tracking store was away."""
    run.patience.allow(params.record_wait)
    lines = list(unrecorded.record(run)) or ["nothing is kept for this store"]
    run.set_note("\n\n".join(lines))
    for line in lines:
        print(f"sync     {line}")


if __name__ == "__main__":
    sync.main()
