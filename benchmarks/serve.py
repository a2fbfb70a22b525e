"""Latency and throughput of a served model over loopback HTTP, beside the same model called in a process.

    python -m benchmarks.serve [--scale 0.02] [--rounds 400] [--requests 200]

MLflow's own server, one worker, a model of so many rounds and depth 4; requests of 1, 10 and 100 devices with events as
they come in the test set, one after the other from one client and from four at once. ``in process`` is
``mlflow.pyfunc``'s predict on the same rows, without HTTP and JSON.
"""

from __future__ import annotations

import argparse
import http.client
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import mlflow
import numpy as np
import pandas as pd

from benchmarks.measuring import table
from benchmarks.score import as_sent
from benchmarks.trained_model import register
from cache import Cache
from sources import Silence, ingest, source_from
from tests.services import model_server

BATCHES = (1, 10, 100)
CLIENTS = (1, 4)


def batches_of(rows: pd.DataFrame, size: int, n: int) -> list[pd.DataFrame]:
    """Return `n` batches of `size` rows, drawn at random."""
    draw = np.random.default_rng(size)
    return [rows.iloc[draw.integers(0, len(rows), size)].reset_index(drop=True) for _ in range(n)]


def timed(call: Callable[[object], object], inputs: Sequence[object]) -> list[float]:
    taken = []
    for given in inputs:
        began = time.perf_counter()
        call(given)
        taken.append(time.perf_counter() - began)
    return taken


def post_all(address: str, bodies: Sequence[bytes]) -> list[float]:
    """Post the bodies one after the other over one connection; seconds of each."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port)

    def post(body: Any) -> None:
        connection.request("POST", place.path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise SystemExit(answer.read().decode())
        answer.read()

    return timed(post, bodies)


def row(name: str, devices: int, clients: int, taken: Sequence[float], elapsed: float) -> list[str]:
    p50, p99 = 1000 * np.quantile(taken, [0.5, 0.99])
    rate = len(taken) / elapsed
    return [name, f"{devices}", f"{clients}", f"{p50:.1f}", f"{p99:.1f}", f"{rate:,.1f}", f"{rate * devices:,.0f}"]


def measure(address: str, model: mlflow.pyfunc.PyFuncModel, rows: pd.DataFrame, n: int) -> list[list[str]]:
    lines = []
    for size in BATCHES:
        given = batches_of(rows, size, max(int(n / size**0.5), 20))
        model.predict(given[0])
        own = timed(model.predict, given)
        lines.append(row("in process", size, 1, own, sum(own)))
        bodies = [json.dumps({"dataframe_records": batch.to_dict("records")}).encode() for batch in given]
        post_all(address, bodies[:3])
        for clients in CLIENTS:
            with ThreadPoolExecutor(clients) as pool:
                began = time.perf_counter()
                taken = list(pool.map(post_all, repeat(address), (bodies[start::clients] for start in range(clients))))
                elapsed = time.perf_counter() - began
            lines.append(row("served", size, clients, [second for one in taken for second in one], elapsed))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.02)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--requests", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        tables = ingest(source_from("synthetic", scale=asked.scale, seed=0, leak=False), Cache(folder), Silence())
        uri = register(tables, folder, asked.rounds)
        rows = as_sent(tables, 1_000)
        rows = rows.astype(object).where(rows.notna(), None)  # JSON has no NaN
        with model_server.running(uri, folder / "server.log") as address:
            lines = measure(address, mlflow.pyfunc.load_model(uri), rows, asked.requests)
    header = ["", "devices a request", "clients", "p50, ms", "p99, ms", "requests/s", "devices/s"]
    print(table(header, lines))


if __name__ == "__main__":
    main()
