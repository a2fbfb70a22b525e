"""What becomes of a sweep's record when its store fails: each fault in the middle of a real sweep, then what is there.

    python -m benchmarks.outages              # all faults; --only NAME,NAME for some, --list for their names

A sweep of 12 candidates on 5 folds runs in a process of its own, over a real MLflow server behind a proxy that goes
wrong on demand (or over an sqlite file that another program locks). Printed for each: the exit code, seconds,
candidates and scores that are missing or there twice, and runs left RUNNING. ``eight`` are eight sweeps at once over a
server with PostgreSQL behind it, both of which go down meanwhile. Where a store stays away, ``sync`` follows.
"""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from mlflow import MlflowClient

from tests.services import faulty_proxy, postgres
from tests.services.faulty_proxy import MODES, REFUSE, SLOW, FaultyProxy
from tests.services.mlflow_server import MlflowServer

ROOT = Path(__file__).parents[1]
CANDIDATES, FOLDS, ROWS = 12, 5, 4000
SPEC = {
    "estimator": "xgboost.XGBClassifier",
    "fixed": {"random_state": 0, "n_estimators": 60},
    "grid": {"max_depth": [2, 3, 4], "reg_lambda": [0.5, 1.0, 2.0, 4.0]},
    "scoring": "neg_log_loss",
    "cv": {"folds": FOLDS, "seed": 0},
}


