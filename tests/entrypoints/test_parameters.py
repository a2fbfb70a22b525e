"""Arguments are typed, and a wrong one is refused in a line that says what it should have been."""

from pathlib import Path

import pytest
import yaml

from entrypoints.parameters import (
    ChooseParams,
    CompareParams,
    FeaturizeParams,
    FeaturizeStepParams,
    IngestParams,
    Params,
    PromoteParams,
    ScoreParams,
    SweepParams,
    SyncParams,
    contradicted,
    parse,
    wants_debug,
)
from errors import SpecError

MLPROJECT = Path(__file__).parents[2] / "MLproject"
MODELS = {
    "main": SweepParams,
    "ingest": IngestParams,
    "featurize": FeaturizeStepParams,
    "sweep": SweepParams,
    "score": ScoreParams,
    "choose": ChooseParams,
    "compare": CompareParams,
    "promote": PromoteParams,
    "sync": SyncParams,
    "backends": Params,
    "prepare": Params,
    "clean": Params,
}


@pytest.fixture(scope="module")
def project():
    return yaml.safe_load(MLPROJECT.read_text())


def test_mlproject_has_these_entry_points_and_no_others(project):
    assert project["entry_points"].keys() == MODELS.keys()


@pytest.mark.parametrize("name", MODELS)
def test_mlproject_declares_the_parameters_of_the_model_with_its_defaults(project, name):
    declared = {key: str(value["default"]) for key, value in project["entry_points"][name]["parameters"].items()}
    model = MODELS[name]
    assert declared.keys() == model.model_fields.keys()
    assert parse(model, [word for key, value in declared.items() for word in (f"--{key}", value)]) == model()


@pytest.mark.parametrize("name", MODELS)
def test_mlproject_hands_every_parameter_over(project, name):
    entry = project["entry_points"][name]
    module = "sweep" if name == "main" else name
    assert entry["command"].startswith(f"python -m entrypoints.{module} --")
    for key in entry["parameters"]:
        assert f"--{key} {{{key}}}" in entry["command"]


def test_arguments_become_typed_values():
    params = parse(SweepParams, ["--scale", "0.5", "--leak", "true", "--cores=3", "--data", "a folder"])
    assert (params.scale, params.leak, params.cores, params.data) == (0.5, True, 3, "a folder")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data", "wasbs://data@me.blob.core.windows.net/d?sv=1&sig=hunter2"),
        ("space", "https://me:hunter2@host/spec.yaml"),
        ("master", "sc://host:443/;token=hunter2"),
        ("model_name", "postgresql://me:hunter2@host/db"),
    ],
)
def test_a_secret_is_refused_since_parameters_are_kept_for_all_to_read(name, value):
    with pytest.raises(SpecError, match=rf"^-P {name} has a secret in it \(.+\)") as caught:
        parse(SweepParams, [f"--{name}", value])
    assert "hunter2" not in str(caught.value)


def test_a_control_character_is_refused():
    with pytest.raises(SpecError, match=r"^-P features=.*control character"):
        parse(SweepParams, ["--features", "a\x1b[2J.csv"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--feature_set", "all"],
            "-P feature_set=all: there is no parameter 'feature_set'. Did you mean 'feature_sets'?",
        ),
        (
            ["--zzz", "1"],
            "-P zzz=1: there is no parameter 'zzz'. There are: debug, data, scale, seed, leak, feature_sets, holdout, "
            "min_devices, features, target, groups, weights, space, engine, master, cores, verify, reuse, plan, "
            "backends, model_name, record_wait.",
        ),
        (["--cores", "two"], "-P cores=two: expected a whole number: fits side by side, 0 for one on each core."),
        (["--cores", "-1"], "-P cores=-1: expected a whole number: fits side by side, 0 for one on each core."),
        (
            ["--holdout", "1"],
            "-P holdout=1: expected a share from 0 to below 1 of the devices, kept from the sweep for the final score.",
        ),
        (
            ["--data", ""],
            "-P data=: expected 'synthetic', a folder, or wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/PATH.",
        ),
        (
            ["--scale", "nan"],
            "-P scale=nan: expected a number from 0.001 to 1: size of the synthetic data, 1 being that of the real.",
        ),
        (
            ["--leak", "perhaps"],
            "-P leak=perhaps: expected true or false: give the synthetic data the row-order leak of the real.",
        ),
        (["--cores"], "-P cores=: expected a whole number: fits side by side, 0 for one on each core."),
        (["data", "synthetic"], "data: expected '--name value'."),
    ],
)
def test_a_wrong_argument_is_refused_in_one_line(arguments, sentence):
    with pytest.raises(SpecError) as refusal:
        parse(SweepParams, arguments)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("model", [ScoreParams, PromoteParams])
def test_a_table_by_the_name_that_a_sweep_has_for_it_is_told_its_name_here(model):
    with pytest.raises(SpecError, match=r"no parameter 'features'\. Your table is given as -P data= here: "):
        parse(model, ["--features", "new.csv"])


def test_where_a_table_cannot_be_given_the_nearest_name_is_told():
    with pytest.raises(SpecError, match=r"no parameter 'features'\. Did you mean 'feature_sets'"):
        parse(FeaturizeParams, ["--features", "new.csv"])


def test_debug_is_heard_even_among_wrong_arguments():
    assert wants_debug(["--zzz", "1", "--debug", "true"])
    assert wants_debug(["--debug=True"])
    assert not wants_debug(["--debug", "false"])


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ({"scale": "5e-3", "data": "'a b'", "leak": "false", "seed": "0", "lr": "1"}, []),
        (
            {"scale": "0.05", "leak": "true"},
            ["leak is 'true' there and 'False' here", "scale is '0.05' there and '0.005' here"],
        ),
        ({"scale": "much"}, ["scale is 'much' there and '0.005' here"]),
    ],
)
def test_what_a_run_holds_contradicts_what_is_asked_only_where_it_means_something_else(held, told):
    assert contradicted(SweepParams, ["--scale", "0.005", "--data", "a b"], held) == told
    assert contradicted(SweepParams, ["--scale", "wrong"], held) == []
