"""Every kind of mistake in a spec gets one line that names the file, the key, what came and what to do."""

from pathlib import Path

import pytest
import yaml

from errors import SpecError
from tuning import SweepSpec

GOOD = {
    "estimator": "xgboost.XGBClassifier",
    "fixed": {"random_state": 0},
    "grid": {"n_estimators": [300, 400], "max_depth": [3, 4]},
    "scoring": "neg_log_loss",
    "cv": {"folds": 5, "shuffle": True, "seed": 0},
    "search": {"strategy": "grid"},
}


@pytest.fixture
def complaint(tmp_path):
    """Write a spec and return what loading it says, without the path."""

    def load(content) -> str:
        path = tmp_path / "mine.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        with pytest.raises(SpecError) as caught:
            SweepSpec.load(path)
        message = str(caught.value)
        assert message.startswith(f"{path}: ")
        assert "\n" not in message
        return message.removeprefix(f"{path}: ")

    return load


def changed(**changes):
    return {**GOOD, **changes}


def test_a_good_spec_loads_with_its_defaults(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({key: GOOD[key] for key in ("estimator", "grid", "scoring")}))
    spec = SweepSpec.load(path)
    assert (spec.cv.folds, spec.cv.shuffle, spec.search.strategy) == (5, True, "grid")
    assert spec.scorers == ("neg_log_loss",)
    assert spec.refit_scorer == "neg_log_loss"


@pytest.mark.parametrize("path", sorted(Path("spaces").glob("*.yaml")), ids=lambda path: path.name)
def test_every_spec_that_comes_with_the_project_loads(path):
    spec = SweepSpec.load(path)
    assert spec.grid or spec.distributions


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (changed(estimater="x"), "estimater: unknown key. Did you mean 'estimator'?"),
        (changed(zzz=1), "zzz: unknown key. Known keys here: estimator, fixed, grid, distributions, scoring"),
        (changed(cv={"fold": 3}), "cv.fold: unknown key. Did you mean 'folds'?"),
        (changed(cv={"folds": 1}), "cv.folds: should be greater than or equal to 2, got 1."),
        (changed(cv={"folds": "five"}), "cv.folds: should be a whole number, got 'five'."),
        (changed(cv={"shuffle": "yes please"}), "cv.shuffle: should be a boolean, got 'yes please'."),
        (changed(grid=[1]), "grid.0: expected a mapping of lists, got 1."),
        (changed(grid=3), "grid: expected a mapping of lists, or a list of such mappings, got 3."),
        (
            changed(grid=[{"max_depth": [3]}, {"max_depth": 4}]),
            "grid.1.max_depth: expected a list of values, got 4. Write [4].",
        ),
        (changed(grid={}), "grid: the key is missing."),
        (changed(grid={"max_depth": []}), "grid.max_depth: the list is empty."),
        (changed(grid={"max_depth": 3}), "grid.max_depth: expected a list of values, got 3. Write [3]."),
        (changed(grid={"max_depth": [3, 4, 3]}), "grid.max_depth: the value 3 stands twice."),
        (
            changed(grid={"n_estimator": [300]}),
            "grid.n_estimator: XGBClassifier has no parameter 'n_estimator'. Did you mean 'n_estimators'?",
        ),
        (
            changed(fixed={"learning_rat": 0.1}),
            "fixed.learning_rat: XGBClassifier has no parameter 'learning_rat'. Did you mean 'learning_rate'?",
        ),
        (changed(fixed={"max_depth": 3}), "grid.max_depth: 'max_depth' also stands under fixed."),
        (
            changed(estimator="xgboost.XGBClasifier"),
            "estimator: xgboost has no class 'XGBClasifier'. Did you mean 'XGBClassifier'?",
        ),
        (changed(estimator="xgbost.XGBClassifier"), "estimator: no module named 'xgbost'. Did you mean 'xgboost'?"),
        (changed(estimator="nowhere.Thing"), "estimator: 'nowhere.Thing' may not be named: nowhere is neither"),
        (changed(estimator="sklearn.nowhere.Thing"), "estimator: no module named 'sklearn.nowhere'."),
        (
            changed(estimator="XGBClassifier"),
            "estimator: expected a dotted path, got 'XGBClassifier'. Did you mean 'xgboost.XGBClassifier'?",
        ),
        (changed(estimator="pathlib.Path"), "estimator: 'pathlib.Path' may not be named"),
        (changed(estimator="sklearn.pipeline.Pipeline"), "estimator: Pipeline cannot be built without 'steps'"),
        (changed(estimator=3), "estimator: expected a class's dotted path or a list of steps."),
        (
            changed(scoring="neg_logloss"),
            "scoring: scikit-learn has no scorer 'neg_logloss'. Did you mean 'neg_log_loss'?",
        ),
        (changed(scoring=[]), "scoring: the list is empty."),
        (changed(scoring=["accuracy", "accuracy"], refit="accuracy"), "scoring: a scorer stands twice."),
        (changed(scoring=["accuracy", "neg_log_loss"]), "refit: the key is missing. With several scorers"),
        (
            changed(scoring=["accuracy", "neg_log_loss"], refit="acuracy"),
            "refit: 'acuracy' is not among the scorers accuracy, neg_log_loss. Did you mean 'accuracy'?",
        ),
        (
            changed(estimator="sklearn.svm.LinearSVC", fixed={}, grid={"C": [1]}),
            "scoring: neg_log_loss needs predict_proba, which LinearSVC does not have.",
        ),
        (changed(search={"strategy": "gird"}), "search.strategy: there is no strategy 'gird'. Did you mean 'grid'?"),
        (changed(fixed={"early_stopping_rounds": 5}), "fixed.early_stopping_rounds: a fold has no rows to stop on"),
        ({key: GOOD[key] for key in GOOD if key != "grid"}, "grid: the key is missing."),
        ("", "expected a mapping of keys such as 'estimator' and 'grid', got an empty file."),
        ("- a\n- b\n", "expected a mapping of keys such as 'estimator' and 'grid', got a list."),
        ("estimator: [unclosed\n", "line 2: "),
        ("grid: {a: [1]}\ngrid: {b: [1]}\n", "line 2: the key 'grid' stands twice."),
    ],
)
def test_a_mistake_gets_one_line_that_names_it(complaint, content, said):
    assert said in complaint(content)