class Sweep:
    """One sweep in a process, over the store at `uri`."""

    def __init__(self, folder: Path, uri: str, name: str, record_wait: int = 300) -> None:
        self.folder, self.uri, self.name = folder, uri, name
        self.began = time.monotonic()
        self.log = folder / f"{name}.log"
        given = ["--features", f"{folder}/mine.csv", "--target", "y", "--space", f"{folder}/space.yaml"]
        self.process = self._started("sweep", *given, "--model_name", name, "--record_wait", str(record_wait))

    def said(self, words: str) -> bool:
        """Whether these words are in what it has printed."""
        return words in self.log.read_text() or self.process.poll() is not None

    def sync(self) -> int:
        """Record what is kept."""
        return self._started("sync").wait()

    def _started(self, entry: str, *arguments: str) -> subprocess.Popen[bytes]:
        own = {"MLFLOW_TRACKING_URI": self.uri, "MLFLOW_EXPERIMENT_NAME": self.name, "CI": "1"}
        with self.log.open("a") as file:
            return subprocess.Popen(
                [sys.executable, "-m", f"entrypoints.{entry}", *arguments],
                cwd=ROOT,
                env={**os.environ, **own, "SWEEP_CACHE": f"{self.folder}/cache-{self.name}"},
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def row(self, client: MlflowClient, note: str = "") -> str:
        """Wait for its end and say what is in the store."""
        code = self.process.wait()
        seconds = time.monotonic() - self.began
        return f"| {self.name} | {code} | {seconds:.0f} | {counted(client, self.name)} | {note} |"


def counted(client: MlflowClient, name: str) -> str:
    """Count what is missing, double or left running in an experiment of one sweep."""
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return "nothing"
    runs = client.search_runs([experiment.experiment_id], max_results=5000)
    keys = Counter(run.data.tags["candidate.key"] for run in runs if "candidate.key" in run.data.tags)
    splits = 0
    twice = sum(keys.values()) - len(keys)
    for run in runs:
        for fold in range(FOLDS if "candidate.key" in run.data.tags else 0):
            history = client.get_metric_history(run.info.run_id, f"split{fold}_test_score")
            splits, twice = splits + bool(history), twice + max(0, len(history) - 1)
    running = sum(run.info.status == "RUNNING" for run in runs)
    return f"{CANDIDATES - len(keys)} | {CANDIDATES * FOLDS - splits} | {twice} | {running}"


def wait_until(condition: Callable[[], bool], seconds: float = 300) -> None:
    """Return once `condition` holds."""
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            raise TimeoutError("it has not come about")
        time.sleep(0.1)


class Meanwhile:
    """A fault that begins with the fourth run that is made, the sweep's own included, and lasts for `seconds`."""

    def __init__(self, mode: str, seconds: float, every: int = 1) -> None:
        self._mode, self._seconds, self._every = mode, seconds, every
        self._made = 0
        self._began: float | None = None

    @property
    def began(self) -> bool:
        """Whether the sweep has come so far."""
        return self._began is not None

    def __call__(self, method: str, path: str, number: int) -> str | None:
        """Return what goes wrong with a request, as ``FaultyProxy`` asks."""
        self._made += path.endswith("runs/create")
        if self._made < 4:
            return None
        self._began = self._began or time.monotonic()
        over = time.monotonic() - self._began > self._seconds
        if over or number % self._every:
            return None
        if self._mode == SLOW:
            time.sleep(2)
            return None
        return self._mode


def by_proxy(folder: Path, server: MlflowServer, proxy: FaultyProxy, name: str, fault: Meanwhile) -> str:
    """Let requests go wrong for a while."""
    proxy.wrong = fault
    return Sweep(folder, proxy.address, name).row(MlflowClient(server.address))


def down(folder: Path, server: MlflowServer, proxy: FaultyProxy, name: str, seconds: float, stop: bool) -> str:
    """Kill the server, or stop it as a debugger would, and start it again after a while."""
    proxy.wrong = begun = Meanwhile(REFUSE, 0)
    sweep = Sweep(folder, server.address if stop else proxy.address, name)
    if stop:
        client = MlflowClient(server.address)
        wait_until(lambda: _children(client, name) >= 3)
    else:
        wait_until(lambda: begun.began)
    assert server.process is not None
    if stop:
        os.killpg(server.process.pid, signal.SIGSTOP)
    else:
        server.kill()
    time.sleep(seconds)
    if stop:
        os.killpg(server.process.pid, signal.SIGCONT)
    else:
        server.start()
    return sweep.row(MlflowClient(server.address))


def stays_away(folder: Path, server: MlflowServer, proxy: FaultyProxy, name: str, interrupt: bool) -> str:
    """Never come back while the sweep lives; then sync."""
    proxy.wrong = Meanwhile(REFUSE, 10**6)
    sweep = Sweep(folder, proxy.address, name, record_wait=20)
    note = ""
    if interrupt:
        wait_until(lambda: sweep.said("fits go on") or sweep.said("waiting up to"))
        at = time.monotonic()
        sweep.process.send_signal(signal.SIGINT)
        sweep.process.wait()
        note = f"ended {time.monotonic() - at:.1f} s after Ctrl-C; "
    code, seconds = sweep.process.wait(), time.monotonic() - sweep.began
    before = counted(MlflowClient(server.address), name)
    proxy.wrong = None
    note += f"before sync {before.replace(' |', ',')}; sync exited {sweep.sync()}"
    return f"| {name} | {code} | {seconds:.0f} | {counted(MlflowClient(server.address), name)} | {note} |"


def locked(folder: Path, name: str, seconds: float) -> str:
    """Lock an sqlite file."""
    path = folder / f"{name}.db"
    client = MlflowClient(f"sqlite:///{path}")
    sweep = Sweep(folder, f"sqlite:///{path}", name)
    wait_until(lambda: _children(client, name) >= 3)
    with sqlite3.connect(path, timeout=60) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        time.sleep(seconds)
        holder.rollback()
    return sweep.row(client)


def _children(client: MlflowClient, name: str) -> int:
    experiment = client.get_experiment_by_name(name)
    return 0 if experiment is None else max(0, len(client.search_runs([experiment.experiment_id])) - 1)


def eight(folder: Path) -> str:
    """Sweep eight times at once over PostgreSQL, and take the database and the server down meanwhile."""
    with postgres.running() as cluster:
        (folder / "eight").mkdir()
        server = MlflowServer(folder / "eight", cluster.address)
        server.start()
        try:
            sweeps = [Sweep(folder, server.address, f"eight-{number}") for number in range(8)]
            client = MlflowClient(server.address)
            wait_until(lambda: sum(_children(client, each.name) > 0 for each in sweeps) >= 4, 600)
            cluster.stop(at_once=True)
            time.sleep(10)
            server.kill()
            time.sleep(10)
            cluster.start()
            server.start()
            return "\n".join(sweep.row(client) for sweep in sweeps)
        finally:
            server.stop()


def main() -> None:
    """Run the faults that were asked for, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names, with commas between them")
    parser.add_argument("--list", action="store_true", help="print the names")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        server = MlflowServer(folder)
        with faulty_proxy.running(server.address) as proxy:
            table = faults(folder, server, proxy)
            names = [name for name in asked.only.split(",") if name] or list(table)
            if asked.list:
                return print("\n".join(table))
            prepare(folder)
            server.start()
            try:
                print("| fault | exit | s | candidates missing | scores missing | twice | RUNNING | |")
                print("| --- | --: | --: | --: | --: | --: | --: | --- |", flush=True)
                for name in names:
                    proxy.wrong = None
                    print(table[name](), flush=True)
            finally:
                server.stop()
    return None


def faults(folder: Path, server: MlflowServer, proxy: FaultyProxy) -> dict[str, Callable[[], str]]:
    """Return what brings each fault about, by its name."""
    here = (folder, server, proxy)
    table: dict[str, Callable[[], str]] = {"none": lambda: by_proxy(*here, "none", Meanwhile(REFUSE, 0))}
    for mode in MODES:
        every, seconds = (3, 30.0) if mode == "lose" else (1, 10.0 if mode != SLOW else 60.0)
        table[mode] = lambda mode=mode, every=every, seconds=seconds: by_proxy(  # type: ignore[misc]
            *here, mode, Meanwhile(mode, seconds, every)
        )
    table["down-30"] = lambda: down(*here, "down-30", 30, stop=False)
    table["stopped-40"] = lambda: down(*here, "stopped-40", 40, stop=True)
    table["locked-60"] = lambda: locked(folder, "locked-60", 60)
    table["away"] = lambda: stays_away(*here, "away", interrupt=False)
    table["away-interrupted"] = lambda: stays_away(*here, "away-interrupted", interrupt=True)
    table["eight"] = lambda: eight(folder)
    return table


def prepare(folder: Path) -> None:
    """Write a table and a spec."""
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(size=(ROWS, 10)), columns=[f"c{place}" for place in range(10)])
    frame["y"] = np.where(frame["c0"] + draw.normal(size=ROWS) > 0, "yes", "no")
    frame.to_csv(folder / "mine.csv", index=False)
    (folder / "space.yaml").write_text(yaml.safe_dump(SPEC))


if __name__ == "__main__":
    main()
