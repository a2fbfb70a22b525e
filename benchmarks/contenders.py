"""Ways to judge the same candidates on the same folds; one is ours, the others are its peers.

    python -m benchmarks.contenders NAME FEATURES SPEC CORES

prints the seconds that NAME took and its split scores. Each contender is written as its own documentation would have
it, told to use CORES, with one thread per fit where it runs fits side by side.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import GridSearchCV, ParameterGrid, cross_validate

import tuning
from benchmarks.measuring import timed
from entrypoints.data.rows import training_and_holdout
from features import FeatureMatrix
from tuning import Dataset, SweepSpec
from tuning.learners.boosters import booster_params, training_matrix
from tuning.plan import plan_fits
from tuning.spec.estimators import for_candidate, make_estimator
from tuning.strategies import Proposal
from tuning.workload import Workload

Scores = list[list[float]]


def gridfold(spec: SweepSpec, data: Dataset, cores: int) -> Scores:
    """Ours, with nothing watching."""
    with tuning.open_engine("local", cores) as engine:
        scores: Scores = tuning.sweep(spec, data, engine).split_scores().tolist()
    return scores


def grid_search_cv(spec: SweepSpec, data: Dataset, cores: int) -> Scores:
    """scikit-learn, in joblib's processes."""
    return _grid_search(GridSearchCV, spec, data, n_jobs=cores)


def dask_ml(spec: SweepSpec, data: Dataset, cores: int) -> Scores:
    """dask-ml's GridSearchCV, which merges equal steps, on dask's processes."""
    import dask
    from dask_ml.model_selection import GridSearchCV as DaskGridSearchCV

    with dask.config.set(scheduler="processes", num_workers=cores):
        return _grid_search(DaskGridSearchCV, spec, data)


