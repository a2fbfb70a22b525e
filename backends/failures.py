"""What can go wrong with the place where a job runs, as one line for the person who typed the command.

Requests are asked again by the libraries that send them (urllib3, Azure's and Databricks'). A connection that is lost
is made again by loops of our own, in ``cluster.job``, ``dsvm.engine`` and ``hdinsight.backend``: what each does between
two tries (say so once, connect anew, look whether the job was taken after all) is most of it, and a library for the
rest, which every install would need, would save a few lines.
"""

from __future__ import annotations

from errors import GridfoldError


class BackendError(GridfoldError):
    """The job cannot run there, or ended badly there."""


class ConnectionLostError(BackendError):
    """The place cannot be reached any more; the job may well go on, so its run must not be ended."""
