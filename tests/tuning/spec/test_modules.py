"""The user's own modules: found beside the spec or in the project's folder, and told apart from what is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from errors import SpecError
from tuning import SweepSpec
from tuning.spec.modules import OURS, local_modules, own_place

ROOT = Path(__file__).parents[3]
SPEC = "estimator: {module}.Thresholded\ngrid: {{C: [0.1, 1]}}\nscoring: roc_auc\n"
CLASS = "from sklearn.linear_model import LogisticRegression\nclass Thresholded(LogisticRegression):\n    pass\n"


@pytest.fixture(autouse=True)
def path_as_it_was(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))


def written(folder: Path, module: str, source: str = CLASS) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{module}.py").write_text(source)
    (folder / "spec.yaml").write_text(SPEC.format(module=module))
    return folder / "spec.yaml"


def test_a_module_beside_the_spec_can_be_named(tmp_path):
    spec = SweepSpec.load(written(tmp_path, "beside_the_spec"))
    assert local_modules(spec.estimator) == [tmp_path / "beside_the_spec.py"]


def test_a_module_of_the_folder_that_one_stands_in_can_be_named(tmp_path):
    (tmp_path / "in_the_project.py").write_text(CLASS)
    (tmp_path / "spaces").mkdir()
    (tmp_path / "spaces" / "s.yaml").write_text(SPEC.format(module="in_the_project"))
    script = "from tuning import SweepSpec; SweepSpec.load('spaces/s.yaml')"
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, env={"PYTHONPATH": str(ROOT)})


def test_of_two_modules_of_one_name_the_one_beside_the_last_spec_is_meant(tmp_path):
    for name, default in (("one", 1), ("two", 2)):
        source = CLASS + f"    folder = {default}\n"
        SweepSpec.load(written(tmp_path / name, "twice_there", source))
    assert sys.modules["twice_there"].Thresholded.folder == 2


@pytest.mark.parametrize("name", ["joblib", "json", "numpy", "tuning", "entrypoints", "mlflow"])
def test_nothing_installed_and_no_room_is_shadowed(tmp_path, name):
    path = written(tmp_path, name)
    with pytest.raises(SpecError, match="may not be named"):
        SweepSpec.load(path)
    assert own_place(name) is None


def test_a_module_that_cannot_be_imported_is_one_line(tmp_path):
    with pytest.raises(SpecError) as caught:
        SweepSpec.load(written(tmp_path, "broken_module", "raise RuntimeError('not\\ntoday')\n"))
    assert "estimator: the module broken_module cannot be imported (RuntimeError: not today)." in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_a_module_only_imports_is_not_the_users(tmp_path):
    written(tmp_path, "borrows", "from subprocess import Popen as Thresholded\n")
    with pytest.raises(SpecError, match="is not an estimator"):
        SweepSpec.load(tmp_path / "spec.yaml")


def test_modules_that_an_own_module_imports_travel_too(tmp_path):
    source = "import travels_below.deep\nimport numpy\n" + CLASS
    (tmp_path / "travels_below").mkdir()
    (tmp_path / "travels_below" / "__init__.py").write_text("")
    (tmp_path / "travels_below" / "deep.py").write_text("import travels_last\n")
    (tmp_path / "travels_last.py").write_text("import json\n")
    spec = SweepSpec.load(written(tmp_path, "travels_first", source))
    travel = [tmp_path / name for name in ("travels_below", "travels_first.py", "travels_last.py")]
    assert local_modules(spec.estimator) == travel
    fitted = sys.modules["travels_first"].Thresholded()
    assert local_modules([("a", fitted)]) == travel


def test_nothing_travels_for_installed_classes():
    assert local_modules({"class": "sklearn.svm.SVC", "kernel": "rbf"}) == []


def test_the_names_at_the_top_of_this_project_are_all_ours():
    tops = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    names = {path.partition("/")[0].removesuffix(".py") for path in tops if path.endswith(".py")}
    assert {name for name in names if name.isidentifier()} <= OURS
