"""Judge every candidate of a spec on every fold, record it all live, and register the winner."""

from __future__ import annotations

import sys

import tuning
from entrypoints.asked_spec import asked_spec
from entrypoints.command import entrypoint
from entrypoints.model_card import log_card
from entrypoints.parameters import SweepParams
from entrypoints.pipeline import rows_for
from entrypoints.plan import show_plan
from entrypoints.progress import SweepProgress, stages
from entrypoints.records import given_up, log_request
from entrypoints.rows import Rows
from entrypoints.summary import summary
from tracking import EntryRun, FittedModel, SweepRecorder, registry, report
from tuning import SweepSpec
from tuning.engines import check_engine, choose_engine, open_engine
from tuning.forecast import forecast, workers_within
from tuning.verification import raise_disagreement


@entrypoint("sweep")
def sweep(params: SweepParams, run: EntryRun) -> None:
    """Sweep, refit the winner, score it on rows that no fold saw, and register it as challenger."""
    spec = asked_spec(params.space, run)
    if params.verify:
        spec = spec.model_copy(update={"verify": params.verify})
    check_engine(params.engine, params.master)
    registry.check_model_name(params.registered_name)

    spec, rows = rows_for(params, spec, run)
    log_request(run, spec, rows)
    if params.plan:
        return show_plan(run, forecast(spec, rows.train, params.cores), rows.train.n_rows)
    cores = fits_side_by_side(params, spec, rows)
    with (
        open_engine(params.engine, cores, params.master) as engine,
        SweepRecorder(run) as record,
        SweepProgress() as progress,
    ):
        result = given_up(params, tuning.sweep(spec, rows.train, engine, [record, progress]))

    with stages("winner") as begin:
        begin("refitting on all training rows")
        winner = tuning.refit(spec, result.best, rows.train, params.cores, result.rounds.get(result.best))
        scores = tuning.score(winner, rows.holdout, spec.scorers) if rows.holdout else {}
        begin("recording the result and the model")
        report.log_result(run, spec, result, scores)
        raise_disagreement(result)
        model = registry.log_and_register(run, fitted_model(winner, rows), params.registered_name)
        log_card(params, run, spec, rows, result, scores, winner, model)
    print(summary(result, scores, model, run.where_to_look()))
    return None


def fits_side_by_side(params: SweepParams, spec: SweepSpec, rows: Rows) -> int:
    """Return the limit that parameters and budget set, 0 for none; memory is limited on this machine only."""
    if choose_engine(params.engine, params.master) == "local":
        return workers_within(spec, rows.train, params.cores)
    return min(filter(None, (params.cores, spec.budget.cores)), default=0)


def fitted_model(estimator: object, rows: Rows) -> FittedModel:
    """Put the names of classes and columns, and a few rows, beside the estimator."""
    classes = None if rows.train.classes is None else rows.train.classes.tolist()
    return FittedModel(estimator, rows.example, classes, rows.columns, rows.one_hot, rows.featurizer)


if __name__ == "__main__":
    sys.exit(sweep())
