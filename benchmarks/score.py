"""The whole test set to submission.csv, step by step, beside the same model called with rows of nested events.

    python -m benchmarks.score [--data DIR] [--scale 1.0] [--peer 3000]

``score`` does what ``mlflow run . -e score`` does after ingest, in a process of its own: for batches of devices,
features from the tables, prediction by a model of 400 rounds and depth 4, and writing. The peer is what anybody can do
with the registered model alone: ``mlflow.pyfunc.load_model(...).predict`` on a DataFrame with a list of events a
device, made beforehand; of fewer devices, since it takes longer. Both are told per 1,000 devices.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import mlflow
import pandas as pd
import polars as pl

from benchmarks.measuring import Cost, run_module, table, timed
from benchmarks.trained_model import register
from cache import Cache
from entrypoints.score import BATCH, device_rows, devices_to_score
from entrypoints.scoring.predictions import predictions_file
from sources import Silence, Tables, ingest, source_from
from sources.schema import TABLES
from tracking.loading import load


def scored(uri: str, tables: Tables) -> dict[str, float]:
    """Score all test devices; seconds of each step."""
    model = load(uri)
    devices, scans = devices_to_score(tables), {name: tables.scan(name) for name in TABLES}
    taken: dict[str, float] = defaultdict(float)
    with tempfile.TemporaryDirectory() as folder:
        with predictions_file(Path(folder) / "submission.csv") as write:
            for start in range(0, len(devices), BATCH):
                batch = devices.slice(start, BATCH)
                marks = [time.perf_counter()]
                X = model.model.preparation.transform(batch, scans)
                marks.append(time.perf_counter())
                predicted = model.model.predict_matrix(X)
                marks.append(time.perf_counter())
                write(device_rows(batch, predicted, model.classes))
                marks.append(time.perf_counter())
                for step, began, ended in zip(("features", "predict", "write"), marks, marks[1:], strict=False):
                    taken[step] += ended - began
        size = (Path(folder) / "submission.csv").stat().st_size
    return {**taken, "devices": len(devices), "megabytes": size / 1e6}


def as_sent(tables: Tables, n_devices: int) -> pd.DataFrame:
    """Return some test devices as rows of nested events."""
    devices = devices_to_score(tables).head(n_devices).to_frame()
    phones = tables.scan("phone_brand_device_model").unique("device_id", keep="first").collect()
    events = tables.scan("events").join(devices.lazy(), on="device_id", how="semi")
    apps = tables.scan("app_events").join(events, on="event_id", how="semi").group_by("event_id").agg(apps="app_id")
    nested = events.join(apps, on="event_id", how="left").with_columns(pl.col("timestamp").dt.to_string("%F %T"))
    listed = nested.group_by("device_id").agg(events=pl.struct("timestamp", "apps")).collect()
    rows = devices.join(phones, on="device_id", how="left").join(listed, on="device_id", how="left")
    return pd.DataFrame(rows.drop("device_id").to_dicts())


def sent(uri: str, tables: Tables, n_devices: int) -> dict[str, float]:
    """Predict for rows of nested events, as MLflow's own loader does."""
    rows, model = as_sent(tables, n_devices), mlflow.pyfunc.load_model(uri)
    began = time.perf_counter()
    model.predict(rows)
    return {"predict": time.perf_counter() - began, "devices": n_devices}


def show(name: str, cost: Cost | str) -> list[str]:
    if isinstance(cost, str):
        return [name, cost, *[""] * 6]
    steps = cost.answer
    whole = sum(steps.get(step, 0.0) for step in ("features", "predict", "write"))
    cells = [f"{steps[step]:.1f}" if step in steps else "" for step in ("features", "predict", "write")]
    per_thousand = f"{1000 * whole / steps['devices']:.2f}"
    return [name, f"{steps['devices']:,}", *cells, f"{whole:.1f}", per_thousand, f"{cost.peak_mib:,.0f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="synthetic")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--peer", type=int, default=3_000)
    parser.add_argument("--child", nargs=3, metavar=("WHAT", "URI", "TABLES"))
    asked = parser.parse_args()
    if asked.child:
        what, uri, folder = asked.child
        tables = Tables(Path(folder), reused=True)
        timed(lambda: scored(uri, tables) if what == "score" else sent(uri, tables, asked.peer))
        return
    with tempfile.TemporaryDirectory() as scratch:
        source = source_from(asked.data, scale=asked.scale, seed=0, leak=False)
        tables = ingest(source, Cache(Path(scratch) / "cache"), Silence())
        uri = register(tables, Path(scratch))
        costs = {
            name: run_module("benchmarks.score", ["--child", what, uri, str(tables.path), "--peer", str(asked.peer)])
            for name, what in (("score", "score"), ("pyfunc, nested rows", "sent"))
        }
    header = ["", "devices", "features, s", "predict, s", "write, s", "whole, s", "s per 1,000", "peak MiB"]
    print(table(header, [show(name, cost) for name, cost in costs.items()]))


if __name__ == "__main__":
    main()
