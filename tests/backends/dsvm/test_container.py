"""What the engine is asked for, and what its answer about the end means."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from backends.dsvm.container import _orders, ending, options
from backends.dsvm.settings import DsvmSettings
from backends.job import Work
from backends.project import Project

WORK = Work("0123456789abcdef", "identity", "echo hidden-argument", Project(Path("/x"), ()), {}, {"S": "hidden"}, None)


def asked(**given) -> dict:
    return options(WORK, DsvmSettings.model_validate({"host": "ssh://vm", **given}))


def test_limits_are_asked_for():
    options = asked(cpus=2.5, memory="4g", gpus=2, network="host")
    assert options["nano_cpus"] == 2_500_000_000
    assert options["mem_limit"] == options["memswap_limit"] == 4 * 2**30
    assert [(request.count, request.capabilities) for request in options["device_requests"]] == [(2, [["gpu"]])]
    assert options["network_mode"] == "host"
    assert asked(gpus="all")["device_requests"][0].count == -1
    assert not {"nano_cpus", "mem_limit", "device_requests"} & asked().keys()


def test_nothing_hidden_is_asked_for():
    assert "hidden" not in json.dumps(asked(environment=["S"]), default=str)
    assert {"environment", "binds"}.isdisjoint(asked())


@pytest.mark.parametrize("kind", ["environment", "secrets"])
def test_a_job_with_a_tunnel_does_not_learn_where_the_store_is(kind):
    work = replace(WORK, **{kind: {"MLFLOW_TRACKING_URI": "postgresql://me:hunter2@localhost/x"}})
    orders = _orders(work, DsvmSettings.model_validate({"host": "ssh://vm", "tunnel": True}))
    assert orders["tunnel"] == "http://127.0.0.1:5000"
    assert "hunter2" not in json.dumps(orders)


@pytest.mark.parametrize(
    ("state", "memory", "code", "words"),
    [
        ({"ExitCode": 0}, None, 0, ""),
        ({"ExitCode": 3}, None, 3, "failed with exit status 3: the last line"),
        ({"ExitCode": 137, "OOMKilled": True}, 2**30, 137, "out of memory; the limit is 1,024 MiB"),
        ({"ExitCode": 1, "OOMKilled": True}, None, 137, "out of memory; the VM has no more"),
        ({"ExitCode": 137}, None, 137, "killed from outside"),
        ({"ExitCode": 143}, None, 143, "stopped from outside"),
        ({"ExitCode": 97}, None, 97, "tracking server cannot be reached from there (the last line)"),
        ({"ExitCode": 128, "Error": "no such file"}, None, 128, "could not be started: no such file"),
        ({"ExitCode": 0, "OOMKilled": True}, 2**30, 0, ""),
        ({"ExitCode": 0, "Status": "created"}, None, 137, "never started"),
    ],
)
def test_how_a_job_ended(state, memory, code, words):
    said = ending(state, memory, "the last line")
    assert said.exit_code == code
    assert words in said.reason
