"""Ctrl-C while a step works: its run ends KILLED, nothing half-made stays, and the same command makes it whole."""

from __future__ import annotations

import importlib
import signal

import pytest

from entrypoints.data import pipeline
from entrypoints.featurize import featurize
from entrypoints.ingest import ingest
from entrypoints.sweep import sweep
from tests.entrypoints.conftest import SMALL
from tracking import registry

pytestmark = pytest.mark.disturbs

ingesting = importlib.import_module("sources.ingest")


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize(
    ("entry_point", "place", "name"),
    [
        (ingest, ingesting, "_write"),
        (featurize, ingesting, "_write"),
        (featurize, pipeline, "build"),
        (sweep, pipeline, "build"),
        (sweep, registry, "log"),
        (sweep, registry, "register"),
    ],
)
def test_nothing_half_made_stays_and_the_same_command_makes_it_whole(workplace, monkeypatch, entry_point, place, name):
    done = getattr(place, name)

    def interrupted(*given, **named):
        made = done(*given, **named)
        signal.raise_signal(signal.SIGINT)
        return made

    arguments = {ingest: SMALL[:2], featurize: SMALL, sweep: [*SMALL, "--space", workplace.space]}[entry_point]
    with monkeypatch.context() as patched:
        patched.setattr(place, name, interrupted)
        assert entry_point(arguments) == 128 + signal.SIGINT
    statuses = [run.info.status for run in workplace.runs()]
    assert "KILLED" in statuses
    assert "RUNNING" not in statuses
    assert [path.name for path in (workplace.folder / "cache").glob("**/.*-*") if path.is_dir()] == []
    assert entry_point(arguments) == 0
