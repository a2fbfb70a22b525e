"""What estimators warn of is noted with the fit that warned, in threads too, and shows nowhere else."""

import threading
import warnings

import numpy as np

from tuning import Dataset, SweepSpec, open_engine, sweep
from tuning.warned import noted_warnings, notes_kept


def rows():
    y = np.arange(60) % 2
    return Dataset(np.random.default_rng(0).normal(size=(60, 3)) + y[:, None], y, np.unique(y))


def test_a_booster_in_a_thread_has_its_warning_noted_and_prints_nothing(capfd):
    spec = SweepSpec(
        estimator="xgboost.XGBClassifier",
        fixed={"booster": "gblinear", "n_estimators": 3},
        grid={"max_depth": [2, 3]},
        scoring="accuracy",
        cv={"folds": 2},
    )
    with open_engine("local", 2) as engine:
        result = sweep(spec, rows(), engine)
    said = [score.warning for scores in result.fold_scores.values() for score in scores]
    assert all("max_depth" in warning for warning in said)
    assert "max_depth" not in "".join(capfd.readouterr())


def test_two_threads_have_their_own():
    heard, both = {}, threading.Barrier(2)

    def warn(word):
        with noted_warnings() as lines:
            both.wait()
            warnings.warn(word, UserWarning, stacklevel=1)
            both.wait()
            heard[word] = list(lines)

    with notes_kept():
        threads = [threading.Thread(target=warn, args=(word,)) for word in ("one", "two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert heard == {"one": ["UserWarning: one"], "two": ["UserWarning: two"]}


def test_what_no_fit_has_raised_is_shown_as_ever(recwarn):
    with notes_kept():
        warnings.warn("mine", UserWarning, stacklevel=1)
    assert [str(warning.message) for warning in recwarn] == ["mine"]
