"""The step cache in the tracking store: what one machine has computed, another need not.

A step (``ingest``, ``featurize``) is a run of its own, tagged ``step.name`` and ``step.fingerprint``; it can be used
again once it is FINISHED. A sweep that needs a step looks in the local cache first (``cache.Cache``), then here, and
else makes it::

    found = steps.find(run, "featurize", fingerprint)
    with cache.publish("features", fingerprint) as folder:
        if not (found and steps.fetch(run, found, "features", folder)):
            with steps.made_for(run, "featurize", fingerprint) as step:
                ...write into folder...
                step.log_folder(folder, "features")

The entry points of the steps themselves call ``mark`` on their own run. Steps made for a sweep stand beside it in the
experiment, not under it, so that a sweep's children are its candidates and nothing else; the sweep's tag
``uses.NAME`` leads to them.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracking import store
from tracking.runs import EntryRun

NAME = "step.name"
FINGERPRINT = "step.fingerprint"
USES = "uses."


def mark(run: EntryRun, name: str, fingerprint: str) -> None:
    """Say that `run` is the step `name`; once it is FINISHED, others find it."""
    run.set_tags({NAME: name, FINGERPRINT: fingerprint})


def find(run: EntryRun, name: str, fingerprint: str) -> str | None:
    """Return the id of the newest finished run of the step in `run`'s experiment, or None.

    Raises
    ------
    TrackingError
        The store refuses.
    """
    wanted = f"tags.`{NAME}` = '{name}' and tags.`{FINGERPRINT}` = '{fingerprint}' and attributes.status = 'FINISHED'"
    with store.refusals(f"look for a finished {name}"):
        found = run.client.search_runs(
            [run.experiment_id], wanted, max_results=1, order_by=["attributes.start_time DESC"]
        )
    return found[0].info.run_id if found else None


def fetch(run: EntryRun, step_id: str, folder: str, destination: Path) -> bool:
    """Download a step's artifact `folder` into `destination`, and note on `run` that it uses the step.

    Returns
    -------
    bool
        False where the step's artifacts are gone; nothing is written then.

    Raises
    ------
    TrackingError
        The download failed; `destination` may hold a part of it, as the scratch folder of ``Cache.publish`` may.
    """
    with store.refusals(f"fetch {folder}/ of the run {step_id}"):
        if not run.client.list_artifacts(step_id, folder):
            return False
        with tempfile.TemporaryDirectory(dir=destination, prefix=".download-") as scratch:
            fetched = Path(run.client.download_artifacts(step_id, folder, scratch))
            for item in fetched.iterdir():
                shutil.move(item, destination / item.name)
        name = run.client.get_run(step_id).data.tags.get(NAME, folder)
    run.set_tags({USES + name: step_id})
    return True


@contextmanager
def made_for(run: EntryRun, name: str, fingerprint: str, worked: float = 0) -> Iterator[EntryRun]:
    """Give a run of the step's own beside `run`; leaving the block ends it, FINISHED only if nothing was raised.

    Parameters
    ----------
    run : EntryRun
    name, fingerprint : str
    worked : float
        Seconds that the step has taken already: its run begins so long ago, and its duration is that of the work.
    """
    with run.sibling(name, worked) as step:
        mark(step, name, fingerprint)
        run.set_tags({USES + name: step.run_id})
        yield step
