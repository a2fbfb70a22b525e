"""Signing in, and what the workspace refuses: one line each, and again only where that may help."""

from __future__ import annotations

import time

import pytest

from backends.databricks_jobs.workspace import Workspace
from backends.failures import BackendError
from tests.services.databricks import CLUSTER, USER, Fault
from tests.services.startup import free_port


def test_the_workspace_says_who_we_are(workspace, settings):
    assert Workspace.sign_in(settings()).user == USER


def test_a_profile_of_databricks_own_file_signs_in(workspace, settings, monkeypatch, tmp_path):
    profiles = tmp_path / "profiles"
    profiles.write_text(f"[mine]\nhost = {workspace.host}\ntoken = {workspace.token}\n")
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(profiles))
    monkeypatch.delenv("DATABRICKS_TOKEN")
    assert Workspace.sign_in(settings(host=None, profile="mine")).user == USER


def refusal(settings) -> str:
    with pytest.raises(BackendError) as caught:
        Workspace.sign_in(settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_token_that_has_expired(workspace, settings):
    workspace.token = "dapi-newer"
    assert "127.0.0.1: refuses: Invalid access token. [ReqId: 0]. Sign in again" in refusal(settings())


def test_no_credentials_at_all(settings, monkeypatch):
    monkeypatch.delenv("DATABRICKS_TOKEN")
    said = refusal(settings())
    assert said.startswith("backend 'databricks-jobs': cannot sign in: ")
    assert "set DATABRICKS_TOKEN" in said


def test_nobody_at_that_address(settings):
    began = time.monotonic()
    assert "127.0.0.1: does not answer. Check 'host'" in refusal(settings(host=f"http://127.0.0.1:{free_port()}"))
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_asked_again_when_it_says_so(workspace, settings, status):
    workspace.faults = [Fault("scim/v2/Me", times=2, status=status, headers={"Retry-After": "1"})]
    began = time.monotonic()
    assert Workspace.sign_in(settings()).user == USER
    assert time.monotonic() - began >= 2
    assert workspace.count("scim/v2/Me") == 3


def test_a_volume_that_is_not_there(compute):
    with pytest.raises(BackendError) as caught:
        compute(files="/Volumes/main/default/grid")
    assert str(caught.value) == (
        "127.0.0.1: there is no volume main.default.grid. Correct 'files', or create it: databricks volumes create "
        "main default grid MANAGED."
    )


def test_a_cluster_that_is_not_there(compute):
    with pytest.raises(BackendError, match=r"there is no cluster 0923-1\. `databricks clusters list` shows"):
        compute(existing_cluster_id="0923-1")
    assert "the cluster installs 0 packages" in compute(existing_cluster_id=CLUSTER).prepare(
        type("Nothing", (), {"python": "3.11", "requirements": ()})()
    )
