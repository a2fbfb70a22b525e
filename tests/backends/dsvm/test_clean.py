"""``clean`` leaves nothing of ours on the VM, and everything that is not."""

import json
import uuid

import pytest

from tests.backends.conftest import open_folder
from tests.services import docker_engine
from tests.services.docker_engine import BASE_IMAGE


@pytest.fixture
def other_engine(rootfs, account):
    """An engine that no other test needs."""
    with open_folder("clean") as folder, docker_engine.running(folder, group=account) as engine:
        engine.load_base(rootfs)
        yield engine


def test_prepare_makes_and_clean_removes(make_vm, other_engine, jobs, tmp_path):
    (jobs / "conda.yaml").write_text("dependencies:\n  - python=3.11\n  - pip:\n      - six\n")
    vm = make_vm(tmp_path)
    secret = f"planted-{uuid.uuid4().hex}"
    build = vm.settings["build"]
    given = build | {"environment": [*build.get("environment", []), "PIP_TRUSTED_HOST"]}
    here = {"host": f"unix://{other_engine.socket}", "tunnel": True, "build": given}
    prepared = vm.mlflow_run(jobs, "prepare", changes=here, environment={"PIP_TRUSTED_HOST": f"{secret}.example"})
    assert prepared.finished() == 0, prepared.text
    client = other_engine.client()
    assert_not_in(client.images.list("gridfold-env")[0], secret)
    assert secret not in prepared.text
    for volume in ("gridfold-cache", "gridfold-cache-of-mine", "mine"):
        client.volumes.create(volume)
    begun = client.containers.create(BASE_IMAGE, "true", labels={"gridfold": "job", "gridfold.run": "another"})
    refused = vm.mlflow_run(jobs, "clean", changes=here)
    assert refused.finished() == 1
    assert "another is still running there" in refused.lines[-1]
    assert len(client.volumes.list()) == 3
    begun.remove()
    assert len(client.images.list("gridfold-env")) == 1
    cleaned = vm.mlflow_run(jobs, "clean", changes=here)
    assert cleaned.finished() == 0, cleaned.text
    assert [image.tags for image in client.images.list()] == [[BASE_IMAGE]]
    assert sorted(volume.name for volume in client.volumes.list()) == ["gridfold-cache-of-mine", "mine"]
    assert client.containers.list(all=True) == []
    assert [run.info.status for run in vm.store.search_runs(["0"])] == ["FINISHED", "FINISHED"]


def assert_not_in(image, secret):
    """Neither the image's description nor any of its layers holds the secret, in files or in their names."""
    assert secret not in json.dumps([image.attrs, image.history()])
    tail = b""
    for chunk in image.save():
        assert secret.encode() not in tail + chunk
        tail = chunk[-len(secret) :]