def test_a_missing_file_gets_the_nearest_name(tmp_path):
    (tmp_path / "quick.yaml").write_text("")
    with pytest.raises(SpecError, match=r"quik\.yaml: no such file\. Did you mean '.*quick\.yaml'\?"):
        SweepSpec.load(tmp_path / "quik.yaml")


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="not UTF-8 text"):
        SweepSpec.load(path)


def test_parameters_that_only_the_booster_knows_are_allowed(tmp_path):
    path = tmp_path / "dart.yaml"
    path.write_text(yaml.safe_dump(changed(fixed={"booster": "dart", "rate_drop": 0.1})))
    assert SweepSpec.load(path).fixed["rate_drop"] == 0.1


def test_all_mistakes_are_said_at_once_a_line_each(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("""
estimater: x
estimator:
  - memory: sklearn.preprocessing.StandardScaler
  - model: sklearn.linear_model.LogisticRegresion
grid: {model__C: []}
scoring: [neg_logloss, accuracy]
cv: {fold: 3}
budget: {cores: none}
search: {strategy: gird}
""")
    with pytest.raises(SpecError) as caught:
        SweepSpec.load(path)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    keys = [line.removeprefix(f"{path}: ").partition(": ")[0] for line in lines]
    in_shape = ["budget.cores", "cv.fold", "estimater", "grid.model__C"]
    assert sorted(keys) == sorted([*in_shape, "estimator.memory", "estimator.model", "refit", "scoring"])


def test_mistakes_of_sense_in_several_keys_are_said_at_once():
    with pytest.raises(SpecError) as caught:
        SweepSpec(
            estimator="xgboost.XGBClassifier",
            fixed={"learning_rat": 0.1, "max_depth": 3},
            grid={"n_estimator": [1], "max_depth": [4]},
            scoring="neg_logloss",
            search={"strategy": "gird"},
        )
    keys = [line.partition(": ")[0] for line in str(caught.value).splitlines()]
    assert sorted(keys) == ["fixed.learning_rat", "grid.max_depth", "grid.n_estimator", "scoring", "search.strategy"]


@pytest.mark.parametrize(
    ("estimator", "grid", "said"),
    [
        (
            "sklearn.ensemble.AdaBoostClassifier",
            {"estimator__max_depth": [1]},
            "grid.estimator__max_depth: AdaBoostClassifier has no parameter 'estimator__max_depth'. Its 'estimator' is "
            "not set: give it {class: sklearn..., ...}, under estimator or fixed.",
        ),
        ("sklearn.ensemble.StackingClassifier", {"cv": [3]}, "estimator: StackingClassifier cannot be built without"),
        (
            [{"prep": "sklearn.compose.ColumnTransformer"}, {"model": "sklearn.linear_model.LogisticRegression"}],
            {"model__C": [1]},
            "estimator.prep: ColumnTransformer cannot be built without 'transformers', which has no default. Write the "
            "step as columns: [{columns: [a, b], do:",
        ),
        (
            [{"pick": "sklearn.feature_selection.SelectKBest"}, {"model": "sklearn.linear_model.LogisticRegression"}],
            {"pick__score_func": ["chi2", {"function": "sklearn.feature_selection.chi2"}]},
            "grid.pick__score_func.0: The 'score_func' parameter of SelectKBest must be a callable.",
        ),
        (
            [{"scale": "sklearn.preprocessing.StandardScaler"}, {"model": "sklearn.linear_model.LogisticRegression"}],
            {"scale": ["MinMaxScaler", "passthrough"]},
            "grid.scale.0: expected an object or passthrough, got 'MinMaxScaler'.",
        ),
        (
            [{"scale": "sklearn.preprocessing.StandardScaler"}, {"model": "sklearn.linear_model.LogisticRegression"}],
            {"model": [{"class": "sklearn.tree.DecisionTreeClassifier"}], "model__C": [1]},
            "grid.model__C: Pipeline has no parameter 'model__C'.",
        ),
        (
            [{"scale": "sklearn.preprocessing.StandardScaler"}, {"memory": "sklearn.linear_model.LogisticRegression"}],
            {"scale__with_mean": [True]},
            "estimator.memory: a step cannot be called 'memory', which is a parameter of the pipeline itself.",
        ),
        (
            [{"a__b": "sklearn.preprocessing.StandardScaler"}],
            {"a": [1]},
            "estimator.a__b: a step cannot be called 'a__b': text without '__' is wanted.",
        ),
        (
            [{"first": "sklearn.svm.SVC"}, {"model": "sklearn.linear_model.LogisticRegression"}],
            {"model__C": [1]},
            "estimator.first: SVC does not transform, so no step can follow it.",
        ),
        (
            [{"a": "sklearn.preprocessing.StandardScaler"}, "b"],
            {"a__copy": [True]},
            "estimator: expected steps of the form 'name: object'",
        ),
        ({"class": "os.system"}, {"x": [1]}, "estimator: 'os.system' may not be named: os is neither"),
        ({"klass": "sklearn.svm.SVC"}, {"x": [1]}, "estimator: expected an object, got {'klass': 'sklearn.svm.SVC'}."),
        (
            "sklearn.linear_model.LogisticRegression",
            {"C": [1, -1]},
            "grid.C.1: The 'C' parameter of LogisticRegression must be a float in the range",
        ),
    ],
)
def test_a_mistake_in_the_objects_of_a_spec_is_one_line(complaint, estimator, grid, said):
    assert said in complaint({"estimator": estimator, "grid": grid, "scoring": "accuracy"})


def test_parameters_of_what_is_chosen_are_known():
    spec = SweepSpec(
        estimator=[{"scale": "passthrough"}, {"model": "sklearn.linear_model.LogisticRegression"}],
        grid={"model": [{"class": "sklearn.svm.SVC"}], "model__gamma": [0.1], "scale": ["passthrough", None]},
        scoring="accuracy",
    )
    assert spec.grid["model__gamma"] == [0.1]


@pytest.mark.parametrize(
    ("name", "fixed", "grid"),
    [
        (
            "xgboost-small",
            {"colsample_bylevel": 0.1, "subsample": 0.5},
            {"n_estimators": [300, 400], "max_depth": [3, 4]},
        ),
        (
            "xgboost-large",
            {},
            {
                "n_estimators": [300, 400],
                "max_depth": [3, 4],
                "colsample_bylevel": [0.01, 0.1],
                "subsample": [0.5, 0.7],
            },
        ),
    ],
)
def test_the_published_grids_are_as_published(name, fixed, grid):
    spec = SweepSpec.load(f"spaces/{name}.yaml")
    assert spec.estimator == "xgboost.XGBClassifier"
    assert spec.fixed == fixed | {
        "random_state": 0,
        "objective": "multi:softprob",
        "reg_alpha": 1,
        "reg_lambda": 1,
        "colsample_bytree": 1,
        "learning_rate": 0.1,
    }
    assert spec.grid == grid
    assert (spec.scorers, spec.cv.folds) == (("neg_log_loss",), 5)


def test_the_docs_show_the_published_grid_as_it_is():
    text = Path("spaces/xgboost-small.yaml").read_text()
    shown = "".join(f"    {line}\n" for line in text.splitlines() if not line.startswith("#"))
    assert shown in Path("docs/sweeps.md").read_text()
