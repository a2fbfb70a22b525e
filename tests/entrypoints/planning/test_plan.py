"""-P plan=true says what the sweep comes to, and trains none of it."""

import json

import pytest

from backends.capacity import Capacity
from entrypoints.data.records import given_up
from entrypoints.parameters import SweepParams
from entrypoints.planning.places import places
from entrypoints.planning.plan import plan_rows
from entrypoints.sweep import sweep
from errors import SpecError
from tuning import SweepResult
from tuning.forecast import Forecast
from tuning.probing import Need

SMALL = ["--scale", "0.005", "--feature_sets", "brand_model,weekday_hour"]


def test_the_plan_counts_candidates_fits_and_boosters():
    rows = plan_rows(Forecast(4, 20, 10, 2, 754.0, 2.13e9), 67180)
    assert rows[:3] == [
        ("plan", "4 candidates x 5 folds = 20 fits of 67,180 rows, trained as 10 boosters"),
        ("time", "about 12 min 34 s on 2 cores, refit not included"),
        ("memory", "about 2.1 GB at the peak"),
    ]


def test_a_planned_sweep_has_no_candidates_and_registers_nothing(workplace, capsys):
    assert sweep([*SMALL, "--space", workplace.space, "--plan", "true"]) == 0
    assert "4 candidates x 2 folds = 8 fits" in capsys.readouterr().out
    planned = workplace.newest_sweep()
    assert list(workplace.children(planned.info.run_id)) == []
    assert list(workplace.client.search_registered_models()) == []
    assert planned.info.status == "FINISHED"
    assert planned.data.tags["mlflow.note.content"].startswith("Planned, not run.")


def test_what_the_features_gave_up_for_speed_is_named_beside_what_the_sweep_did():
    result = SweepResult([], {}, 2, ("r2",), "r2", 0, 0.0, approximations=("racing stops",))
    pruned = given_up(SweepParams(min_devices=20), result)
    assert pruned.approximations == ["racing stops", "min_devices 20 leaves out the features of fewer devices"]
    assert given_up(SweepParams(), result) is result


def test_a_plan_is_priced_for_each_place_by_the_cores_and_the_memory_of_its_file():
    need = Need(base_bytes=10**9, matrix_bytes=0, fit_bytes=10**9)
    plan = Forecast(4, 20, 10, 2, 300.0, 2.13e9, n_known=10, work=1200.0, longest=100.0, need=need)
    asked = [
        Capacity("here"),
        Capacity("vm", 8, 64e9, "1.20 EUR"),
        Capacity("wide", 1000, None, "$36"),
        Capacity("narrow", 8, 3.5e9),
        Capacity("tiny", 8, 1.5e9),
        Capacity("there", unknown="how large it is: its file does not say"),
    ]
    told = dict(plan_rows(plan, 100, places=asked))
    assert told["known"].startswith("10 of 20 fits")
    assert told["time"] == "about 5 min 00 s on 2 cores for the 10 that are left, refit not included"
    assert told["here"] == "about 5 min 00 s on 2 cores for the rest"
    assert told["vm"] == "about 2 min 30 s on 8 cores, 0.05 EUR at 1.20 EUR an hour"
    assert told["wide"] == "about 1 min 40 s on 1,000 cores, $1.00 at $36 an hour"
    assert told["narrow"] == "about 10 min 00 s on 2 cores, no price given"
    assert told["tiny"] == "not enough memory: 1.5 GB, and one fit takes about 2.0 GB"
    assert told["there"] == "not known how large it is: its file does not say"


def test_what_the_journal_holds_is_known_to_a_plan_that_changes_nothing(workplace, capsys):
    assert sweep([*SMALL, "--space", workplace.space]) == 0
    capsys.readouterr()
    (workplace.folder / "vm.json").write_text(json.dumps({"host": "ssh://me@vm", "cpus": 4, "price_per_hour": "2 EUR"}))
    before = {path: path.read_bytes() for path in (workplace.folder / "cache" / "journal").iterdir()}
    grown = (workplace.folder / "space.yaml").read_text().replace("[1, 2]", "[1, 2, 3]")
    (workplace.folder / "space.yaml").write_text(grown)
    asked = [*SMALL, "--space", "space.yaml", "--plan", "true", "--backends", "here,vm.json"]
    assert sweep(asked) == 0
    said = capsys.readouterr().out
    assert "known    8 of 12 fits" in said
    assert "cores for the 4 that are left" in said
    assert "EUR at 2 EUR an hour" in said
    assert "EUR at 2 EUR" in workplace.newest_sweep().data.tags["mlflow.note.content"]
    assert {path: path.read_bytes() for path in (workplace.folder / "cache" / "journal").iterdir()} == before
    assert sweep([*asked, "--reuse", "never"]) == 0
    assert "known " not in capsys.readouterr().out


def test_places_without_a_plan_or_without_a_name_are_refused_in_one_line(workplace, capsys):
    assert sweep(["--space", workplace.space, "--backends", "here"]) == 1
    assert "-P backends=here prices a plan. Add -P plan=true" in capsys.readouterr().err
    with pytest.raises(SpecError, match="there is nothing between two commas"):
        places("here,,x.json")
