"""Secrets are planted wherever they can come from, and looked for wherever something may be shown or kept."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from entrypoints.ingest import ingest
from entrypoints.score import score
from entrypoints.sweep import sweep
from tests.entrypoints.conftest import ROOT
from tests.services import mlflow_server

KINDS = ("address", "token", "database", "query", "password", "storage", "signature", "netrc", "proxy")
MODULE = """
import os, warnings
from sklearn.tree import DecisionTreeClassifier

class Leaky(DecisionTreeClassifier):
    def fit(self, X, y, sample_weight=None):
        told = " ".join(os.environ[name] for name in ("DATABASE_URL", "PGPASSWORD", "AZURE_STORAGE_CONNECTION_STRING"))
        if self.max_depth == 2:
            raise ConnectionError("cannot reach " + told)
        warnings.warn("slow: " + told)
        return super().fit(X, y)
"""
SPEC = """
estimator: leaky.Leaky
fixed: {random_state: 0}
grid: {max_depth: [1, 2]}
scoring: accuracy
cv: {folds: 2}
"""


def secret(kind: str) -> str:
    """One of its own for each kind, so that what is found says where it came from."""
    return f"Zx9hunter{kind}"


def planted(home: Path, server: str) -> dict[str, str]:
    """An environment with a secret in every place where the programs that we use look for one."""
    (home / ".netrc").write_text(f"machine 127.0.0.1 login me password {secret('netrc')}\n")
    (home / ".netrc").chmod(0o600)
    return {
        "HOME": str(home),
        "MLFLOW_TRACKING_URI": server.replace("://", f"://me:{secret('address')}@"),
        "MLFLOW_TRACKING_TOKEN": secret("token"),
        "DATABASE_URL": f"postgresql://me:{secret('database')}@host/db?password={secret('query')}",
        "PGPASSWORD": secret("password"),
        "AZURE_STORAGE_ACCESS_KEY": secret("storage"),
        "AZURE_STORAGE_CONNECTION_STRING": f"BlobEndpoint=https://x;SharedAccessSignature=sv=1&sig={secret('signature')}",
        "ALL_PROXY_OF_OURS": f"http://me:{secret('proxy')}@proxy:3128",
    }


def found_in(content: bytes) -> list[str]:
    return [kind for kind in KINDS if secret(kind).encode() in content]


def found_below(folder: Path) -> dict[str, list[str]]:
    """Every file below with a secret in it, and which."""
    found = {}
    for path in folder.rglob("*"):
        with suppress(OSError):  # gone meanwhile
            if path.is_file() and (kinds := found_in(path.read_bytes())):
                found[str(path.relative_to(folder))] = kinds
    return found


@contextmanager
def watched(process: subprocess.Popen[str], scratch: Path) -> Iterator[set[str]]:
    """Give a set that fills with what arguments of the process and its children, and temporary files, have shown."""
    shown: set[str] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            with suppress(psutil.Error):
                mine = psutil.Process(process.pid)
                for each in (mine, *mine.children(recursive=True)):
                    with suppress(psutil.Error):
                        shown.update(found_in("\0".join(each.cmdline()).encode()))
            shown.update(kind for kinds in found_below(scratch).values() for kind in kinds)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield shown
    finally:
        ended.set()
        watcher.join()


def test_a_sweep_shows_and_keeps_no_secret_anywhere(tmp_path, monkeypatch):
    home, scratch, store, work = (tmp_path / name for name in ("home", "scratch", "store", "work"))
    for folder in (home, scratch, store, work):
        folder.mkdir()
    (work / "leaky.py").write_text(MODULE)
    (work / "s.yaml").write_text(SPEC)
    (work / "t.csv").write_text("a,b,y\n" + "".join(f"{row},{row % 7},{row % 2}\n" for row in range(60)))
    with mlflow_server.running(store) as server:
        for name, value in (
            planted(home, server) | {"TMPDIR": str(scratch), "SWEEP_CACHE": str(work / "cache")}
        ).items():
            monkeypatch.setenv(name, value)
        arguments = {"features": work / "t.csv", "target": "y", "space": work / "s.yaml", "cores": 1, "debug": "true"}
        command = [word for name, value in arguments.items() for word in (f"--{name}", str(value))]
        process = subprocess.Popen(
            [sys.executable, "-m", "entrypoints.sweep", *command],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with watched(process, scratch) as shown:
            out, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    assert "challenger" in out
    assert not found_in((out + err).encode())
    assert not shown
    assert not {file: kinds for file, kinds in found_below(tmp_path).items() if file != "home/.netrc"}
    kept = b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())
    assert "cannot reach postgresql://…@host/db?password=…".encode() in kept, "what was planted has been through here"


@pytest.mark.parametrize(
    ("entry", "arguments", "environment"),
    [
        (sweep, [], {"MLFLOW_TRACKING_URI": "http://me:{address}@127.0.0.1:port/?password={query}"}),
        (sweep, [], {"MLFLOW_TRACKING_URI": "mysql://me:{address}@127.0.0.1:1/db?password={query}"}),
        (sweep, [], {"MLFLOW_TRACKING_URI": "gopher://me:{address}@host/?token={query}"}),
        (sweep, [], {"MLFLOW_REGISTRY_URI": "gopher://me:{address}@host/?token={query}"}),
        (sweep, ["--space", "https://me:{address}@host/s.yaml?sig={signature}"], {}),
        (sweep, ["--features", "https://host/t.csv?X-Amz-Signature={signature}", "--target", "y"], {}),
        (sweep, ["--model_name", "postgresql://me:{address}@host/db"], {}),
        (sweep, ["--unknown", "https://me:{address}@host"], {}),
        (ingest, ["--data", "wasbs://data@account.blob.core.windows.net/?sv=1&sig={signature}"], {}),
        (ingest, ["--data", "wasbs://data:{address}@account.blob.core.windows.net/"], {}),
        (ingest, ["--data", "{token}"], {"MLFLOW_TRACKING_TOKEN": "{token}"}),
        (
            ingest,
            ["--data", "wasbs://data@account.blob.core.windows.net/"],
            {"AZURE_STORAGE_CONNECTION_STRING": "{storage}"},
        ),
        (score, ["--model", "https://me:{address}@host/model?token={token}"], {}),
    ],
)
def test_no_refusal_repeats_a_secret(workplace, capfd, monkeypatch, entry, arguments, environment):
    values = {kind: secret(kind) for kind in KINDS}
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(**values))
    assert entry([*(word.format(**values) for word in arguments), "--debug", "true"]) == 1
    out, err = capfd.readouterr()
    assert err
    assert not found_in((out + err).encode())
    assert not found_below(workplace.folder)
