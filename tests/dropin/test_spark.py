"""The same search on a Spark session, with classes that only the program itself has."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.services import spark_cluster as spark_service
from tests.services.startup import require

ROOT = Path(__file__).parents[2]
PROGRAM = """
    import numpy as np
    import sklearn.model_selection as theirs

    from sklearn.tree import DecisionTreeClassifier

    from gridfold import GridSearchCV

    class Mine(DecisionTreeClassifier):
        "A class of the program's own."

    X, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
    grid = {"max_depth": [1, 2], "criterion": ["gini", "entropy"]}
    search = GridSearchCV(Mine(random_state=0), grid, cv=2, engine="spark", master="local[1]").fit(X, y)
    other = theirs.GridSearchCV(Mine(random_state=0), grid, cv=2).fit(X, y)
    assert list(search.cv_results_["mean_test_score"]) == list(other.cv_results_["mean_test_score"])
    print(search.how_it_ran)
"""


def test_a_search_runs_on_spark(tmp_path):
    require(spark_service.lacking() or "")
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    (tmp_path / "tuning.py").write_text("MINE = True\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    done = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "8 fits for 4 candidates on 2 folds, engine spark, 1 at a time"
