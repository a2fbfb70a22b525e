"""What backends declare is what they have, and what is missing here is said."""

import json
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from backends.abilities import Abilities, declared
from backends.plugin import RemoteBackend
from entrypoints.backends import backends

ROOT = Path(__file__).parents[2]
SERVER = "http://mlflow.example:5000"
ABLE = Abilities("a machine", "b.json", "", "EXAMPLE", tunnels=True)


def plugins():
    """The classes of this project's backends, by the word after ``-b``, as MLflow will find them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = project["entry-points"]["mlflow.project_backend"]
    return {name: EntryPoint(name, where, "").load() for name, where in found.items()}


def test_every_backend_declares_itself_and_its_file_is_there():
    assert {"dsvm", "hdinsight", "databricks-jobs"} == declared().keys()
    assert plugins().keys() == declared().keys()
    for name, kind in plugins().items():
        able = declared()[name]
        assert issubclass(kind, RemoteBackend)
        assert able.model is kind.settings
        assert able.file == f"backends/{kind.settings.file or name}.json"
        assert able.example in (ROOT / able.file).read_text()
        assert able.gpus == ("gpus" in kind.settings.model_fields)
        assert able.tunnels == ("tunnel" in kind.settings.model_fields)


def missing(able, tmp_path, store=SERVER):
    return list(able.missing(tmp_path, store))


def test_a_file_is_to_be_written_and_the_examples_place_replaced(tmp_path):
    assert missing(ABLE, tmp_path) == ["write b.json"]
    (tmp_path / "b.json").write_text('{"host": "EXAMPLE"}')
    assert missing(ABLE, tmp_path) == ["put your own in place of EXAMPLE in b.json"]
    (tmp_path / "b.json").write_text('{"host": "mine"}')
    assert missing(ABLE, tmp_path) == []


def test_a_store_of_this_machine_needs_a_tunnel_where_there_is_one(tmp_path):
    (tmp_path / "b.json").write_text(json.dumps({"host": "mine"}))
    [sentence] = missing(ABLE, tmp_path, "postgresql://me:hunter2@localhost/mlflow")
    assert sentence.startswith("set MLFLOW_TRACKING_URI to a server (")
    assert sentence.endswith('or put "tunnel": true in b.json')
    assert "hunter2" not in sentence
    (tmp_path / "b.json").write_text(json.dumps({"host": "mine", "tunnel": True}))
    assert missing(ABLE, tmp_path, "sqlite:///mlflow.db") == []


def test_libraries_programs_and_variables_are_looked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("NO_SUCH_USER", raising=False)
    needs = Abilities(
        "", "b.json", "", "EXAMPLE", modules={"no.such": "extra", "json": "x"}, programs={"nosuch": "buy it"},
        variables=("NO_SUCH_USER", "PATH"),
    )  # fmt: skip
    (tmp_path / "b.json").write_text('{"user": "NO_SUCH_USER"}')
    assert missing(needs, tmp_path) == [
        "install no.such: pip install -e '.[extra]'",
        "install nosuch: buy it",
        "set NO_SUCH_USER",
    ]
    (tmp_path / "b.json").write_text('{"user": "ANOTHER"}')
    assert "set NO_SUCH_USER" not in missing(needs, tmp_path)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWEEP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")


@pytest.mark.usefixtures("here")
def test_the_table_fits_a_terminal_and_names_each(capsys):
    assert backends([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(sum(line.startswith(name) for line in lines) == 2 for name in declared())
    assert max(len(line) for line in lines if not line.startswith("  ")) <= 80
