"""The plugin that ``-b databricks-jobs`` names.

Not MLflow's own ``-b databricks``: that one needs DBFS, cannot use an existing cluster, shows no log and returns before
the job has ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from backends import reach
from backends.databricks_jobs.settings import DatabricksSettings
from backends.failures import BackendError
from backends.job import Compute
from backends.plugin import RemoteBackend
from backends.request import Request


class DatabricksBackend(RemoteBackend):
    """Runs entry points as one-time runs of the Jobs service."""

    name = "databricks-jobs"
    settings = DatabricksSettings

    def check(self, settings: DatabricksSettings, request: Request) -> None:
        """Refuse a tracking store that the workspace cannot reach."""
        if settings.host and reach.is_local(settings.host) and request.tracking_uri.startswith("http"):
            return  # a workspace on this machine, which has our loopback
        reach.require(request.tracking_uri, request.artifact_location(), self.name, "the workspace")

    @contextmanager
    def open(self, settings: DatabricksSettings, request: Request) -> Iterator[Compute]:
        """Sign in to the workspace."""
        if find_spec("databricks") is None or find_spec("databricks.sdk") is None:
            raise BackendError(
                "backend 'databricks-jobs': databricks-sdk is not installed. "
                "Run: pip install -e '.[databricks]' in the project."
            )
        from backends.databricks_jobs.compute import WorkspaceCompute
        from backends.databricks_jobs.workspace import Workspace

        yield WorkspaceCompute(Workspace.sign_in(settings), settings)
