"""The loop tells everyone everything, in order, and knows nobody."""

import numpy as np
import psutil
import pytest

from errors import EngineError, FitError, GridfoldError, SpecError
from tuning import Dataset, SweepSpec, open_engine, sweep


class Notebook:
    """An observer that writes down what it is told."""

    def __init__(self):
        self.calls = []

    def started(self, spec, n_candidates, n_folds):
        self.calls.append(("started", n_candidates, n_folds))

    def scored(self, scores):
        self.calls.append(("scored", {(score.candidate.name, score.fold) for score in scores}))

    def ended(self, result):
        self.calls.append(("ended", result))


def rows(n_rows=60):
    y = np.arange(n_rows) % 2
    X = np.random.default_rng(0).normal(size=(n_rows, 3)) + y[:, None]
    return Dataset(X.astype(np.float32), y, np.unique(y))


def spec(**changes):
    given = {
        "estimator": "xgboost.XGBClassifier",
        "grid": {"max_depth": [1, 2], "n_estimators": [2, 3]},
        "scoring": "accuracy",
        "cv": {"folds": 3},
    }
    return SweepSpec(**{**given, **changes})


def test_observers_hear_of_every_fold_of_every_candidate_between_start_and_end():
    notebook = Notebook()
    with open_engine("local", 2) as engine:
        result = sweep(spec(), rows(), engine, [notebook])
    assert notebook.calls[0] == ("started", 4, 3)
    assert notebook.calls[-1] == ("ended", result)
    heard = [pair for call in notebook.calls[1:-1] for pair in call[1]]
    assert len(heard) == len(set(heard)) == 12


def test_candidates_stand_in_the_order_of_the_grid():
    with open_engine("local", 2) as engine:
        result = sweep(spec(), rows(), engine)
    assert [c.name for c in result.candidates] == [
        f"max_depth={depth} n_estimators={n}" for depth in (1, 2) for n in (2, 3)
    ]


def test_scores_do_not_depend_on_the_number_of_workers():
    results = []
    for cores in (1, 2, 7):
        with open_engine("local", cores) as engine:
            results.append(sweep(spec(), rows(), engine).split_scores())
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


def test_a_candidate_carries_the_time_of_its_own_rounds_not_of_the_whole_booster():
    with open_engine("local", 1) as engine:
        result = sweep(spec(grid={"n_estimators": [1, 200]}), rows(), engine)
    short, long = result.cv_results()["mean_fit_time"]
    assert 0 < short < long


def test_when_all_candidates_fail_the_sweep_says_the_commonest_error():
    with open_engine("local", 1) as engine, pytest.raises(FitError, match=r"all 2 candidates failed; .* 'hits', valid"):
        _ = sweep(spec(grid={"tree_method": ["hits", "exat"]}), rows(), engine).best


def test_a_worker_that_is_killed_ends_the_sweep_with_advice():
    doomed = spec(estimator="sklearn.linear_model.LogisticRegression", grid={"C": [1.0]})

    class Killer(Notebook):
        def scored(self, scores):
            for worker in psutil.Process().children(recursive=True):
                if "popen_loky" in " ".join(worker.cmdline()):
                    worker.kill()

    with pytest.raises(EngineError, match=r"a worker process was killed"), open_engine("local", 1) as engine:
        sweep(doomed, rows(), engine, [Killer()])


def test_folds_that_do_not_fit_the_data_are_refused_before_any_fit():
    notebook = Notebook()
    with open_engine("local", 1) as engine, pytest.raises(SpecError, match=r"cv\.folds"):
        sweep(spec(cv={"folds": 31}), rows(), engine, [notebook])
    assert notebook.calls == []


def test_what_an_observer_raises_ends_the_sweep():
    class Broken(Notebook):
        def scored(self, scores):
            raise RuntimeError("disk gone")

    with pytest.raises(RuntimeError, match="disk gone"), open_engine("local", 2) as engine:
        sweep(spec(), rows(), engine, [Broken()])


def test_an_unknown_engine_gets_the_nearest_name():
    with (
        pytest.raises(GridfoldError, match=r"engine: there is no engine 'locl'\. Did you mean 'local'\?"),
        open_engine("locl"),
    ):
        pass


def test_warnings_come_back_with_the_scores():
    warm = spec(estimator="sklearn.linear_model.LogisticRegression", grid={"max_iter": [1]}, scoring="accuracy")
    with open_engine("local", 1) as engine:
        result = sweep(warm, rows(), engine)
    assert result.fold_scores[result.best][0].warning.startswith("ConvergenceWarning: ")
