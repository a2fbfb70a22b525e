"""The same command goes on where it was; what is known is not fitted again, and the run and the terminal say so."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

from entrypoints.sweep import sweep
from tests.entrypoints.conftest import ROOT, SMALL, SPACE

pytestmark = pytest.mark.disturbs


def table(workplace, run):
    path = workplace.client.download_artifacts(run.info.run_id, "sweeping_results.txt", str(workplace.folder))
    return Path(path).read_text(encoding="utf-8")


def test_what_is_known_is_not_fitted_again_and_the_run_and_the_terminal_say_so(workplace, capsys):
    """One story, since each sweep takes seconds: done, done again, and grown."""

    def swept(space, *more):
        assert sweep([*SMALL, "--space", space, *more]) == 0
        run = workplace.newest_sweep()
        return run, capsys.readouterr().out, (run.data.metrics["fits"], run.data.metrics["reused"])

    first, said, counts = swept(workplace.space)
    assert counts == (8, 0)
    assert "known    " not in said
    assert "reused   8" not in said
    second, said, counts = swept(workplace.space)
    assert counts == (0, 8)
    assert "\nknown    8 of 8 fits: 8 in " in said
    assert "\nreused   8 fits of earlier sweeps; none fitted now\n" in said
    assert second.info.run_id != first.info.run_id
    assert table(workplace, second) == table(workplace, first)
    assert len(workplace.children(second.info.run_id)) == 4
    grown = workplace.folder / "grown.yaml"
    grown.write_text(yaml.safe_dump(yaml.safe_load(SPACE) | {"grid": {"max_depth": [3, 2, 1], "n_estimators": [2, 3]}}))
    _, said, counts = swept(str(grown))
    assert counts == (4, 8)
    assert "\nknown    8 of 12 fits: 8 in " in said


def test_reuse_is_auto_or_never(workplace, capsys):
    assert sweep(["--space", workplace.space, "--reuse", "sometimes"]) == 1
    assert "-P reuse=sometimes: expected 'auto', or 'never'" in capsys.readouterr().err


SLOW = """
import time
from sklearn.linear_model import LogisticRegression
class Slow(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        time.sleep(0.2)
        return super().fit(X, y, sample_weight)
"""
OWN = ["--features", "mine.csv", "--target", "y", "--space", "slow.yaml", "--cores", "1"]
N_CANDIDATES, N_FOLDS = 8, 2


@pytest.fixture
def slow(workplace):
    """A workplace with a sweep of an own estimator that takes its time."""
    rows = np.random.default_rng(0).normal(size=(40, 2))
    table = pd.DataFrame(rows, columns=["a", "b"]).assign(y=np.arange(40) % 2)
    table.to_csv(workplace.folder / "mine.csv", index=False)
    (workplace.folder / "slow.py").write_text(SLOW)
    spec = {
        "estimator": "slow.Slow",
        "grid": {"C": [0.1 * place for place in range(1, N_CANDIDATES + 1)]},
        "scoring": "neg_log_loss",
        "cv": {"folds": N_FOLDS, "shuffle": True, "seed": 0},
    }
    (workplace.folder / "slow.yaml").write_text(yaml.safe_dump(spec))
    return workplace


def cells(workplace):
    """The lines of the journal, of whatever kind."""
    files = [path for path in (workplace.folder / "cache" / "journal").glob("*") if not path.name.startswith(".")]
    return [line.split() for path in files for line in path.read_text().splitlines()]


def splits(workplace, run):
    """The scores of the table as they were written, digit for digit."""
    path = workplace.client.download_artifacts(run.info.run_id, "cv_results.csv", str(workplace.folder))
    table = pd.read_csv(path, dtype=str)
    return table[["param_C", *(f"split{fold}_test_score" for fold in range(N_FOLDS))]].to_numpy().tolist()


def test_a_second_command_waits_goes_on_when_the_first_is_killed_and_tells_a_third_on_another_machine(
    slow, capsys, monkeypatch
):
    """One story with a real process that is killed: what it had fitted is not fitted again, nothing stays RUNNING."""
    command = [sys.executable, "-m", "entrypoints.sweep", *OWN]
    first = subprocess.Popen(command, cwd=slow.folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=-3, stderr=-3)
    known = []

    def kill_when_it_has_come_far(seconds):
        if first.poll() is None and (len(known) or len(cells(slow)) >= 5):
            first.kill()
            first.wait()
            known.extend(address for _, kind, address, *_ in cells(slow) if kind == "cell")
        real_sleep(seconds)

    real_sleep = time.sleep
    while not list((slow.folder / "cache").glob("sweeping/*")):
        assert first.poll() is None, "it ended before its first fit"
        real_sleep(0.05)
    monkeypatch.setattr("entrypoints.planning.memory.time", SimpleNamespace(sleep=kill_when_it_has_come_far))
    assert sweep(OWN) == 0
    said = capsys.readouterr().out
    newest, broken = sorted(
        (run for run in slow.runs() if "mlflow.parentRunId" not in run.data.tags), key=lambda run: -run.info.start_time
    )
    assert f"waits    for run {broken.info.run_id}," in said
    assert f"goes on  from run {broken.info.run_id}, which was broken off" in said
    assert 5 <= len(known) < N_CANDIDATES * N_FOLDS
    assert newest.data.metrics["reused"] == len(known)
    written = [address for _, kind, address, *_ in cells(slow) if kind == "cell"]
    assert len(written) == len(set(written)) == N_CANDIDATES * N_FOLDS
    assert (broken.info.status, newest.info.status) == ("KILLED", "FINISHED")
    assert broken.data.tags["sweep.continued_by"] == newest.info.run_id
    assert newest.data.tags["sweep.continues"] == broken.info.run_id
    assert [run.info.run_id for run in slow.runs() if run.info.status == "RUNNING"] == []
    assert len(slow.children(newest.info.run_id)) == N_CANDIDATES

    monkeypatch.setenv("SWEEP_CACHE", str(slow.folder / "another"))
    assert sweep(OWN) == 0
    elsewhere = slow.newest_sweep()
    assert "16 of 16 fits: 16 in the runs of this experiment" in capsys.readouterr().out
    assert (elsewhere.data.metrics["fits"], elsewhere.data.metrics["reused"]) == (0, 16)

    monkeypatch.setenv("SWEEP_CACHE", str(slow.folder / "third"))
    assert sweep([*OWN, "--reuse", "never"]) == 0
    uninterrupted = slow.newest_sweep()
    assert "known    " not in capsys.readouterr().out
    assert uninterrupted.data.metrics["fits"] == 16
    assert splits(slow, newest) == splits(slow, elsewhere) == splits(slow, uninterrupted)
