"""What cannot work is said in one line before anything is started, and leaves no run and no container."""

from __future__ import annotations

import os

import mlflow
import pytest
from mlflow.exceptions import ExecutionException

from tests.backends.conftest import open_folder
from tests.services import docker_engine


@pytest.fixture(autouse=True)
def _as_the_user(vm, monkeypatch):
    """Let this process be the user's: quicker than one of its own for each command."""
    monkeypatch.setenv("PATH", f"{vm.sshd.bin}:{os.environ['PATH']}")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", vm.tracking_uri)
    monkeypatch.chdir(vm.home)
    mlflow.set_tracking_uri(vm.tracking_uri)


def refused(vm, project, changes=None) -> str:
    """Return what a command fails with, in one line; there is no run and no container of it."""
    with pytest.raises(ExecutionException) as caught:
        mlflow.projects.run(
            str(project),
            parameters={"line": "true"},
            backend="dsvm",
            backend_config=vm.settings | (changes or {}),
            experiment_id="0",
            synchronous=False,
        )
    assert vm.store.search_runs(["0"]) == []
    assert vm.containers() == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_unknown_host_key_is_refused_and_the_line_tells_how_to_add_it(vm, jobs):
    known = vm.sshd.known_hosts.read_text()
    vm.sshd.known_hosts.write_text("")
    try:
        line = refused(vm, jobs)
    finally:
        vm.sshd.known_hosts.write_text(known)
    assert "its host key is unknown" in line
    assert f"ssh-keyscan -p {vm.sshd.port} 127.0.0.1 >> ~/.ssh/known_hosts" in line


def test_a_changed_host_key_is_refused_as_what_it_may_be(vm, jobs):
    known = vm.sshd.known_hosts.read_text()
    other = (vm.sshd.folder / "client_key.pub").read_text()
    vm.sshd.known_hosts.write_text(f"[127.0.0.1]:{vm.sshd.port} {other}")
    try:
        line = refused(vm, jobs)
    finally:
        vm.sshd.known_hosts.write_text(known)
    assert "another machine answers there, or it was reinstalled" in line


def test_a_vm_without_docker(vm, jobs):
    host = vm.settings["host"].replace("docker.sock", "nothing.sock")
    assert "there is no Docker engine at" in refused(vm, jobs, changes={"host": host})


def test_a_user_without_rights_to_docker(vm, jobs):
    user = vm.sshd.add_account()
    host = f"ssh://{user}@127.0.0.1:{vm.sshd.port}{vm.engine.socket}"
    line = refused(vm, jobs, changes={"host": host})
    assert f"{user} may not use the Docker engine" in line
    assert f"sudo usermod -aG docker {user}" in line


def test_a_key_that_is_not_accepted(vm, jobs):
    host = f"ssh://nobody-{vm.sshd.port}@127.0.0.1:{vm.sshd.port}{vm.engine.socket}"
    assert "no key of yours is accepted" in refused(vm, jobs, changes={"host": host})


def test_a_host_that_does_not_answer(vm, jobs):
    line = refused(vm, jobs, changes={"host": "ssh://someone@127.0.0.1:9"})
    assert "no SSH connection" in line
    assert "Connection refused" in line


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"cpus": 4096}, "cpus: 4096 asked for, and 127.0.0.1 has "),
        ({"memory": "900t"}, "memory: 943,718,400 MiB asked for, and 127.0.0.1 has "),
        ({"base_image": "gridfold-no-such-image:1"}, "base_image 'gridfold-no-such-image:1' cannot be had there"),
        ({"tunnel": False}, "cannot be reached from 127.0.0.1. Set MLFLOW_TRACKING_URI to a server, or put"),
        ({"environment": ["NOT_SET_HERE"]}, "environment names NOT_SET_HERE, which is not set here"),
        ({"cpu": 1}, "cpu: unknown key. Did you mean 'cpus'?"),
    ],
)
def test_what_the_configuration_asks_for_and_cannot_have(vm, jobs, changes, sentence):
    assert sentence in refused(vm, jobs, changes=changes)


def test_another_python_in_the_base_image(vm, jobs):
    conda = jobs / "conda.yaml"
    conda.write_text("dependencies:\n  - python=3.9\n  - pip:\n      - mlflow\n")
    line = refused(vm, jobs)
    assert "the base image has Python 3.11, and conda.yaml asks for 3.9. Choose another base_image." in line


def test_a_package_that_does_not_exist(vm, jobs):
    (jobs / "conda.yaml").write_text("dependencies:\n  - python=3.11\n  - pip:\n      - gridfold-no-such-package==1\n")
    assert "pip finds no gridfold-no-such-package==1" in refused(vm, jobs)


def test_a_disk_that_fills_while_the_image_is_made(vm, rootfs, jobs, account):
    (jobs / "conda.yaml").write_text("dependencies:\n  - python=3.11\n  - pip:\n      - polars\n      - xgboost\n")
    with (
        open_folder("full") as place,
        docker_engine.disk_in_memory(place, 700),
        docker_engine.running(place, group=account) as engine,
    ):
        engine.load_base(rootfs)
        line = refused(vm, jobs, changes={"host": f"unix://{engine.socket}"})
        assert engine.client().containers.list(all=True) == []
    assert "its disk is full. Free some space there" in line
