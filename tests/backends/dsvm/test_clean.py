"""``clean`` leaves nothing of ours on the VM, and everything that is not."""

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
    here = {"host": f"unix://{other_engine.socket}", "tunnel": True}
    prepared = vm.mlflow_run(jobs, "prepare", changes=here)
    assert prepared.finished() == 0, prepared.text
    client = other_engine.client()
    client.volumes.create("gridfold-cache")
    client.volumes.create("mine")
    assert len(client.images.list("gridfold-env")) == 1
    cleaned = vm.mlflow_run(jobs, "clean", changes=here)
    assert cleaned.finished() == 0, cleaned.text
    assert [image.tags for image in client.images.list()] == [[BASE_IMAGE]]
    assert [volume.name for volume in client.volumes.list()] == ["mine"]
    assert client.containers.list(all=True) == []
    assert {run.info.status for run in vm.store.search_runs(["0"])} == {"FINISHED"}
