"""A user's project may have modules called as our rooms are, and gridfold may be installed in any way."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TAKEN = ("features", "tracking", "cache", "report", "entrypoints", "tuning", "errors", "masking", "yaml12")
SEARCH = """
    import numpy as np
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    X, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
    model = make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0))
    search = GridSearchCV(model, {"decisiontreeclassifier__max_depth": [1, 2]}, cores=2, engine="local").fit(X, y)
    fits._SMALL = 0  # now with processes, however few rows there are
    again = GridSearchCV(model, {"decisiontreeclassifier__max_depth": [1, 2]}, cores=2, engine="local").fit(X, y)
    assert list(again.cv_results_["mean_test_score"]) == list(search.cv_results_["mean_test_score"])
"""
OURS = """
    from gridfold import GridSearchCV
    from gridfold.tuning.dropin import fits
"""
THEIRS = """
    import cache, errors, features, tracking, tuning
    assert {each.MINE for each in (cache, errors, features, tracking, tuning)} == {True}
    from tuning.plan import MINE
"""


@pytest.fixture
def project(tmp_path):
    """A folder of a user's with modules and packages of our rooms' names."""
    for name in TAKEN[:3] + TAKEN[5:]:
        (tmp_path / f"{name}.py").write_text("MINE = True\n")
    for name in ("entrypoints", "tuning"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("MINE = True\n")
        (tmp_path / name / "plan.py").write_text("MINE = True\n")
    return tmp_path


def ran(project, code, path=ROOT):
    script = project / "script.py"
    script.write_text("\n".join(textwrap.dedent(part) for part in code))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    command = [sys.executable, str(script)]
    return subprocess.run(
        command, cwd=project, env=environment | {"PYTHONPATH": str(path)}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("order", [(THEIRS, OURS, SEARCH), (OURS, SEARCH, THEIRS)], ids=["theirs first", "ours first"])
def test_both_get_their_own_modules(project, order):
    done = ran(project, order)
    assert done.returncode == 0, done.stderr


def test_the_import_loads_nothing_that_is_not_needed_yet(project):
    heavy = {"mlflow", "pyspark", "xgboost", "polars", "matplotlib", "azure", "pydantic"}
    code = f"import sys, gridfold\nprint({heavy!r} & set(sys.modules))"
    assert ran(project, [code]).stdout.strip() == "set()"


def test_a_search_that_is_not_tracked_loads_no_mlflow(project):
    code = "import sys\nprint({'mlflow', 'pyspark'} & set(sys.modules))"
    assert ran(project, [OURS, SEARCH, code]).stdout.strip() == "set()"


def test_an_installed_wheel_serves_as_a_clone_does(project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    tracked = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    for name in tracked.stdout.splitlines():
        if name.endswith((".py", ".toml")) or name in ("README.md", "LICENSE"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(source)]
    subprocess.run(wheel, check=True)
    installed = folder / "installed"
    [built] = folder.glob("gridfold-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(installed), str(built)], check=True)
    where = f"import gridfold\nassert gridfold.__file__.startswith({str(installed)!r})"
    done = ran(project, [where, OURS, SEARCH, THEIRS], path=installed)
    assert done.returncode == 0, done.stderr
