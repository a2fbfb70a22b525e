"""The pipelines of docs/examples are one another's equals, and their commands do what they say."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from tests.entrypoints.conftest import ROOT
from tests.services.startup import free_port

EXAMPLES = ROOT / "docs" / "examples"
INSTALL = "pip install -e ."  # what the README begins with, and CI does on a bare machine


def github():
    asked = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())
    steps = asked["jobs"]["model"]["steps"]
    values = {name: value for name, value in asked["env"].items() if "secrets." not in value}
    return values, {step["name"]: step["run"].strip() for step in steps if "run" in step}


def azure():
    asked = yaml.safe_load((EXAMPLES / "azure-pipelines.yml").read_text())
    steps = asked["jobs"][0]["steps"]
    values = {each["name"]: each["value"] for each in asked["variables"] if "name" in each}
    return values, {step["displayName"]: step["bash"].strip() for step in steps if "bash" in step}


def test_both_pipelines_give_the_same_commands_and_values():
    assert github() == azure()
    assert list(github()[1]) == ["Install", "Sweep", "Promote", "Serve"]
    assert github()[1]["Install"] == INSTALL


def run_as_a_runner_does(script: str, values: dict[str, str]) -> tuple[int, str]:
    """Run a step in a shell of its own in the project's folder, and end all that it leaves."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    with subprocess.Popen(
        shell,
        cwd=ROOT,
        env=os.environ | values | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as step:
        try:
            said, _ = step.communicate(timeout=240)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(step.pid, signal.SIGKILL)
    return step.returncode, said


@pytest.mark.skipif(os.name == "nt", reason="the pipelines' shell is bash")
def test_the_commands_sweep_promote_with_gates_and_serve(workplace):
    gates = workplace.folder / "gates.yaml"
    values, steps = github()
    values |= {
        "SCALE": "0.005",
        "FEATURE_SETS": "brand_model,weekday_hour",
        "SPACE": workplace.space,
        "GATES": str(gates),
        "PORT": str(free_port()),
    }
    gates.write_text("rows: {minimum: 1000000}\n")
    code, swept = run_as_a_runner_does(steps["Sweep"], values)
    assert code == 0, swept
    code, refused = run_as_a_runner_does(steps["Promote"], values)
    assert code != 0
    assert "rows" in refused
    assert "Nothing was changed" in refused
    gates.write_text("rows: {minimum: 10}\nsize_mb: {maximum: 200}\n")  # of the latency a busy machine would decide
    code, promoted = run_as_a_runner_does(steps["Promote"], values)
    assert code == 0, promoted
    assert "| size_mb |" in promoted
    champion = workplace.client.get_model_version_by_alias("demographics", "champion")
    assert champion.run_id == workplace.client.get_model_version_by_alias("demographics", "challenger").run_id
    code, served = run_as_a_runner_does(steps["Serve"], values)
    assert code == 0, served
    answers = [line for line in served.splitlines() if line.startswith("{")]
    assert len(json.loads(answers[-1])) == 12
