"""A sweep over there is the sweep over here, run for run, also when its connection is cut on the way."""

from __future__ import annotations

import pytest

from tests.backends.remote_sweeps import FEATURES, SWEEP, winner_lines

pytestmark = pytest.mark.disturbs


def outcome(vm, run):
    """Return what a sweep's run and its children say, without times and identities."""
    children = vm.store.search_runs(["0"], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    return {
        "status": run.info.status,
        "params": dict(run.data.params),
        "metrics": timeless(run.data.metrics),
        "fingerprints": {
            key: value for key, value in run.data.tags.items() if key.startswith("sweep.") and key != "sweep.versions"
        },
        "artifacts": sorted(artifact.path for artifact in vm.store.list_artifacts(run.info.run_id)),
        "children": {
            child.data.tags["candidate.key"]: (
                child.info.run_name,
                child.info.status,
                dict(child.data.params),
                timeless(child.data.metrics),
            )
            for child in children
        },
        "number of children": len(children),
    }


def timeless(metrics):
    return {key: round(value, 9) for key, value in metrics.items() if "time" not in key and "seconds" not in key}


def sweep_runs(vm):
    """Return the runs of sweeps, oldest first."""
    runs = vm.store.search_runs(["0"], "tags.`mlflow.project.entryPoint` = 'sweep'")
    aside = {"mlflow.parentRunId", "step.name"}
    return [run for run in reversed(runs) if not aside & run.data.tags.keys()]


def test_a_sweep_there_equals_one_here_run_for_run_even_with_its_connection_cut(vm, project):
    here = vm.mlflow_run(project, *SWEEP, backend="local")
    assert here.finished() == 0, here.text
    there = vm.mlflow_run(project, *SWEEP)
    there.wait_for("features ")
    assert vm.sshd.cut() > 0
    assert there.finished() == 0, there.text
    one, other = (outcome(vm, run) for run in sweep_runs(vm))
    assert one["number of children"] == 4
    assert one["status"] == "FINISHED"
    assert other == one
    assert int(vm.store.get_model_version_by_alias("demographics", "challenger").version) == 2
    assert winner_lines(there.lines) == winner_lines(here.lines)
    assert any("http://127.0.0.1:5000/#/experiments/0/runs/" in line for line in there.lines)

    again = vm.mlflow_run(project, "featurize", *FEATURES)
    assert again.finished() == 0, again.text
    assert [line.split(":")[1].split()[0] for line in again.lines if line.startswith(("tables", "features"))] == [
        "reused",
        "reused",
    ]
