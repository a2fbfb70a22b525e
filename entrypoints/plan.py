"""What ``-P plan=true`` prints: the sweep as it would be, before a single fit of it."""

from __future__ import annotations

from entrypoints.tally import duration
from tracking import EntryRun
from tuning.forecast import Forecast


def show_plan(run: EntryRun, plan: Forecast, n_rows: int, refusal: str = "") -> None:
    """Print the plan and keep it as the run's note."""
    text = plan_text(plan, n_rows, refusal)
    run.set_note(f"Planned, not run.\n\n```\n{text}\n```\n")
    print(text)


def plan_text(plan: Forecast, n_rows: int, refusal: str = "") -> str:
    """Return the plan's lines.

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
    rows = [
        ("plan", f"{plan.n_candidates:,} candidates x {folds} folds = {plan.n_fits:,} fits of {n_rows:,} rows{shared}"),
        ("time", f"about {duration(plan.seconds)} on {plan.workers} cores, refit not included"),
        ("memory", f"about {plan.peak_bytes / 1e9:.1f} GB at the peak"),
        ("next", refusal or "nothing has been trained; leave out plan=true to run it"),
    ]
    return "\n".join(f"{name:<8} {words}" for name, words in rows)
