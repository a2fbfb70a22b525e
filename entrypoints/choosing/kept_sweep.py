"""A finished sweep, fetched from its run with all that a choice among its candidates needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tuning
from cache import process_folder
from entrypoints.data.pipeline import rows_for
from entrypoints.data.rows import Rows
from entrypoints.parameters import SweepParams, parse
from entrypoints.planning.asked_spec import asked_spec
from entrypoints.results.out_of_fold import FOLDER
from errors import FitError, SpecError, TrackingError
from tracking import EntryRun
from tracking.heading import KIND, SWEEP
from tracking.swept import FEATURES_OF, as_typed
from tuning import Candidate, SweepResult, SweepSpec
from tuning.kept.choice import KeptSweep
from tuning.kept.table import FILE, OutOfFold
from tuning.warned import one_line


@dataclass(frozen=True, eq=False)
class Fetched:
    """What there is of a finished sweep.

    Attributes
    ----------
    params : SweepParams
        As it was asked for; its spec is the file that its run has kept.
    spec : SweepSpec
    rows : Rows
    candidates : KeptSweep
    """

    params: SweepParams
    spec: SweepSpec
    rows: Rows
    candidates: KeptSweep

    def refit(self, result: SweepResult, cores: int, candidate: Candidate | None = None) -> Any:
        """Fit the winner of `result`, or another candidate, on all training rows.

        Raises
        ------
        FitError
        """
        chosen = candidate or result.best
        try:
            return tuning.refit(self.spec, chosen, self.rows.train, cores, result.rounds.get(chosen))
        except Exception as error:
            raise FitError(f"{chosen.name} could not be refitted ({one_line(error)}).") from error


def fetch(run: EntryRun, run_id: str) -> Fetched:
    """Fetch the sweep of `run_id` for `run`, and read its rows again.

    Raises
    ------
    TrackingError
        There is no such sweep in this store, or it has kept no predictions.
    SpecError
        Its rows are not there any more as they were.
    """
    tags = _tags(run, run_id)
    if not run.has_artifact(run_id, FOLDER):
        raise TrackingError(
            f"-P run={run_id}: the sweep has left no file {FOLDER}/{FILE}. Let it end, or sweep again: what is known "
            "is not fitted twice."
        )
    known = {name: as_typed(value) for name, value in run.params_of(run_id).items()}
    asked = [f"--{name}={known[name]}" for name in SweepParams.model_fields if known.get(name)]
    params = parse(SweepParams, asked)
    params = params.model_copy(update={"space": f"runs:/{run_id}/{Path(params.space).name}", "plan": False})
    spec = asked_spec(params.space, run)
    spec, rows = rows_for(params, spec, run)
    if rows.fingerprint != tags.get(FEATURES_OF):
        raise SpecError(
            f"-P run={run_id}: its rows are not what they were ({rows.source}), so what it has kept says nothing of "
            "them. Sweep again."
        )
    file = OutOfFold(run.fetch_file(run_id, f"{FOLDER}/{FILE}", process_folder("gridfold-predictions-")))
    return Fetched(params, spec, rows, KeptSweep(file, spec, rows.train))


def _tags(run: EntryRun, run_id: str) -> dict[str, str]:
    """Return the tags of the sweep's run."""
    if not run_id:
        raise SpecError("-P run: which sweep? Copy the id of its run from the sweep's page.")
    if not run.knows(run_id):
        raise TrackingError(f"-P run={run_id}: there is no such run in this store. Copy the id from the sweep's page.")
    tags = run.tags_of(run_id)
    if tags.get(KIND) != SWEEP:
        raise TrackingError(f"-P run={run_id}: it is no sweep. Name the run of a sweep.")
    return tags
