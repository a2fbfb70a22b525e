"""What may be named, and that nothing is imported before its name is allowed."""

import subprocess
import sys

import pytest

from errors import SpecError
from tuning.spec.allowed import class_named, function_named


@pytest.mark.parametrize(
    "path",
    [
        "sklearn.linear_model.LogisticRegression",
        "sklearn.model_selection.TimeSeriesSplit",
        "sklearn.gaussian_process.kernels.Matern",
        "sklearn.compose.make_column_selector",
        "xgboost.XGBClassifier",
        "xgboost.sklearn.XGBRegressor",
    ],
)
def test_estimators_splitters_and_kernels_may_be_named(path):
    assert class_named(path).__name__ == path.rpartition(".")[2]


@pytest.mark.parametrize(
    "path",
    [
        "subprocess.Popen",
        "pathlib.Path",
        "builtins.object",
        "mlflow.MlflowClient",
        "joblib.Parallel",
        "tuning.Candidate",
        "entrypoints.command.entry.EntryPoint",
        "sklearn.utils.Bunch",
        "sklearn.utils.os.PathLike",
        "sklearn.datasets.Anything",
        "sklearn.conftest.SkipTest",
        "sklearn.linear_model.__class__",
        "sklearn.pipeline.Path",
        "__main__.Thing",
        "..Thing",
        "a b.C",
    ],
)
def test_other_classes_may_not(path):
    with pytest.raises(SpecError) as caught:
        class_named(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "sklearn.metrics.fbeta_score",
        "sklearn.metrics.pairwise.rbf_kernel",
        "sklearn.feature_selection.mutual_info_classif",
        "numpy.log1p",
        "numpy.median",
        "scipy.special.logit",
        "scipy.stats.zscore",
        "scipy.spatial.distance.cosine",
    ],
)
def test_functions_that_only_compute_may_be_named(path):
    assert callable(function_named(path))


@pytest.mark.parametrize(
    "path",
    [
        "os.system",
        "builtins.eval",
        "subprocess.run",
        "numpy.load",
        "numpy.save",
        "numpy.fromfile",
        "numpy.savetxt",
        "numpy.f2py.compile",
        "numpy.lib.format.open_memmap",
        "scipy.io.loadmat",
        "scipy.special.test",
        "numpy.linalg.test",
        "scipy.stats.np.load",
        "joblib.load",
        "sklearn.datasets.fetch_openml",
        "sklearn.datasets.load_files",
        "sklearn.metrics.np",
        "sklearn.utils._openmp_helpers",
        "sklearn.show_versions",
        "tuning.sweep",
        "pickle.loads",
    ],
)
def test_functions_that_reach_further_may_not(path):
    with pytest.raises(SpecError) as caught:
        function_named(path)
    assert "\n" not in str(caught.value)


def test_what_is_not_allowed_is_not_imported():
    script = """
import sys
from errors import SpecError
from tuning.spec.allowed import class_named, function_named
for name in ("antigravity.fly", "this.Zen", "turtle.Turtle", "idlelib.run.Executive"):
    for named in (class_named, function_named):
        try:
            named(name)
        except SpecError:
            pass
        else:
            raise AssertionError(name)
assert not {"antigravity", "this", "turtle", "idlelib"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_refusal_says_what_may_be_named_and_how_to_get_another_librarys():
    with pytest.raises(
        SpecError, match=r"neither sklearn, .* import it in a mymodels\.py there and name mymodels\.Net"
    ):
        class_named("skorch.Net")
    with pytest.raises(
        SpecError, match=r"Name one of sklearn\.cluster, .* or one that a module in the project's folder"
    ):
        function_named("os.system")


def test_a_missing_library_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "imblearn", None)
    with pytest.raises(SpecError, match=r"pip install -e '\.\[imbalanced\]'"):
        class_named("imblearn.over_sampling.SMOTE")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("LogisticRegression", "Did you mean 'sklearn.linear_model.LogisticRegression'?"),
        ("XGBClasifier", "Did you mean 'xgboost.XGBClassifier'?"),
        ("sklearn.metrics.f1_score", "Write {function: sklearn.metrics.f1_score}."),
        ("xgbost.XGBClassifier", "Did you mean 'xgboost'?"),
    ],
)
def test_a_near_miss_gets_the_right_spelling(path, hint):
    with pytest.raises(SpecError) as caught:
        class_named(path)
    assert hint in str(caught.value)