def joblib_spark(spec: SweepSpec, data: Dataset, cores: int) -> Scores:
    """scikit-learn's GridSearchCV on joblib-spark's backend, Spark running here with as many cores."""
    from joblib import parallel_config
    from joblibspark import register_spark
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master(f"local[{cores}]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        register_spark()
        with parallel_config("spark", n_jobs=cores):
            return _grid_search(GridSearchCV, spec, data)
    finally:
        session.stop()


def optuna_grid(spec: SweepSpec, data: Dataset, cores: int) -> Scores:
    """Optuna's GridSampler, trials in its own threads."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    scores: dict[int, list[float]] = {}
    places = {_key(params): place for place, params in enumerate(ParameterGrid(spec.grid))}

    def objective(trial: Any) -> float:
        params = {name: trial.suggest_categorical(name, values) for name, values in sorted(spec.space.grids[0].items())}
        splits = _cross_validated(spec, data, params)
        scores[places[_key(params)]] = splits
        return float(np.mean(splits))

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.GridSampler(spec.grid, seed=0))
    study.optimize(objective, n_jobs=cores)
    return [scores[place] for place in sorted(scores)]


def hyperopt_points(spec: SweepSpec, data: Dataset, cores: int) -> Scores:
    """Hyperopt's fmin over the grid's points, which runs one at a time; the folds of a point run side by side."""
    from hyperopt import fmin, hp, rand

    scores: dict[int, list[float]] = {}
    space = {name: hp.choice(name, values) for name, values in spec.space.grids[0].items()}
    grid = list(ParameterGrid(spec.grid))
    points = [{name: spec.grid[name].index(value) for name, value in params.items()} for params in grid]
    places = {_key(params): place for place, params in enumerate(grid)}

    def objective(params: Mapping[str, Any]) -> float:
        place = places[_key(params)]
        if place not in scores:  # after the points it draws as many again at random, which are repeats
            scores[place] = _cross_validated(spec, data, params, n_jobs=cores)
        return -float(np.mean(scores[place]))

    fmin(
        objective,
        space,
        rand.suggest,
        max_evals=len(points),
        points_to_evaluate=points,  # which it overlooks when it is given Trials
        show_progressbar=False,
    )
    return [scores[place] for place in sorted(scores)]


def ray_tune(spec: SweepSpec, data: Dataset, cores: int) -> Scores:
    """Ray Tune's grid_search, a trial per candidate, each on one core."""
    import ray
    from ray import tune

    ray.init(num_cpus=cores, include_dashboard=False, log_to_driver=False, configure_logging=False)
    shared = ray.put(data)

    def trial(config: Mapping[str, Any]) -> None:
        tune.report({"splits": _cross_validated(spec, ray.get(shared), config)})

    try:
        space = {name: tune.grid_search(values) for name, values in spec.space.grids[0].items()}
        results = tune.Tuner(
            trial, param_space=space, run_config=tune.RunConfig(verbose=0, storage_path="/tmp/ray-benchmark")
        ).fit()
        found = {_key(result.config): result.metrics["splits"] for result in results}
    finally:
        ray.shutdown()
    return [found[_key(params)] for params in ParameterGrid(spec.grid)]


def floor(spec: SweepSpec, data: Dataset, cores: int) -> float:
    """Measure no contender but the least there is: ``xgb.train`` of the distinct rounds alone, spread over the cores.

    Returns
    -------
    float
        Seconds. Matrices are made beforehand, nothing is scored, and the last core to finish is not waited for.
    """
    import xgboost as xgb

    workload = Workload.for_spec(spec, data)
    candidates = [tuning.Candidate(params) for params in ParameterGrid(spec.grid)]
    fits = plan_fits(workload, [Proposal(candidate) for candidate in candidates], cores)
    matrices = {}
    for fold in workload.folds:
        rows = data.rows(fold.train)
        matrices[fold.index] = training_matrix(
            for_candidate(workload.estimator, {}, 1), rows.X, rows.y, rows.sample_weight
        )

    def seconds(fit: Any) -> float:
        longest = max(fit.candidates, key=lambda candidate: int(candidate.params["n_estimators"]))
        estimator = for_candidate(workload.estimator, longest.params, 1)
        begun = time.perf_counter()
        n_classes = None if data.classes is None else len(data.classes)
        xgb.train(booster_params(estimator, n_classes), matrices[fit.fold], estimator.get_num_boosting_rounds())
        return time.perf_counter() - begun

    with ThreadPoolExecutor(cores) as pool:
        return sum(pool.map(seconds, fits)) / cores


CONTENDERS: Mapping[str, Callable[[SweepSpec, Dataset, int], Any]] = {
    "gridfold": gridfold,
    "GridSearchCV": grid_search_cv,
    "Optuna GridSampler": optuna_grid,
    "hyperopt": hyperopt_points,
    "dask-ml": dask_ml,
    "Ray Tune": ray_tune,
    "joblib-spark": joblib_spark,
    "floor": floor,
}


def _grid_search(kind: Any, spec: SweepSpec, data: Dataset, **options: Any) -> Scores:
    estimator = _estimator(spec, {})
    folds = [(fold.train, fold.test) for fold in tuning.make_folds(spec.cv, data)]
    search = kind(estimator, spec.grid, scoring=spec.refit_scorer, cv=folds, refit=False, **options)
    table = search.fit(data.X, data.y).cv_results_
    splits: Scores = np.array([table[f"split{k}_test_score"] for k in range(spec.cv.folds)]).T.tolist()
    order = {_key(params): place for place, params in enumerate(table["params"])}
    return [splits[order[_key(params)]] for params in ParameterGrid(spec.grid)]


def _cross_validated(spec: SweepSpec, data: Dataset, params: Mapping[str, Any], n_jobs: int = 1) -> list[float]:
    folds = [(fold.train, fold.test) for fold in tuning.make_folds(spec.cv, data)]
    scored = cross_validate(
        _estimator(spec, params), data.X, data.y, scoring=spec.refit_scorer, cv=folds, n_jobs=n_jobs
    )
    splits: list[float] = scored["test_score"].tolist()
    return splits


def _estimator(spec: SweepSpec, params: Mapping[str, Any]) -> Any:
    return for_candidate(make_estimator(spec.estimator, spec.fixed), params, threads=1)


def _key(params: Mapping[str, Any]) -> str:
    return tuning.Candidate(dict(params)).key


def main(arguments: Sequence[str]) -> None:
    name, features, space, cores = arguments
    train, _ = training_and_holdout(FeatureMatrix.load(Path(features)))
    spec = SweepSpec.load(space)
    timed(lambda: CONTENDERS[name](spec, train, int(cores)))


if __name__ == "__main__":
    main(sys.argv[1:])
