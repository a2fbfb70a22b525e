"""A spec can be asked for again as a run has kept it, whatever has become of its file."""

from pathlib import Path

import pytest

from entrypoints.planning.asked_spec import asked_spec, kept_as
from entrypoints.sweep import sweep
from errors import SpecError
from tests.entrypoints.conftest import SMALL
from tracking import EntryRun
from tuning import SweepSpec


def test_what_a_run_has_kept_outlives_the_file(workplace):
    first = EntryRun.begin("sweep")
    spec = asked_spec(workplace.space, first)
    assert spec == SweepSpec.load(workplace.space)
    Path(workplace.folder, "space.yaml").unlink()
    second = EntryRun.begin("sweep")
    assert asked_spec(kept_as("elsewhere/space.yaml", first), second) == spec
    third = EntryRun.begin("sweep")
    assert asked_spec(kept_as(kept_as("space.yaml", first), second), third) == spec


def test_a_wrong_spec_is_not_kept(workplace):
    Path("wrong.yaml").write_text("grid: {}")
    run = EntryRun.begin("sweep")
    with pytest.raises(SpecError, match=r"^wrong\.yaml: "):
        asked_spec("wrong.yaml", run)
    assert workplace.client.list_artifacts(run.run_id) == []


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ("runs:/0123456789abcdef0123456789abcdef/space.yaml", "no run here has kept it"),
        ("runs:/0123456789abcdef0123456789abcdef", "expected runs:/RUN_ID/FILE"),
        ("runs:/", "expected runs:/RUN_ID/FILE, such as runs:/RUN_ID/quick.yaml"),
    ],
)
def test_a_run_that_has_none_is_one_line(workplace, capsys, space, said):
    assert sweep([*SMALL, "--space", space]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"-P space={space}: ")
    assert said in line


def test_a_run_without_that_file_is_one_line(workplace):
    run = EntryRun.begin("sweep")
    with pytest.raises(SpecError, match="no run here has kept it") as caught:
        asked_spec(f"runs:/{run.run_id}/space.yaml", run)
    assert "\n" not in str(caught.value)
