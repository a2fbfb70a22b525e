"""A user's own estimator, in a module beside the spec: its model loads and predicts where there is no such module."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
import xgboost
from mlflow.models import Model

from entrypoints.planning.asked_spec import asked_spec, kept_as
from entrypoints.sweep import sweep
from tracking import EntryRun, FittedModel, model_files
from tuning.spec.modules import import_own, look_beside

THRESHOLDED = """
import yaml
from below_thresholded import shifted
from sklearn.linear_model import LogisticRegression

class Thresholded(LogisticRegression):
    def __init__(self, C=1.0, shift=0.0):
        super().__init__(C=C)
        self.shift = shift

    def predict_proba(self, X):
        from above_thresholded import ONE  # when it is called
        return shifted(super().predict_proba(X), self.shift) * ONE
"""
SHIFTED = """
import numpy as np

def shifted(probabilities, shift):
    yes = np.clip(probabilities[:, 1] + shift, 0, 1)
    return np.column_stack([1 - yes, yes])
"""
SPEC = "estimator: {name}\nfixed: {{shift: 0.25}}\ngrid: {{C: [0.1, 1]}}\nscoring: roc_auc\ncv: {{folds: 3}}\n"
ELSEWHERE = """
    import sys

    sys.meta_path[:] = [finder for finder in sys.meta_path if "__editable__" not in getattr(finder, "__module__", "")]
    sys.path[:] = [entry for entry in sys.path if entry not in ({root!r}, {mine!r})]
    import importlib.util

    for name in ("tracking", "tuning", "thresholded", "below_thresholded", "above_thresholded"):
        assert importlib.util.find_spec(name) is None, name
    import json, mlflow.pyfunc, mlflow.sklearn, pandas

    rows = pandas.read_csv({rows!r})
    found = mlflow.pyfunc.load_model({model!r}).predict(rows)
    assert type(mlflow.sklearn.load_model({model!r})).__name__ == "Thresholded"
    print(json.dumps(found["1"].tolist()))
"""
ROOT = Path(__file__).parents[2]


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder with a spec, the module that it names, and those that this one imports."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "thresholded.py").write_text(THRESHOLDED)
    (folder / "below_thresholded.py").write_text(SHIFTED)
    (folder / "above_thresholded").mkdir()
    (folder / "above_thresholded" / "__init__.py").write_text("ONE = 1.0\n")
    (folder / "spec.yaml").write_text(SPEC.format(name="thresholded.Thresholded"))
    draw = np.random.default_rng(0).normal(size=(120, 3))
    frame = pd.DataFrame(draw, columns=list("abc")).assign(y=(draw[:, 0] > 0).astype(int))
    frame.to_csv(tmp_path / "own.csv", index=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield folder
    for name in ("thresholded", "below_thresholded", "above_thresholded"):
        sys.modules.pop(name, None)


def loaded_elsewhere(model: Path, rows: Path, mine: Path, elsewhere: Path) -> subprocess.CompletedProcess[str]:
    elsewhere.mkdir()
    names = {"root": str(ROOT), "mine": str(mine), "rows": str(rows), "model": str(model)}
    program = textwrap.dedent(ELSEWHERE).format(**names)
    command = [sys.executable, "-I", "-c", program]
    return subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False, env={"HOME": "/nowhere"})


def test_the_registered_model_loads_where_there_is_neither_the_project_nor_the_module(workplace, own, tmp_path):
    asked = ["--features", "own.csv", "--target", "y", "--space", str(own / "spec.yaml"), "--cores", "1"]
    assert sweep(asked) == 0
    folder = Path(mlflow.artifacts.download_artifacts("models:/own@challenger", dst_path=str(tmp_path / "model")))
    assert not list(folder.rglob("__pycache__"))
    frame = pd.read_csv("own.csv").drop(columns="y")
    frame.to_csv("rows.csv", index=False)
    here = mlflow.pyfunc.load_model(str(folder)).predict(frame)["1"]
    assert here.min() >= 0.25  # the shift
    done = loaded_elsewhere(folder, tmp_path / "rows.csv", own, tmp_path / "elsewhere")
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == pytest.approx(here.tolist(), abs=1e-12)

    needs = (folder / "requirements.txt").read_text().splitlines()
    assert not [line for line in needs if "thresholded" in line]
    assert [line for line in needs if line.lower().startswith("pyyaml==")]
    (folder / "code" / "below_thresholded.py").unlink()
    assert (
        "No module named 'below_thresholded'"
        in loaded_elsewhere(folder, *[tmp_path / "rows.csv", own, tmp_path / "x"]).stderr
    )


def saved(folder: Path, source: str, name: str, model: Path) -> Path:
    """Save a fitted estimator of a class that `source` defines in a module of `folder`."""
    folder.mkdir()
    (folder / "thresholded.py").write_text(source)
    look_beside(folder / "spec.yaml")
    kind = getattr(import_own("thresholded"), name)
    X = np.random.default_rng(0).normal(size=(60, 2))
    model_files.save(FittedModel(kind().fit(X, X[:, 0] > 0), X[:3], [False, True]), model, Model())
    return model


def test_each_of_two_models_keeps_its_own_version_of_the_module(own, tmp_path):
    source = "from sklearn.linear_model import LogisticRegression as Base\nclass Mine(Base):\n"
    source += "    def predict_proba(self, X):\n        return super().predict_proba(X) * 0 + VERSION\nVERSION = {}\n"
    models = [saved(tmp_path / f"of{k}", source.format(k), "Mine", tmp_path / f"model{k}") for k in (1, 2)]
    loaded = [mlflow.pyfunc.load_model(str(model)) for model in [*models, models[0]]]
    assert [model.predict(np.zeros((1, 2)))["True"][0] for model in loaded] == [1, 2, 1]
    assert sys.modules["thresholded"].VERSION == 2  # the process's own is left alone


def test_a_subclass_of_a_booster_keeps_what_it_adds(own, tmp_path):
    source = "import xgboost\nclass Mine(xgboost.XGBClassifier):\n    def predict_proba(self, X):\n"
    source += "        return super().predict_proba(X) * 0 + 7\n"
    model = mlflow.pyfunc.load_model(str(saved(tmp_path / "boosters", source, "Mine", tmp_path / "model")))
    assert model.predict(np.zeros((1, 2)))["True"][0] == 7
    assert f"xgboost=={xgboost.__version__}" in (tmp_path / "model" / "requirements.txt").read_text()


def test_a_spec_that_a_run_has_kept_brings_its_modules(workplace, own):
    first = EntryRun.begin("sweep")
    spec = asked_spec(str(own / "spec.yaml"), first)
    for path in [*own.glob("*.py"), *own.rglob("__init__.py")]:
        path.unlink()
    for name in ("thresholded", "below_thresholded", "above_thresholded"):
        sys.modules.pop(name, None)
    second = EntryRun.begin("sweep")
    assert asked_spec(kept_as("spec.yaml", first), second) == spec
    assert own not in Path(sys.modules["thresholded"].__file__).parents
    sys.modules.pop("thresholded")
    assert asked_spec(kept_as("spec.yaml", second), EntryRun.begin("sweep")) == spec
    kept = [file.path for file in workplace.client.list_artifacts(second.run_id, "modules")]
    assert kept == ["modules/above_thresholded", "modules/below_thresholded.py", "modules/thresholded.py"]
