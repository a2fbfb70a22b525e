"""How the runs of one sweep that took several commands lead to each other."""

from __future__ import annotations

from tracking import store
from tracking.open_run import JOURNAL
from tracking.runs import EntryRun

FINGERPRINT = "sweep.fingerprint"
CONTINUES = "sweep.continues"
CONTINUED_BY = "sweep.continued_by"
_LOOKED_AT = 20


def continue_earlier(run: EntryRun) -> str | None:
    """Tie `run` to the last run of the same sweep, if that was broken off, and return its id.

    Raises
    ------
    TrackingError
        The store refuses.
    """
    asked = run.tag(FINGERPRINT)
    with store.refusals("look for an earlier run of this sweep"):
        found = run.client.search_runs(
            [run.experiment_id],
            f"tags.`{FINGERPRINT}` = '{asked}'",
            max_results=_LOOKED_AT,
            order_by=["attributes.start_time DESC"],
        )
        ended = [each for each in found if each.info.run_id != run.run_id and each.info.status != "RUNNING"]
        last = next((each for each in ended if JOURNAL in each.data.tags), None)
        if last is None or last.info.status == "FINISHED" or CONTINUED_BY in last.data.tags:
            return None
        earlier = str(last.info.run_id)
        run.client.set_tag(earlier, CONTINUED_BY, run.run_id)
    run.set_tags({CONTINUES: earlier})
    return earlier
