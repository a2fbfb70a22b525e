"""Where one sweep is killed and goes on: its table, spec, cache, tracking store, and what can be read off them."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import uuid
import zlib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from mlflow import MlflowClient
from mlflow.entities import Run

ROOT = Path(__file__).parents[2]
ROWS = 60
MARK = "GRIDFOLD_CHAOS"
PARENT = "mlflow.parentRunId"
_CHANGING = ("time", "shared", "reused", "warning")

IN_PROCESSES = """
estimator: {{class: counted.Counted, diary: {diary}, seconds: {seconds}}}
grid: {{number: {numbers}}}
scoring: neg_log_loss
cv: {{column: fold}}
"""
IN_THREADS = """
estimator: xgboost.XGBClassifier
fixed: {{random_state: 0, n_estimators: 300, subsample: 0.5, tree_method: exact}}
grid: {{learning_rate: {rates}, max_depth: [2, 3]}}
scoring: neg_log_loss
cv: {{column: fold}}
"""


@dataclass
class Place:
    """One sweep.

    Attributes
    ----------
    folder : Path
    threads : bool
        Whether its fits run in threads of the command's own process.
    store : str
        The tracking URI; by default a file in `folder`.
    n_candidates, n_folds : int
    seconds : float
        That a fit takes, in processes.
    engine : sequence of str
        Arguments that choose another engine.
    mark : str
        Every process of the sweep's has it in its environment.
    """

    folder: Path
    threads: bool = False
    store: str = ""
    n_candidates: int = 20
    n_folds: int = 5
    seconds: float = 0.05
    engine: Sequence[str] = ()
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        self.store = self.store or f"sqlite:///{self.folder}/mlflow.db"
        shutil.copy(Path(__file__).with_name("counted.py"), self.folder)
        with (self.folder / "rows.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["row", "fold", "y"])
            table.writerows([n + 0.5, n % self.n_folds, "yes" if (n * 7) % 3 else "no"] for n in range(ROWS))
        numbers = [*range(self.n_candidates)]
        rates = [round(0.01 + 0.01 * number, 2) for number in range(self.n_candidates // 2)]
        kind = IN_THREADS if self.threads else IN_PROCESSES
        spec = kind.format(diary=self.folder / "diary", seconds=self.seconds, numbers=numbers, rates=rates)
        (self.folder / "space.yaml").write_text(spec)

    @property
    def arguments(self) -> list[str]:
        """What the entry point takes."""
        given = {"features": self.folder / "rows.csv", "target": "y", "space": self.folder / "space.yaml"}
        given |= {"cores": 2, "holdout": 0.0}
        return [word for name, value in given.items() for word in (f"--{name}", str(value))] + list(self.engine)

    def command(self, by_mlflow: bool = False) -> list[str]:
        """What is typed."""
        if not by_mlflow:
            return [sys.executable, "-m", "entrypoints.sweep", *self.arguments]
        pairs = zip(self.arguments[::2], self.arguments[1::2], strict=True)
        given = [word for name, value in pairs for word in ("-P", f"{name[2:]}={value}")]
        return [sys.executable, "-m", "mlflow", "run", str(ROOT), "-e", "sweep", "--env-manager", "local", *given]

    def start(self, by_mlflow: bool = False) -> subprocess.Popen[bytes]:
        """Type it; for ``mlflow run`` in a store that is there, since MLflow cannot go on with one half made."""
        if by_mlflow and self.store.startswith("sqlite:") and not (self.folder / "mlflow.db").exists():
            make = f"import mlflow; mlflow.MlflowClient({self.store!r}).search_experiments()"
            subprocess.run([sys.executable, "-c", make], check=True, capture_output=True)
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                self.command(by_mlflow),
                cwd=ROOT,
                env=self._environment(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        ours = {
            MARK: self.mark,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "SWEEP_CACHE": str(self.folder / "cache"),
            "MLFLOW_TRACKING_URI": self.store,
            "MLFLOW_EXPERIMENT_NAME": self.folder.name,
        }
        return {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_RUN_ID")} | ours

    def processes(self) -> list[psutil.Process]:
        """Return those of the sweep's processes that live."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def known(self) -> set[str]:
        """Return the cells that the journal holds, as the diary names them."""
        records = [json.loads(content) for kind, _, content in self._journal() if kind == "cell"]
        return {f"{json.loads(each['params']).get('number')} {self._sum_without(each['fold'])}" for each in records}

    def begun(self) -> Counter[str]:
        """Return how often each cell was begun, by its line in the diary."""
        diary = self.folder / "diary"
        lines = diary.read_text().splitlines() if diary.exists() else []
        return Counter(" ".join(line.split()[:2]) for line in lines)

    def begun_though_known(self) -> int:
        """Count the cells that were begun in a thread though the journal held them."""
        known: set[str] = set()
        count = 0
        for kind, address, _ in self._journal():
            count += kind == "begun" and address in known
            known |= {address} if kind == "cell" else set()
        return count

    def _sum_without(self, fold: int) -> int:
        """Add up the first column of the rows that are trained on when `fold` is tested."""
        return int(sum(n + 0.5 for n in range(ROWS) if n % self.n_folds != fold))

    def _journal(self) -> list[tuple[str, str, str]]:
        """Return the kind, the address and the content of each line that is whole."""
        found = []
        for file in (self.folder / "cache" / "journal").glob("[!.]*"):
            for line in file.read_bytes().split(b"\n"):
                checksum, _, rest = line.partition(b" ")
                if rest and checksum == b"%08x" % zlib.crc32(rest):
                    kind, address, content = rest.decode().split(" ", 2)
                    found.append((kind, address, content))
        return found

    def table(self) -> list[dict[str, str]]:
        """Return the finished sweep's table, without what the clock and the history decide."""
        folder = self.folder / "cache" / "results" / self.finished().info.run_id
        with (folder / "cv_results.csv").open() as file:
            rows = list(csv.DictReader(file))
        return [{name: value for name, value in row.items() if not any(w in name for w in _CHANGING)} for row in rows]

    def finished(self) -> Run:
        """Return the sweep's run that has come to its end."""
        return next(run for run in self.runs() if run.info.status == "FINISHED" and PARENT not in run.data.tags)

    def children(self) -> list[Run]:
        """Return the candidates' runs under it."""
        parent = self.finished().info.run_id
        return [run for run in self.runs() if run.data.tags.get(PARENT) == parent]

    def runs(self) -> list[Run]:
        """Return all runs, the newest first."""
        client = MlflowClient(self.store)
        experiment = client.get_experiment_by_name(self.folder.name)
        return [] if experiment is None else list(client.search_runs([experiment.experiment_id], max_results=5000))
