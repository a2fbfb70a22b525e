"""What an XGBoost spec may not ask for, and what is approximate in it."""

import pytest
from xgboost import XGBClassifier

from errors import SpecError
from tuning import SweepSpec
from tuning.learners import learner_for

SPEC = {"estimator": "xgboost.XGBClassifier", "grid": {"max_depth": [2]}, "scoring": "accuracy"}


def test_fewer_than_no_rounds_are_refused_and_other_negative_numbers_are_not():
    with pytest.raises(SpecError, match=r"fixed\.n_estimators: -1 rounds cannot be trained\. Give 0 or more\.$"):
        SweepSpec.model_validate(SPEC | {"fixed": {"n_estimators": -1}})
    SweepSpec.model_validate(SPEC | {"fixed": {"n_estimators": 0, "random_state": -1, "base_score": -1}})


def test_fewer_bins_than_usual_are_approximate_and_as_many_or_more_are_not():
    model = XGBClassifier()
    said = [learner_for(model).approximation(model, "max_bin", bins) for bins in (255, 256, 257)]
    assert said == ["max_bin 255 cuts features more coarsely than XGBoost's 256", None, None]
    assert learner_for(model).approximation(model, "max_depth", 2) is None
