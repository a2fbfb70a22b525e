"""The contract between the engine and a kind of Spark session."""

from __future__ import annotations

from typing import Any, Protocol

from tuning.engines.batches import Batch
from tuning.engines.spark.worker import Answer
from tuning.workload import Workload


class Cluster(Protocol):
    """Runs fits, each batch of them as a job of one task.

    Data
        ``share`` once, before any job; executors fetch the data once each, Python workers keep them.
    Order
        Jobs get the cluster in the order of ``begin``, which is called from one thread at a time.
    Threads
        ``finish`` blocks, and is called from many threads at once.
    Cancel
        ``cancel`` makes every ``finish`` of a job that has begun raise CancelledError, at once or soon.
    """

    @property
    def task_threads(self) -> int:
        """Threads that a task may use."""

    @property
    def slots(self) -> int:
        """Tasks that can run side by side now."""

    def share(self, workload: Workload) -> None:
        """Make data and code reachable by the workers."""

    def begin(self, batch: Batch, label: str) -> Any:
        """Submit the job of a batch; one without fits only loads the workload."""

    def finish(self, job: Any) -> list[Answer]:
        """Wait for a job and return the worker's answers, see ``worker.work``."""

    def cancel(self) -> None:
        """Cancel what runs."""

    def busy(self) -> bool:
        """Whether a cancelled task still runs."""

    def lost(self) -> str:
        """Return why no job can end any more, where Spark itself would wait for ever; it is asked now and then."""

    def close(self) -> None:
        """Remove the data from the cluster."""

    def stop(self) -> None:
        """End the session."""
