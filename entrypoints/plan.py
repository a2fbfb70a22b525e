"""What ``-P plan=true`` prints: the sweep as it would be, before a single fit of it."""

from __future__ import annotations

from entrypoints.tally import duration
from entrypoints.terminal.results import Row, show_row
from tracking import EntryRun
from tuning.forecast import Forecast


def show_plan(run: EntryRun, plan: Forecast, n_rows: int, refusal: str = "") -> None:
    """Print the plan and keep it as the run's note."""
    rows = plan_rows(plan, n_rows, refusal)
    text = "\n".join(f"{label:<8} {words}" for label, words in rows)
    run.set_note(f"Planned, not run.\n\n```\n{text}\n```\n")
    for label, words in rows:
        show_row(label, words)


def plan_rows(plan: Forecast, n_rows: int, refusal: str = "") -> list[Row]:
    """Return what the plan says, a label and a text each.

    Parameters
    ----------
    plan : Forecast
    n_rows : int
        Training rows.
    refusal : str
        Why the sweep would be refused as it is; empty where it would not.
    """
    folds = plan.n_fits // max(1, plan.n_candidates)
    shared = f", trained as {plan.n_units:,} boosters" if plan.n_units < plan.n_fits else ""
    return [
        ("plan", f"{plan.n_candidates:,} candidates x {folds} folds = {plan.n_fits:,} fits of {n_rows:,} rows{shared}"),
        ("time", f"about {duration(plan.seconds)} on {plan.workers} cores, refit not included"),
        ("memory", f"about {plan.peak_bytes / 1e9:.1f} GB at the peak"),
        ("next", refusal or "nothing has been trained; leave out plan=true to run it"),
    ]
