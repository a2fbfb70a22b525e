"""`--help` says what MLproject says, and what each parameter must be."""

from __future__ import annotations

import importlib

import pytest

from entrypoints.command.usage import asks_for_help, usage
from tests.entrypoints.test_parameters import MODELS


@pytest.mark.parametrize("name", sorted(MODELS.keys() - {"main"}))
def test_the_page_names_every_parameter_its_default_and_what_it_must_be(name):
    point = getattr(importlib.import_module(f"entrypoints.{name}"), name)
    page = usage(point.name, point.__doc__, point.model)
    together = " ".join(page.split())
    for parameter, field in MODELS[name].model_fields.items():
        assert f"\n  {parameter} " in page
        assert field.description in together
    assert max(len(line) for line in page.splitlines()) <= 80
    assert point.model is MODELS[name]
    assert "debug true or false: show the traceback of a failure; by default false" in together


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["--scale", "1", "--help"]])
def test_it_is_asked_for_anywhere(words):
    assert asks_for_help(words)
    assert not asks_for_help(["--space", "help"])


def test_a_program_prints_it_and_makes_no_run(monkeypatch, capsys, tmp_path):
    from entrypoints.sweep import sweep

    monkeypatch.setattr("sys.argv", ["sweep", "--help"])
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    with pytest.raises(SystemExit) as ended:
        sweep.main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: mlflow run . -e sweep")
    assert list(tmp_path.iterdir()) == []
