"""Judge every candidate of a spec on every fold, record it all live, and register the winner."""

from __future__ import annotations

import sys

import tuning
from entrypoints.command import entrypoint
from entrypoints.parameters import SweepParams
from entrypoints.pipeline import features_for
from entrypoints.plan import show_plan
from entrypoints.progress import SweepProgress
from entrypoints.records import log_request
from entrypoints.rows import training_and_holdout
from entrypoints.summary import summary
from tracking import EntryRun, FittedModel, SweepRecorder, registry, report
from tuning import SweepSpec
from tuning.engines import check_engine, open_engine
from tuning.forecast import forecast, workers_within


@entrypoint("sweep")
def sweep(params: SweepParams, run: EntryRun) -> None:
    """Sweep, refit the winner, score it on rows that no fold saw, and register it as challenger."""
    spec = SweepSpec.load(params.space)
    check_engine(params.engine)
    registry.check_model_name(params.model_name)

    matrix = features_for(params, run)
    train, holdout = training_and_holdout(matrix)
    log_request(run, params, spec, matrix)
    if params.plan:
        return show_plan(run, forecast(spec, train, params.cores), len(train.y))
    cores = workers_within(spec, train, params.cores)
    with (
        open_engine(params.engine, cores) as engine,
        SweepRecorder(run) as record,
        SweepProgress() as progress,
    ):
        result = tuning.sweep(spec, train, engine, [record, progress])

    winner = tuning.refit(spec, result.best, train, params.cores, result.rounds.get(result.best))
    scores = tuning.score(winner, holdout, spec.scorers) if holdout else {}
    report.log_result(run, spec, result, scores)
    model = registry.log_and_register(run, fitted_model(winner, train), params.model_name)
    print(summary(result, scores, model, run.where_to_look()))
    return None


def fitted_model(estimator: object, train: tuning.Dataset) -> FittedModel:
    """Put the names of classes and columns, and a few rows, beside the estimator."""
    classes = None if train.classes is None else train.classes.tolist()
    return FittedModel(estimator, train.X[:5], classes, train.columns)


if __name__ == "__main__":
    sys.exit(sweep())
