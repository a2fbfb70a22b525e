"""The notebook that the docs show runs as it stands, from its first cell to its last."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest

from tests.services import spark_cluster as spark_service

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
EXECUTE = """
import sys
import nbformat
from nbclient import NotebookClient
path = sys.argv[1]
nbformat.write(NotebookClient(nbformat.read(path, as_version=4), timeout=300).execute(), path)
"""

pytestmark = pytest.mark.disturbs


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_kept_without_outputs(notebook):
    assert not any(cell.get("outputs") for cell in notebook.cells)


def test_every_cell_runs(notebook, tmp_path):
    if spark_service.lacking() and not os.environ.get("CI"):
        notebook.cells = [cell for cell in notebook.cells if "spark" not in cell.metadata.get("tags", [])]
    nbformat.write(notebook, tmp_path / "notebook.ipynb")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    client = subprocess.Popen(  # nbclient can wait for ever for a kernel that has ended, so not in this process
        [sys.executable, "-c", EXECUTE, "notebook.ipynb"],
        cwd=tmp_path,
        env=kept | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    try:
        assert client.wait(400) == 0
    finally:
        with suppress(ProcessLookupError):
            os.killpg(client.pid, signal.SIGKILL)
    ran = nbformat.read(tmp_path / "notebook.ipynb", as_version=4)
    said = "".join(output.get("text", "") for cell in ran.cells for output in cell.get("outputs", []))
    assert "6 fits for 10 candidates on 3 folds" in said
    assert (tmp_path / "mlflow.db").exists()
