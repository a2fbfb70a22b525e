"""A registered model of the published size (400 rounds of depth 4), for benchmarks of what comes after training.

Trained on few devices with few bins and a sample of the columns, since the cost of predicting depends on the number and
depth of trees and on the number of columns, not on how well they were chosen.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import xgboost

from features import FEATURE_SETS, build
from features.featurizer import Featurizer
from sources import Tables
from sources.schema import TABLES
from tracking import EntryRun, FittedModel
from tracking.registry import log_and_register

DEVICES = 6_000


def register(tables: Tables, folder: Path, rounds: int = 400, depth: int = 4) -> str:
    """Train a model on `tables`, register it in a store of its own in `folder`, and return its URI.

    The environment names that store afterwards.
    """
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
    os.environ["MLFLOW_EXPERIMENT_NAME"] = "benchmark"
    scans: dict[str, pl.LazyFrame] = {name: tables.scan(name) for name in TABLES}
    matrix = build(scans, FEATURE_SETS)
    classes, codes = np.unique(matrix.rows["label"].to_numpy().astype(str), return_inverse=True)
    some = np.random.default_rng(0).permutation(len(codes))[:DEVICES]
    estimator = xgboost.XGBClassifier(
        n_estimators=rounds, max_depth=depth, max_bin=2, colsample_bytree=0.01, random_state=0
    ).fit(matrix.X[some], codes[some])
    columns = matrix.columns["name"].to_list()
    with EntryRun.begin("benchmark") as run:
        featurizer = Featurizer.of(matrix, scans)
        fitted = FittedModel(estimator, matrix.X[:3], classes.tolist(), columns, preparation=featurizer)
        return log_and_register(run, fitted, "demographics", "champion").uri
