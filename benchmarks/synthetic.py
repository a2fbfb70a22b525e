"""How true the synthetic data is: each fact of the real files beside the same fact of the made ones.

    python -m benchmarks.synthetic [--scale 1.0] [--seed 0] [--data DIR] [--xgboost]

Files are made in a process of their own, timed, with its peak memory; facts are counted from the files. With --data
nothing is made and the facts are those of the seven CSV files there, which may be the real ones. Then plain models
climb the ladder of log-losses, by 5 folds: logistic regressions on whether a device has a brand, model, app or label,
and with --xgboost the two ends of the published grid, on one fold, as 20 fits would take hours.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import polars as pl
import scipy.sparse as sp
import xgboost
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

import features
from benchmarks.measuring import Cost, run_module, table, timed
from sources.schema import TABLES
from sources.synthetic import write_csv

Tables = Mapping[str, pl.LazyFrame]
Labels = NDArray[np.int64]
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)

ROWS = (74_645, 112_071, 187_245, 3_252_950, 32_473_067, 459_943, 930)
PUBLISHED_GRID_ENDS = ((300, 3, "2.2910"), (400, 4, "2.2853"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synthetic", description=__doc__.partition("\n")[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="folder of the seven CSV files, instead of making them")
    parser.add_argument("--xgboost", action="store_true", help="fit the published grid's ends as well")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.make:
        timed(lambda: write_csv(asked.make, asked.scale, asked.seed))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.data or made(Path(scratch), asked.scale, asked.seed)
        tables = {name: pl.scan_csv(folder / f"{name}.csv", schema=dict(TABLES[name].columns)) for name in TABLES}
        print(table(("fact", "real", "here"), facts(tables)), flush=True)
        print()
        print(table(("log-loss", "published", "here", "with events", "without"), ladder(tables, asked.xgboost)))


def made(folder: Path, scale: float, seed: int) -> Path:
    cost = run_module("benchmarks.synthetic", ["--make", str(folder), "--scale", str(scale), "--seed", str(seed)])
    if not isinstance(cost, Cost):
        raise SystemExit(cost)
    print(f"Seven CSV files at scale {scale:g} in {cost.seconds:.1f} s, {cost.peak_mib:,.0f} MiB at the peak.\n")
    return folder


def facts(tables: Tables) -> Iterator[tuple[str, str, str]]:
    for (name, frame), rows in zip(tables.items(), ROWS, strict=True):
        yield f"rows of {name}", f"{rows:,}", f"{frame.select(pl.len()).collect().item():,}"
    for part in (phone_facts, event_facts, app_facts, label_facts, order_facts):
        yield from part(tables)


def share(true: pl.Series) -> float:
    """Of the cells that are not null."""
    return float(true.drop_nulls().to_numpy().mean())


def phone_facts(tables: Tables) -> Iterator[tuple[str, str, str]]:
    phones = tables["phone_brand_device_model"].collect()
    device = phones["device_id"].unique()
    twice = phones.group_by("device_id").agg(
        pl.len(), pl.struct("phone_brand", "device_model").n_unique().alias("kinds")
    )
    brands = phones["phone_brand"].value_counts(sort=True)["count"]
    yield "device_id negative", "50%", f"{share(device < 0):.1%}"
    yield "device_id beyond 2^53", "99.9%", f"{1 - share(device.is_between(-(2**53), 2**53)):.1%}"
    yield "devices twice, in conflict", "529, 6", f"{(twice['len'] > 1).sum()}, {(twice['kinds'] > 1).sum()}"
    yield "brands, devices of the first 9", "131, 90%", f"{len(brands)}, {brands.head(9).sum() / len(phones):.1%}"
    pairs = phones.select("phone_brand", "device_model").n_unique()
    yield "models, pairs with a brand", "1,600, more", f"{phones['device_model'].n_unique():,}, {pairs:,}"


def event_facts(tables: Tables) -> Iterator[tuple[str, str, str]]:
    events = tables["events"].collect()
    per_device = events["device_id"].value_counts()["count"].to_numpy()
    active = tables["gender_age_train"].collect()["device_id"].is_in(events["device_id"].unique().implode())
    yield "devices with events, share of train", "60,865, 31%", f"{len(per_device):,}, {share(active):.1%}"
    yield (
        "events a device: mean, median, most",
        "53, less, long tail",
        f"{per_device.mean():.1f}, {np.median(per_device):.0f}, {per_device.max():,}",
    )
    nowhere = (events["longitude"] == 0) & (events["latitude"] == 0)
    yield "events at (0, 0)", "29.8%", f"{share(nowhere):.1%}"
    days = events["timestamp"].dt.strftime("%m-%d").value_counts().sort("timestamp")
    week = days.filter(pl.col("timestamp").is_between(pl.lit("05-01"), pl.lit("05-07")))["count"]
    outside = len(events) - week.sum()
    yield "days; events outside 05-01 to 05-07", "9; a few", f"{len(days)}; {outside}"
    hours = events["timestamp"].dt.hour().value_counts().sort("timestamp")["count"].to_numpy()
    yield "busiest hour before 15:00, after", "10, 21", f"{hours[:15].argmax()}, {15 + hours[15:].argmax()}"


def app_facts(tables: Tables) -> Iterator[tuple[str, str, str]]:
    rows = tables["app_events"]
    found = rows.select(
        pl.len().alias("rows"),
        pl.col("event_id").n_unique().alias("events"),
        pl.col("is_installed").min(),
        pl.col("is_active").mean(),
    ).collect(engine="streaming")
    count, events, installed, active = found.row(0)
    of_all = events / tables["events"].select(pl.len()).collect().item()
    yield "events with app rows, rows each", "45.7%, 21.8", f"{of_all:.1%}, {count / events:.1f}"
    yield "is_installed least, is_active", "1, 39%", f"{installed}, {active:.1%}"


def label_facts(tables: Tables) -> Iterator[tuple[str, str, str]]:
    labels, categories = tables["app_labels"].collect(), tables["label_categories"].collect()
    seen = tables["app_events"].group_by("app_id").len().sort("len", descending=True).collect(engine="streaming")
    of_app = labels["app_id"].value_counts(name="labels")
    popular = seen.head(100).join(of_app, on="app_id")["labels"].to_numpy().mean()
    unlabelled = seen.join(of_app, on="app_id", how="anti").height
    yield (
        "apps with labels, seen, seen without",
        "113,211, 19,237, some",
        f"{len(of_app):,}, {len(seen):,}, {unlabelled}",
    )
    yield "labels an app, of the first 100", "4, more", f"{len(labels) / len(of_app):.2f}, {popular:.2f}"
    yield "labels used", "507", f"{labels['label_id'].n_unique()}"
    names = categories["category"]
    yield "category names, empty", "836, some", f"{names.drop_nulls().n_unique()}, {names.null_count()}"


def order_facts(tables: Tables) -> Iterator[tuple[str, str, str]]:
    group = tables["gender_age_train"].collect()["group"]
    counts = group.value_counts().sort("group")["count"]
    real = (5050, 4190, 3118, 4628, 5561, 4194, 7488, 9605, 5445, 7309, 9476, 8581)
    off = np.abs(counts.to_numpy() / len(group) - np.array(real) / sum(real)).max()
    yield "share of a group, greatest difference", "0", f"{off:.4f}"
    yield "neighbours in one group", "22%, or 9% shuffled", f"{share(group == group.shift()):.1%}"


def ladder(tables: Tables, with_xgboost: bool) -> Iterator[tuple[str, ...]]:
    matrix = features.build(tables, ["brand_model", "app_labels"], holdout=0)
    kind = matrix.columns["name"].str.split("=").list.first()
    y = matrix.rows["label"].rank("dense").to_numpy().astype(np.int64) - 1
    active = matrix.rows["device_id"].is_in(
        tables["events"].select("device_id").unique().collect().to_series().implode()
    )
    X = sp.csr_matrix(matrix.X > 0, dtype=np.float32)
    yield scored("uniform", "2.485", y, active.to_numpy(), lambda train, test: np.full((len(test), 12), 1 / 12))
    yield scored("prior", "2.428", y, active.to_numpy(), lambda train, test: prior(y[train], len(test)))
    for name, published, kinds, C in (
        ("brand", "2.402", ["brand"], 0.1),
        ("brand, model", "2.395", ["brand", "model"], 0.1),
        ("brand, model, apps, labels", "2.28 (2.0, 2.39)", ["brand", "model", "app", "label"], 0.02),
    ):
        columns = X[:, np.flatnonzero(kind.is_in(kinds))]
        yield scored(name, published, y, active.to_numpy(), logistic(columns, y, C))
    for rounds, depth, published in PUBLISHED_GRID_ENDS if with_xgboost else ():
        name = f"XGBoost, {rounds} rounds, depth {depth}, one fold"
        yield scored(name, published, y, active.to_numpy(), boosted(X, y, rounds, depth), folds=1)


Predict = Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.floating]]


def prior(y: Labels, rows: int) -> NDArray[np.floating]:
    return np.tile(np.bincount(y, minlength=12) / len(y), (rows, 1))


def logistic(X: sp.csr_matrix, y: Labels, C: float) -> Predict:
    def predict(train: NDArray[np.intp], test: NDArray[np.intp]) -> NDArray[np.floating]:
        model = LogisticRegression(C=C, max_iter=200, tol=1e-3).fit(X[train], y[train])
        return np.asarray(model.predict_proba(X[test]))

    return predict


def boosted(X: sp.csr_matrix, y: Labels, rounds: int, depth: int) -> Predict:
    def predict(train: NDArray[np.intp], test: NDArray[np.intp]) -> NDArray[np.floating]:
        model = xgboost.XGBClassifier(n_estimators=rounds, max_depth=depth, learning_rate=0.1, n_jobs=1)
        return np.asarray(model.fit(X[train], y[train]).predict_proba(X[test]))

    return predict


def scored(
    name: str, published: str, y: Labels, active: NDArray[np.bool_], predict: Predict, folds: int = 5
) -> tuple[str, ...]:
    """Mean log-loss over folds: of all test rows, of those with events, of those without."""
    losses = []
    for train, test in list(FOLDS.split(y, y))[:folds]:
        chances, known = predict(train, test), active[test]
        parts = (known | ~known, known, ~known)
        losses.append([log_loss(y[test][part], chances[part], labels=range(12)) for part in parts])
    return name, published, *(f"{loss:.4f}" for loss in np.mean(losses, axis=0))


if __name__ == "__main__":
    main()
