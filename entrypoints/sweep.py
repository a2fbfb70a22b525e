"""Judge every candidate of a spec on every fold, record it all live, and register the winner."""

from __future__ import annotations

import tuning
from entrypoints.command.entry import entrypoint
from entrypoints.data.pipeline import rows_for, source_of
from entrypoints.data.records import given_up, log_request
from entrypoints.data.rows import Rows
from entrypoints.parameters import SweepParams
from entrypoints.planning.asked_spec import asked_spec
from entrypoints.planning.audit import audited_rows
from entrypoints.planning.memory import CellMemory, KnownCells
from entrypoints.planning.places import places, refuse_places
from entrypoints.planning.plan import show_plan
from entrypoints.results import unrecorded
from entrypoints.results.missing import Missing
from entrypoints.results.out_of_fold import predictions_for
from entrypoints.results.outcome import KeptResult, Outcome
from entrypoints.results.so_far import SoFar
from entrypoints.results.summary import summary, what_next
from entrypoints.terminal.progress import SweepProgress
from entrypoints.terminal.results import show_facts, show_lines, show_row, where_to_look
from entrypoints.terminal.stages import stages
from entrypoints.terminal.tally import duration
from report.sweep_note import SweepNote
from report.timeline import Timeline
from tracking import EntryRun, SweepRecorder, registry
from tracking.heading import mark_plan, mark_sweep
from tracking.links import links_of
from tracking.views import Pages, open_views
from tuning import SweepSpec
from tuning.engines import check_engine, choose_engine, open_engine, stays_here
from tuning.forecast import forecast, workers_within
from tuning.search import candidates_asked, check_size, too_large
from tuning.spec.file import named_at_its_keys


@entrypoint("sweep")
def sweep(params: SweepParams, run: EntryRun) -> None:
    """Judge the candidates of a spec on every fold, and register the refitted winner as challenger."""
    run.patience.allow(params.record_wait)
    unrecorded.record_quietly(run)
    unrecorded.keep(run)
    spec = _checked(params, run)
    with named_at_its_keys(params.space, SweepSpec, params.features, params.target.partition(":")[0]):
        (_plan if params.plan else _sweep)(params, run, spec)


def _checked(params: SweepParams, run: EntryRun) -> SweepSpec:
    """Return the spec, once all that can be known to be wrong without the rows has been refused."""
    spec = asked_spec(params.space, run)
    if params.verify:
        spec = spec.model_copy(update={"verify": params.verify})
    if not params.plan:
        with named_at_its_keys(params.space, SweepSpec):
            check_size(spec)
        refuse_places(params.backends)
    check_engine(params.engine, params.master, params.cores or spec.budget.cores or 0)
    if why := stays_here(params.engine, params.master):
        show_row("engine", why)
    (mark_plan if params.plan else mark_sweep)(run, spec, params.subject)
    registry.check_model_name(params.registered_name)
    if not params.features:
        source_of(params)
    return spec


def _plan(params: SweepParams, run: EntryRun, spec: SweepSpec) -> None:
    asked = places(params.backends)
    spec, rows = _rows(params, run, spec)
    with stages("plan") as begin:
        begin("timing a few fits")
        known = KnownCells(run) if params.reuse == "auto" else None
        planned = forecast(spec, rows.train, params.cores, known)
    show_plan(run, planned, rows.train.n_rows, too_large(spec), asked)


def _sweep(params: SweepParams, run: EntryRun, spec: SweepSpec) -> None:
    view = open_views(run, spec)
    links = links_of(run, view)
    show_lines(where_to_look(links))
    note = SweepNote(Pages(run, view), spec)
    note.begin(candidates_asked(spec))
    spec, rows = _rows(params, run, spec)
    registry.check_registry(run.client, params.registered_name)
    with stages("plan") as begin:
        begin("looking at the memory of a fit")
        cores = fits_side_by_side(params, spec, rows)
    missing, timeline = Missing(), Timeline()
    predictions = predictions_for(spec)
    kept = KeptResult(run, missing)
    try:
        with (
            CellMemory(run, reuse=params.reuse == "auto") as memory,
            open_engine(params.engine, cores, params.master) as engine,
            SweepRecorder(run, params.record_wait) as record,
            SweepProgress(engine) as progress,
            note.live() as live,
        ):
            tuning.sweep(
                spec, rows.train, engine, [kept, timeline, record, progress, live, SoFar(run)], memory, predictions
            )
    except Exception as error:
        if kept.result is None:
            raise
        missing.add("the candidates' runs are not complete", error)
    assert kept.result is not None  # else the sweep has raised
    result = given_up(params, kept.result)
    outcome = Outcome(params, run, spec, rows, missing, note, timeline.spans, predictions)
    result = outcome.conclude(result, kept)
    show_facts(f"swept in {duration(result.seconds)}", [*summary(result, outcome.scores, outcome.model), *outcome.kept])
    show_lines([*where_to_look(links), *outcome.reported(links), *what_next(params, outcome.model)])
    missing.raise_if_any()


def _rows(params: SweepParams, run: EntryRun, spec: SweepSpec) -> tuple[SweepSpec, Rows]:
    """Return the rows, audited, and the spec for them, and record what was asked."""
    spec, rows = rows_for(params, spec, run)
    log_request(run, spec, rows, params.predicted)
    return spec, audited_rows(run, spec, rows)


def fits_side_by_side(params: SweepParams, spec: SweepSpec, rows: Rows) -> int:
    """Return the limit that parameters and budget set, 0 for none; memory is limited on this machine only."""
    if choose_engine(params.engine, params.master) == "local":
        return workers_within(spec, rows.train, params.cores)
    return min(filter(None, (params.cores, spec.budget.cores)), default=0)


if __name__ == "__main__":
    sweep.main()
