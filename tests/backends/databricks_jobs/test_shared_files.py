"""Both kinds of files keep what a shared folder promises, through the API and as a driver has them mounted."""

from __future__ import annotations

import pytest

from backends.failures import ConnectionLostError
from tests.services.databricks import USER, VOLUME, Fault

FOLDER = f"/Workspace/Users/{USER}/gridfold"


@pytest.fixture(params=[VOLUME, FOLDER], ids=["volume", "workspace"])
def shared(compute, request):
    return compute(files=request.param).shared


def test_a_file_is_there_whole_or_not_at_all(shared, tmp_path):
    assert shared.get("jobs/1/a.py") is None
    shared.put("jobs/1/a.py", b"# one\n")
    (tmp_path / "large").write_bytes(b"x" * 3_000_000)
    shared.put("jobs/1/a.py", tmp_path / "large")
    assert shared.get("jobs/1/a.py") == b"x" * 3_000_000


def test_the_driver_has_the_same_file_mounted(shared, workspace):
    shared.put("jobs/1/log/000001", b"hello")
    assert workspace.files.real(f"{shared.root}/jobs/1/log/000001").read_bytes() == b"hello"


def test_names_are_those_with_the_prefix_and_no_unfinished_file(shared):
    for name in ("jobs/1/log/000002", "jobs/1/log/000001", "jobs/12/stop", "jobs/1/ending.json.part", "top"):
        shared.put(name, b"")
    assert shared.names("jobs/1/") == ["jobs/1/log/000001", "jobs/1/log/000002"]
    assert shared.names("jobs/1") == ["jobs/1/log/000001", "jobs/1/log/000002", "jobs/12/stop"]
    assert shared.names("") == ["jobs/1/log/000001", "jobs/1/log/000002", "jobs/12/stop", "top"]
    assert shared.names("absent/") == []


def test_folders_go_with_the_files_in_them(shared, workspace):
    for name in ("jobs/1/log/000001", "jobs/1/ending.json.part", "jobs/12/stop"):
        shared.put(name, b"")
    shared.remove("jobs/1/")
    assert shared.names("") == ["jobs/12/stop"]
    assert not workspace.files.real(f"{shared.root}/jobs/1").exists()
    shared.remove("")
    shared.remove("")
    assert list(workspace.files.real(shared.root).iterdir()) == []


def test_a_server_in_trouble_may_be_asked_again(shared, workspace):
    workspace.faults = [Fault("fs/files|workspace/export", status=500)]
    with pytest.raises(ConnectionLostError, match=r"127\.0\.0\.1: does not answer \(The service is busy\)"):
        shared.get("a")
