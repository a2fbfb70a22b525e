"""A secret reaches the job and nothing else; the job can change nothing but its own."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.backends.conftest import INDEX_PASSWORD

SECRET = f"planted-{uuid.uuid4().hex}"


@pytest.fixture
def told(vm, jobs):
    """A kept container whose job has used the secret and printed it."""
    proof = (
        f"python -c \"import os; print('has it', os.environ['SECRET'] == '{SECRET[::-1]}'[::-1]); print(os.environ)\""
    )
    command = vm.mlflow_run(
        jobs,
        "main",
        f"line={proof}; id -u; touch /project/new; touch /opt/env/new; echo end",
        changes={"environment": ["SECRET"], "keep": True},
        environment={"SECRET": SECRET},
    )
    assert command.finished() == 0, command.text
    assert "has it True" in command.lines
    return command


def holds(haystack: bytes | str, secret: str = SECRET) -> bool:
    return secret.encode() in (haystack.encode() if isinstance(haystack, str) else haystack)


def test_a_secret_is_nowhere_but_in_the_job(vm, told):
    [container] = vm.docker.containers.list(all=True)
    assert not holds(told.text), "the log on the terminal"
    assert not holds(container.logs()), "the engine's log"
    assert not holds(json.dumps(container.attrs)), "docker inspect"
    assert not holds(b"".join(container.export())), "the container's files"
    for path in vm.home.rglob("*"):
        assert not path.is_file() or not holds(path.read_bytes()), f"the tracking store: {path}"


def test_a_secret_that_pip_had_is_in_no_layer_of_the_image(vm, image):
    [environment] = vm.docker.images.list("gridfold-env")
    assert not holds(image, INDEX_PASSWORD), "what prepare said"
    assert not holds(json.dumps([environment.attrs, environment.history()]), INDEX_PASSWORD)
    users = "gridfold:x:10001:10001"  # a line that the recipe writes: whoever does not see it does not see into layers
    sees_into_layers, tail = False, b""
    for chunk in environment.save():
        assert not holds(tail + chunk, INDEX_PASSWORD)
        sees_into_layers = sees_into_layers or holds(tail + chunk, users)
        tail = chunk[-max(len(INDEX_PASSWORD), len(users)) :]
    assert sees_into_layers


def test_what_pip_was_given_is_in_no_layer_of_the_image(vm, pip_access):
    [environment] = vm.docker.images.list("gridfold-env")
    text = json.dumps([environment.attrs, environment.history()])
    assert "/run/gridfold" not in text
    assert "PIP_" not in text.replace("PYTHON_PIP_", "")
    listed = vm.docker.containers.run(
        environment.id, ["-c", "import os; print(os.path.exists('/run/gridfold/requirements.txt'))"], remove=True,
        network_mode="host",
    )  # fmt: skip
    assert listed.strip() == b"False"


def test_the_job_is_nobody_and_cannot_change_its_code(told):
    assert "10001" in told.lines
    for path in ("/project/new", "/opt/env/new"):
        assert any(path in line and "Permission denied" in line for line in told.lines)


def test_keys_and_data_stay_here(vm, jobs):
    for name in ("id_rsa", "server.pem", "mlflow.db", "data/big.csv", "mlruns/x", ".env", "code.py"):
        (jobs / name).parent.mkdir(exist_ok=True)
        (jobs / name).write_text("x")
    command = vm.mlflow_run(jobs, "main", "line=find . -type f | sort | tr '\\n' ' '")
    assert command.finished() == 0, command.text
    assert "./MLproject ./code.py ./conda.yaml " in command.lines, command.text


def test_other_users_of_the_vm_cannot_use_the_tunnel(vm, jobs):
    """With the host's network the job's door is a port on the VM's loopback, where anyone may knock."""
    command = vm.mlflow_run(jobs, "main", "line=echo door=$MLFLOW_TRACKING_URI | sed s/http/door/; sleep 20")
    door = command.wait_for("door=door://").split("door=door://")[1]
    ask = "import sys, urllib.request as u; print(u.urlopen('http://' + sys.argv[1] + '/health').read())"
    _, container = vm.job_of(command)
    mine = container.exec_run(["/opt/env/bin/python", "-c", ask, door])
    assert mine.output.strip() == b"b'OK'"
    other = container.exec_run(["/opt/env/bin/python", "-c", ask, door], user="12345:12345")
    assert other.exit_code != 0
    assert b"OK" not in other.output
