"""Every command in the docs is one: entry point, parameters, files and flags are there. The few that run are named."""

from __future__ import annotations

import importlib
import re
import runpy
import shlex
import tomllib

import pytest
import yaml

from tests.docs.written import PAGES, ROOT, commands

NO_COMMAND = {"COMMAND", "NAME"}  # shows the form of one
REFUSED = ("mlflow", "run", ".", "-P", "data=wasbs://...?sig=SECRET")  # as the page says


def is_whole(words):
    return (
        len(words) > 2 and words[1:] != ("models", "serve") and not NO_COMMAND & set(re.split(r"[ .]", " ".join(words)))
    )


WRITTEN = sorted({(page.name, words) for page in PAGES for words in commands(page) if is_whole(words)})
WRITTEN = [(page, words) for page, words in WRITTEN if words != REFUSED]
POINTS = yaml.safe_load((ROOT / "MLproject").read_text())["entry_points"]
BACKENDS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["mlflow.project_backend"]
YOURS = {"spaces/mine.yaml", "mine.yaml", "SPEC"}  # files that the reader is to have
RUN_BY = {
    "mlflow run . -e sweep --env-manager local": ".ci/run",
    "mlflow models serve -m models:/demographics@champion --env-manager local --port 5001": (
        "tests/services/model_server.py"
    ),
    "mlflow models build-docker -m models:/demographics@champion -n demographics --env-manager local": (
        "tests/services/model_container.py"
    ),
}  # sweep, promote and serve as a pipeline has them: tests/entrypoints/test_examples.py


def of(program):
    return [pytest.param(words, id=f"{page}: {shlex.join(words)}"[:120]) for page, words in WRITTEN if program(words)]


@pytest.mark.parametrize("words", of(lambda words: words[0] == "mlflow"))
def test_mlflow_takes_the_command(words):
    from mlflow.cli import cli

    command, rest = cli, list(words[1:])
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    asked = command.make_context(command.name, rest).params
    if command.name == "run":
        assert_project_takes(asked)


def assert_project_takes(asked):
    entry = asked["entry_point"]
    assert entry in POINTS
    given = dict(each.split("=", 1) for each in asked["param_list"])
    backend, config = asked["backend"], asked["backend_config"]
    if backend and backend != "local":
        assert backend in BACKENDS
        assert (ROOT / config).is_file()
        given.pop("attach", None)
    assert_taken("sweep" if entry == "main" else entry, given)


def assert_taken(entry, given):
    from entrypoints.parameters import parse

    model = getattr(importlib.import_module(f"entrypoints.{entry}"), entry).model
    parse(model, [word for name, value in given.items() for word in (f"--{name}", value)])
    for file in (given.get("space", ""), given.get("gates", "")):
        assert not file or file in YOURS or file.startswith("runs:/") or (ROOT / file).is_file()


@pytest.mark.parametrize("words", of(lambda words: words[0] != "mlflow"))
def test_the_module_or_script_is_there_and_has_the_flags(words):
    if words[2] == "tests.services.windows":
        words = words[3:]  # what it runs
    if words[1:3] == ("-m", "venv"):
        return
    if words[1] == "-m" and words[2].startswith("entrypoints."):
        names = [name.removeprefix("--") for name in words[3::2]]
        assert_taken(words[2].split(".")[1], dict(zip(names, words[4::2], strict=True)))
        return
    place = ROOT.joinpath(*words[2].split(".")) if words[1] == "-m" else ROOT / words[1].removesuffix(".py")
    files = list(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    source = "".join(file.read_text() for file in files)
    for flag in (word.strip("[]") for word in words):
        assert not flag.startswith("--") or f'"{flag}"' in source, f"{place} has no {flag}"


def test_the_commands_that_a_test_really_runs_are_in_the_docs_and_the_tests_are_there():
    written = {shlex.join(words) for _, words in WRITTEN}
    assert RUN_BY.keys() <= written
    assert all((ROOT / place).exists() for place in RUN_BY.values())


def test_a_page_with_commands_of_a_cloud_says_what_no_cloud_has_proven():
    for page in PAGES:
        text = page.read_text()
        if "\naz " in text or "\ndatabricks " in text:
            assert "## What was proven where" in text, page.name


def test_the_page_of_commands_is_what_the_commands_take():
    made = runpy.run_path(str(ROOT / "docs" / "commands.py"))
    assert made["PAGE"].read_text("utf-8") == made["page"](), "run python docs/commands.py"
