"""A graphics card that is asked for is used, or the spec is refused before any work."""

import numpy as np
import pytest
import yaml

from errors import SpecError
from tuning import Dataset, SweepSpec, open_engine, sweep
from tuning.learners.graphics_cards import cuda_devices, cuda_works

SPEC = {
    "estimator": "xgboost.XGBClassifier",
    "fixed": {"random_state": 0, "device": "cuda"},
    "grid": {"n_estimators": [5, 10], "max_depth": [2, 4]},
    "scoring": "neg_log_loss",
    "cv": {"folds": 3},
}


@pytest.mark.skipif(cuda_works(), reason="XGBoost trains on a graphics card here")
@pytest.mark.parametrize("section", ["fixed", "grid"])
def test_a_card_that_is_not_there_is_refused_in_one_line(tmp_path, section):
    path = tmp_path / "cuda.yaml"
    fixed = {"device": "cuda"} if section == "fixed" else {}
    grid = {**SPEC["grid"], "device": ["cpu", "cuda"]} if section == "grid" else SPEC["grid"]
    path.write_text(yaml.safe_dump({**SPEC, "fixed": fixed, "grid": grid}))
    with pytest.raises(SpecError, match=r"device: 'cuda' was asked for, but XGBoost sees no such graphics card"):
        SweepSpec.load(path)


def test_names_stand_for_cards():
    assert cuda_devices("cpu") == cuda_devices(None) == []
    assert cuda_devices("cuda:1") == ["cuda:1"]
    assert cuda_devices("cuda")[0] == "cuda:0"


@pytest.mark.skipif(not cuda_works(), reason="no graphics card that XGBoost can train on")
def test_scores_on_a_card_are_those_of_the_cpu_within_tolerance():
    y = np.arange(600) % 4
    X = np.random.default_rng(0).normal(size=(600, 8)).astype(np.float32) + y[:, None]
    scores = {}
    for device in ("cpu", "cuda"):
        spec = SweepSpec(**{**SPEC, "fixed": {"random_state": 0, "device": device}})
        with open_engine("local", 2) as engine:
            scores[device] = sweep(spec, Dataset(X, y, np.unique(y)), engine).split_scores()
    assert np.abs(scores["cpu"] - scores["cuda"]).max() < 1e-3
