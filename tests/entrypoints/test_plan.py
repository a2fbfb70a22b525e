"""-P plan=true says what the sweep comes to, and trains none of it."""

from entrypoints.parameters import SweepParams
from entrypoints.plan import plan_rows
from entrypoints.records import given_up
from entrypoints.sweep import sweep
from tuning import SweepResult
from tuning.forecast import Forecast

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
