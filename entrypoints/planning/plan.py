"""What ``-P plan=true`` prints: the sweep as it would be, before a single fit of it."""

from __future__ import annotations

from collections.abc import Sequence

from backends.capacity import Capacity
from entrypoints.planning.places import place_rows
from entrypoints.terminal.results import Row, show_row
from entrypoints.terminal.tally import duration
from tracking import EntryRun
from tuning.forecast import Forecast

_MEASURED_HERE = "times are by this machine's cores, for all fits; what a machine takes to start is not in them"


def show_plan(run: EntryRun, plan: Forecast, n_rows: int, refusal: str = "", places: Sequence[Capacity] = ()) -> None:
    """Print the plan and keep it as the run's note."""
    rows = plan_rows(plan, n_rows, refusal, places)
    text = "\n".join(f"{label:<8} {words}" for label, words in rows)
    run.set_note(f"Planned, not run.\n\n```\n{text}\n```\n")
    for label, words in rows:
        show_row(label, words)


def plan_rows(plan: Forecast, n_rows: int, refusal: str = "", places: Sequence[Capacity] = ()) -> list[Row]:
    """Return what the plan says, a label and a text each.

    Parameters
    ----------
    plan : Forecast
    n_rows : int
        Training rows.
    refusal : str
        Why the sweep would be refused as it is; empty where it would not.
    places : sequence of Capacity
        Where else it is to be priced.
    """
    shared = f", trained as {plan.n_units:,} boosters" if plan.n_units < plan.n_fits else ""
    left = plan.n_fits - plan.n_known
    counts = (
        f"{plan.n_candidates:,} candidates x {plan.n_folds} folds = {plan.n_fits:,} fits of {n_rows:,} rows{shared}"
    )
    known = f"{plan.n_known:,} of {plan.n_fits:,} fits, of earlier sweeps, which are not fitted again here"
    rest = f" for the {left:,} that are left" if plan.n_known else ""
    return [
        ("plan", counts),
        *([("known", known)] if plan.n_known else []),
        ("time", f"about {duration(plan.seconds)} on {plan.workers} cores{rest}, refit not included"),
        ("memory", f"about {plan.peak_bytes / 1e9:.1f} GB at the peak"),
        *place_rows(plan, places),
        *([("", _MEASURED_HERE)] if places else []),
        ("next", refusal or "nothing has been trained; leave out plan=true to run it"),
    ]
