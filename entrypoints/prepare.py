"""Make the environment of a backend; the backend does it itself, so whoever arrives here has named none."""

from __future__ import annotations

from entrypoints.command.entry import entrypoint
from entrypoints.parameters import Params
from errors import SpecError
from tracking import EntryRun


@entrypoint("prepare")
def prepare(params: Params, run: EntryRun) -> None:
    """Say what is missing."""
    raise SpecError("prepare is for a remote backend: mlflow run . -e prepare -b dsvm -c backends/dsvm.json")


if __name__ == "__main__":
    prepare.main()
