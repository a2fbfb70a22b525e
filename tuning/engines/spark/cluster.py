"""The contract between the engine and a kind of Spark session."""

from __future__ import annotations

from typing import Any, Protocol

from tuning.plan import Fit, Workload


class Cluster(Protocol):
    """Runs one fit at a time for each thread that asks.

    Data
        ``share`` once, before any ``run``; executors fetch the data once each, Python workers keep them.
    Threads
        ``run`` blocks, and is called from many threads at once.
    Cancel
        ``cancel`` makes every ``run`` that has submitted its job raise CancelledError, at once or soon.
    """

    @property
    def task_threads(self) -> int:
        """Threads that a task may use."""

    @property
    def slots(self) -> int:
        """Tasks that can run side by side now."""

    def share(self, workload: Workload) -> None:
        """Make data and code reachable by the workers."""

    def run(self, fit: Fit | None, label: str) -> tuple[str, Any]:
        """Run one fit and return the worker's answer; None only loads the workload."""

    def cancel(self) -> None:
        """Cancel what runs."""

    def busy(self) -> bool:
        """Whether a cancelled task still runs."""

    def close(self) -> None:
        """Remove the data from the cluster."""

    def stop(self) -> None:
        """End the session."""
