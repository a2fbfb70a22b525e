"""A job's run and its children end as the job has ended, whatever the job had time to say."""

import pytest
from mlflow import MlflowClient

from backends import runs


@pytest.fixture
def client(tmp_path):
    return MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")


def ended(client, said, exit_status) -> tuple[str, str, str | None]:
    """Return the statuses of a run and its unfinished child, and the run's note."""
    run = client.create_run("0").info.run_id
    child = client.create_run("0", tags={"mlflow.parentRunId": run}).info.run_id
    if said:
        client.set_tag(run, "mlflow.note.content", "its own words")
        client.set_terminated(run, said)
    runs.settle(client, run, exit_status, "why")
    after = client.get_run(run)
    return after.info.status, client.get_run(child).info.status, after.data.tags.get("mlflow.note.content")


@pytest.mark.parametrize(
    ("said", "exit_status", "expected"),
    [
        (None, "FINISHED", ("FINISHED", "FAILED", "why")),
        (None, "FAILED", ("FAILED", "FAILED", "why")),
        (None, "KILLED", ("KILLED", "KILLED", "why")),
        ("FAILED", "FAILED", ("FAILED", "FAILED", "its own words")),
        ("KILLED", "FAILED", ("KILLED", "FAILED", "its own words")),
        ("FINISHED", "FINISHED", ("FINISHED", "FAILED", "its own words")),
        ("FINISHED", "FAILED", ("FAILED", "FAILED", "why")),
    ],
)
def test_a_run_ends_as_its_job_has(client, said, exit_status, expected):
    assert ended(client, said, exit_status) == expected
