"""What can go wrong with the place where a job runs, as one line for the person who typed the command."""

from __future__ import annotations

from errors import GridfoldError


class BackendError(GridfoldError):
    """The job cannot run there, or ended badly there."""


class ConnectionLostError(BackendError):
    """The place cannot be reached any more; the job may well go on, so its run must not be ended."""
