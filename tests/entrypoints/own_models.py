"""Models of tables of one's own, registered as a sweep would register them, but for the fits."""

import numpy as np
import pandas as pd

import tuning
from entrypoints.data.own import own_rows
from entrypoints.parameters import SweepParams, parse
from entrypoints.results.outcome import fitted_model
from tracking import EntryRun
from tracking.registry import log_and_register
from tracking.swept import SCORER

XGBOOST = {
    "estimator": "xgboost.XGBClassifier",
    "fixed": {"n_estimators": 5, "random_state": 0},
    "grid": {"max_depth": [3]},
    "scoring": "neg_log_loss",
}
LOGISTIC = {
    "estimator": [{"fill": "sklearn.impute.SimpleImputer"}, {"model": "sklearn.linear_model.LogisticRegression"}],
    "grid": {"model__C": [1.0]},
    "scoring": "neg_log_loss",
}
RIDGE = {"estimator": "sklearn.linear_model.Ridge", "grid": {"alpha": [1.0]}, "scoring": "r2"}


def people(n_rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """A table with a column of every kind, gaps among them; ``won`` follows ``age`` and ``town``."""
    draw = np.random.default_rng(seed)
    age = draw.integers(18, 80, n_rows).astype(float)
    town = draw.choice(["007", "008", "XL"], n_rows)
    won = draw.random(n_rows) < np.where(age > 45, 0.8, 0.2) * np.where(town == "XL", 1.0, 0.7)
    age[draw.random(n_rows) < 0.1] = np.nan
    return pd.DataFrame(
        {
            "age": age,
            "rooms": draw.integers(1, 6, n_rows),
            "pay": np.round(draw.normal(size=n_rows), 3),
            "town": town,
            "member": draw.random(n_rows) < 0.5,
            "won": np.where(won, "yes", "no"),
        }
    )


def register(file: str, asked: dict, target: str = "won", name: str = "people", **options: object) -> EntryRun:
    """Fit on the training rows of `file` and register the model as `name`."""
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    params = parse(SweepParams, ["--features", file, "--target", target, *words])
    spec, rows = own_rows(params, tuning.SweepSpec(**{"cv": {"folds": 2}, **asked}))
    candidate = tuning.Candidate({name: values[0] for name, values in spec.grid.items()})
    with EntryRun.begin("sweep") as run:
        run.log_params(params.model_dump())
        winner = tuning.refit(spec, candidate, rows.train, cores=1)
        run.set_tags({SCORER: spec.refit_scorer})
        if rows.kept:
            rows.kept.log(run)
        log_and_register(run, fitted_model(winner, rows), name)
    return run
