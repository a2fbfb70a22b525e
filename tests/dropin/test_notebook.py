"""The notebook that the docs show runs as it stands, from its first cell to its last."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.services import spark_cluster as spark_service

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_kept_without_outputs(notebook):
    assert not any(cell.get("outputs") for cell in notebook.cells)


def test_every_cell_runs(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
    if spark_service.lacking() and not os.environ.get("CI"):
        notebook.cells = [cell for cell in notebook.cells if "spark" not in cell.metadata.get("tags", [])]
    ran = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = "".join(output.get("text", "") for cell in ran.cells for output in cell.get("outputs", []))
    assert "6 fits for 10 candidates on 3 folds" in said
    assert (tmp_path / "mlflow.db").exists()
