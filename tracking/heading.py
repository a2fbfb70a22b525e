"""What a sweep's run is called and marked as, from its first second.

A list of runs shows little more than their names, so a sweep's says what is swept, over what, and in the end how it
ended: ``XGBClassifier 40 random demographics -2.4137``. Its kind is a tag, so that a view can leave out all else: three
hundred candidates would push older sweeps off the page.
"""

from __future__ import annotations

from tracking.runs import EntryRun
from tuning.naming import estimator_name
from tuning.search import candidates_asked
from tuning.spec.sweep_spec import SweepSpec

KIND = "gridfold.kind"
SWEEP, PLAN, CANDIDATE, COMPARISON, CHOICE = "sweep", "plan", "candidate", "comparison", "choice"
_LONGEST_PIPELINE = 24


def mark_sweep(run: EntryRun, spec: SweepSpec, over: str = "") -> None:
    """Mark `run` as a sweep, and call it by what is swept and `over` what."""
    run.set_tags({KIND: SWEEP})
    run.entitle(title(spec, over))


def mark_plan(run: EntryRun, spec: SweepSpec, over: str = "") -> None:
    """Mark `run` as the plan of a sweep, which has no candidates and no score."""
    run.set_tags({KIND: PLAN})
    run.entitle(f"plan: {title(spec, over)}")


def mark_score(run: EntryRun, score: float) -> None:
    """Add the winner's score to the run's name."""
    run.entitle(f"{run.title} {score:.5g}" if run.title else "")


def title(spec: SweepSpec, over: str = "") -> str:
    """Say what is swept in a few words: the estimator, how many candidates, found how, and `over` what."""
    n_candidates = candidates_asked(spec)
    words = [short_estimator(spec), f"{n_candidates:,}" if n_candidates else "", spec.search.strategy, over]
    return " ".join(filter(None, words))


def short_estimator(spec: SweepSpec) -> str:
    """Return the estimator in fewer words: of a long pipeline the last step."""
    whole = estimator_name(spec)
    return whole if len(whole) <= _LONGEST_PIPELINE else whole.rpartition(" → ")[2]
