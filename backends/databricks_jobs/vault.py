"""Secrets of jobs, one per run in a scope of the user's own: the one place that a job's page does not show.

A run's parameters, its cluster's environment variables and files in a volume can be read by whoever may see the run or
the volume; the scope by its owner, and so by the job, which runs as the owner. The driver cannot take its secret away
(``dbutils`` only reads), so it lies there until the job has ended and this side has seen it, or ``-e clean`` has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress

from databricks.sdk.errors import NotFound, ResourceAlreadyExists

from backends.databricks_jobs.workspace import Workspace, told
from backends.failures import BackendError

_LARGEST = 128 * 1024


class Vault:
    """The user's secret scope.

    Attributes
    ----------
    scope : str
    """

    def __init__(self, workspace: Workspace) -> None:
        self._secrets = workspace.client.secrets
        self._place = workspace.place
        self.scope = "gridfold-" + re.sub(r"[^A-Za-z0-9@._-]", "-", workspace.user)[:100]

    def put(self, run_id: str, values: Mapping[str, str]) -> None:
        """Keep the values for one run."""
        content = json.dumps(dict(values))
        if len(content.encode()) > _LARGEST:
            raise BackendError(
                f"{self._place}: the values of 'environment' are more than the {_LARGEST // 1024} KB that a secret may "
                "have; take the largest out."
            )
        with told(self._place):
            with suppress(ResourceAlreadyExists):
                self._secrets.create_scope(self.scope)
            self._secrets.put_secret(self.scope, run_id, string_value=content)

    def remove(self, run_id: str) -> None:
        """Forget a run's; there may be none."""
        with told(self._place):
            try:
                self._secrets.delete_secret(self.scope, run_id)
            except NotFound:
                return

    def close(self) -> bool:
        """Remove the scope, unless it holds secrets of other jobs; return whether it was removed."""
        with told(self._place):
            try:
                if any(True for _ in self._secrets.list_secrets(self.scope)):
                    return False
                self._secrets.delete_scope(self.scope)
            except NotFound:
                return False
        return True
