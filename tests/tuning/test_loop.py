"""The loop tells everyone everything, in order, and knows nobody."""

import time
from contextlib import suppress
from dataclasses import replace

import numpy as np
import psutil
import pytest

from errors import FitError, GridfoldError, SpecError
from tuning import Dataset, SweepSpec, make_folds, open_engine, sweep
from tuning.fitting import run_fit
from tuning.spec.sweep_spec import CvSpec


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
        f"#{number} max_depth={depth} n_estimators={n}"
        for number, (depth, n) in enumerate([(1, 2), (1, 3), (2, 2), (2, 3)], start=1)
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


def test_a_worker_that_is_killed_costs_no_score():
    many = [place / 100 for place in range(1, 401)]  # so that most are still to come when the first is scored
    hit = spec(estimator="sklearn.linear_model.LogisticRegression", grid={"C": many})
    killed = []

    class Killer(Notebook):
        def scored(self, scores):
            for worker in [] if killed else psutil.Process().children(recursive=True):
                with suppress(psutil.ZombieProcess):  # of another test, still to be waited for
                    if "popen_loky" in " ".join(worker.cmdline()):
                        worker.kill()
                        killed.append(worker)

    with open_engine("local", 1) as engine:
        result = sweep(hit, rows(), engine, [Killer()])
    assert killed
    assert not result.failed
    assert result.split_scores().shape == (400, 3)
    assert not np.isnan(result.split_scores()).any()


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


def test_when_the_time_is_up_no_more_fits_start_and_what_is_judged_counts(monkeypatch):
    def slowly(*args):
        time.sleep(0.1)
        return run_fit(*args)

    monkeypatch.setattr("tuning.engines.threads.run_fit", slowly)
    timed = spec(grid={"max_depth": [1, 2, 3, 4, 5, 6], "reg_lambda": [1, 2, 3]}, budget={"max_time": 2})
    with open_engine("local", 1) as engine:
        result = sweep(timed, rows(), engine)
    assert 0 < len(result.stopped) < 18
    assert result.best not in result.stopped
    assert result.approximations == ["the budget may leave candidates untried"]


def test_a_time_too_short_for_one_candidate_is_an_error_that_says_so():
    hasty = spec(grid={"n_estimators": [2000]}, budget={"max_time": 0.05})
    with open_engine("local", 1) as engine, pytest.raises(FitError, match=r"judged on all 3 folds\. Raise the budget"):
        sweep(hasty, rows(2000), engine)


@pytest.mark.parametrize(
    "search", [{"strategy": "racing"}, {"strategy": "halving"}, {"strategy": "random", "candidates": 5}]
)
def test_every_strategy_runs_on_the_same_loop(search):
    with open_engine("local", 2) as engine:
        result = sweep(spec(grid={"max_depth": [1, 2, 3], "n_estimators": [3, 6, 9]}, search=search), rows(), engine)
    assert len(result.fold_scores[result.best]) == 3
    assert all(score.share == 1.0 for score in result.fold_scores[result.best])


def test_what_is_given_up_is_said():
    raced = spec(search={"strategy": "racing"}, fixed={"max_bin": 16})
    with open_engine("local", 1) as engine:
        said = sweep(raced, rows(), engine).approximations
    assert said[0].startswith("racing stops a candidate")
    assert said[1].startswith("max_bin 16 ")


def test_rows_of_one_group_never_stand_on_both_sides():
    y = np.arange(60) % 2
    groups = np.arange(60) // 6
    data = Dataset(np.zeros((60, 1), dtype=np.float32), y, np.unique(y), groups=groups)
    for fold in make_folds(CvSpec(folds=3), data):
        assert not set(groups[fold.train]) & set(groups[fold.test])


def test_steps_of_a_pipeline_are_swept_by_name():
    piped = spec(
        estimator=[
            {"scale": "sklearn.preprocessing.StandardScaler"},
            {"model": "sklearn.linear_model.LogisticRegression"},
        ],
        grid={"scale__with_mean": [True, False], "model__C": [0.1, 1.0]},
    )
    data = replace(rows(), sample_weight=np.linspace(1, 2, 60))
    with open_engine("local", 1) as engine:
        result = sweep(piped, data, engine)
    assert not result.failed
    assert len(result.candidates) == 4
