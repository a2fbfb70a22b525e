"""Imports point one way, and heavy or optional libraries stay in their rooms.

Read from the source with ``ast``, not by importing: an import inside a function points just as far, and a module that
is never loaded in a test run must obey as well.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]

ROOMS = {"entrypoints", "sources", "features", "tuning", "report", "tracking", "release", "backends"}
FOR_ALL = {"errors", "cache", "masking", "yaml12"}
MAY_IMPORT = {
    "gridfold": {"tuning", "report", "tracking"},
    "entrypoints": {"sources", "features", "tuning", "report", "tracking", "release", "backends"},
    "features": {"sources.schema"},
    "report": {"tuning"},
    "tracking": {"tuning"},
    "sources": set(),
    "tuning": set(),
    "release": set(),
    "backends": set(),
    "cache": set(),
    "errors": set(),
    "masking": set(),
    "yaml12": set(),
}
ENTRYPOINTS = {
    "parameters": set(),
    "terminal": set(),
    "command": {"parameters", "terminal"},
    "data": {"parameters", "terminal"},
    "planning": {"data", "terminal"},
    "results": {"parameters", "terminal", "data", "planning"},
    "choosing": {"parameters", "terminal", "data", "planning", "results"},
    "judging": {"data", "planning"},
    "scoring": {"terminal", "judging"},
}
"""The rooms of entrypoints/, and which of the others each may import. Commands may import all; no one imports them."""
ONLY_IN = {
    "mlflow": ("tracking", "backends"),
    "azure": ("sources", "backends"),
    "docker": ("backends",),
    "databricks": ("backends",),
    "pyspark": ("tuning.engines.spark", "features.spark"),
}
NEVER_AT_THE_TOP = {"docker", "databricks", "pyspark"}  # a plain install may lack them
ALONE = {"backends.guest": {"databricks.sdk.runtime"}}
"""What runs where nothing is installed: it imports Python's own library, its room, and what the place itself has."""


def imports(source: str, package: str) -> Iterator[tuple[str, bool]]:
    """Yield the full name of each imported module or member, and whether the import stands at the module's top."""
    tree = ast.parse(source)
    inside = {node for outer in ast.walk(tree) if is_function(outer) for node in ast.walk(outer)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield name, node not in inside


def is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def within(name: str, module: str) -> bool:
    return name == module or name.startswith(module + ".")


def violations(source: str, module: str) -> list[str]:
    """Sentences about what `module`, whose text is `source`, imports and must not."""
    room = module.split(".")[0]
    package = module if module.count(".") == 0 and module in ROOMS else module.rpartition(".")[0]
    found = []
    for name, at_the_top in imports(source, package or module):
        target = name.split(".")[0]
        if target in ROOMS and target != room and not any(within(name, allowed) for allowed in MAY_IMPORT[room]):
            found.append(f"{module} imports {name}")
        if room == target == "entrypoints" and not may_import_beside(module, name):
            found.append(f"{module} imports {name}")
        if target in ONLY_IN and not any(within(module, home) for home in ONLY_IN[target]):
            found.append(f"{module} imports {name}")
        if target in NEVER_AT_THE_TOP and at_the_top and not may_load(target, module):
            found.append(f"{module} imports {name} at its top")
        for alone, there in ALONE.items():
            known = target in sys.stdlib_module_names or any(within(name, place) for place in {alone, *there})
            if within(module, alone) and not known:
                found.append(f"{module} imports {name}")
    return found


def may_import_beside(module: str, name: str) -> bool:
    """Whether a module of entrypoints/ may import another one: commands import the rooms, rooms those below them."""
    if module == "entrypoints":
        return name == "entrypoints.command.waking.waking"  # loads no library: the first thing a command does
    mine, theirs = module.split(".")[1], name.split(".")[1]
    return theirs in ENTRYPOINTS and (mine not in ENTRYPOINTS or theirs == mine or theirs in ENTRYPOINTS[mine])


def may_load(target: str, module: str) -> bool:
    """Whether `module` is one that only those load who have `target`; a room's ``__init__`` is loaded by everyone."""
    return module not in ROOMS and any(within(module, home) for home in ONLY_IN[target])


def modules() -> Iterator[tuple[str, Path]]:
    files = {"errors", "gridfold", "masking", "yaml12"}
    yield from ((name, ROOT / f"{name}.py") for name in sorted(files))
    for room in sorted((ROOMS | FOR_ALL) - files):
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


@pytest.mark.parametrize(("module", "path"), [pytest.param(*pair, id=pair[0]) for pair in modules()])
def test_the_rooms_import_one_way(module, path):
    assert violations(path.read_text(), module) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("tuning.plan", "import mlflow"),
        ("tuning.plan", "def late():\n    from mlflow.tracking import MlflowClient"),
        ("tuning.plan", "from tracking import EntryRun"),
        ("tuning.engines.local", "from ...sources import ingest"),
        ("features.build", "from sources.ingest import ingest"),
        ("features.build", "import sources"),
        ("sources.azure", "from features import build"),
        ("tracking.runs", "from sources.manifest import Manifest"),
        ("cache.entries", "import tuning"),
        ("report.pictures", "from tracking import EntryRun"),
        ("tracking.report", "from report import pictures"),
        ("errors", "import tuning"),
        ("entrypoints.sweep", "from mlflow import MlflowClient"),
        ("entrypoints.choose", "from entrypoints.sweep import sweep"),
        ("entrypoints.choose", "from entrypoints import sweep"),
        ("entrypoints.data.pipeline", "from entrypoints.ingest import ingest"),
        ("entrypoints.data.pipeline", "def late():\n    from ..results import outcome"),
        ("entrypoints.terminal.results", "from entrypoints.parameters import SweepParams"),
        ("entrypoints", "from entrypoints.command.entry import entrypoint"),
        ("tuning.engines.base", "import pyspark"),
        ("gridfold", "def late():\n    import sources"),
        ("backends", "import docker"),
        ("backends.guest.mask", "def late():\n    import requests"),
        ("backends.guest.mask", "from backends.failures import BackendError"),
    ],
)
def test_a_planted_violation_is_found(module, source):
    assert violations(source, module) != []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("features.build", "from sources.schema import TABLES"),
        ("features.build", "from sources import schema"),
        ("features.build", "from .incidence import shares"),
        (
            "tracking.runs",
            "import mlflow\nfrom tuning.results import statistics\nfrom errors import TrackingError",
        ),
        ("entrypoints.sweep", "from entrypoints.results import unrecorded"),
        ("entrypoints.results.outcome", "from entrypoints.data.rows import Rows"),
        ("entrypoints.data.own.read", "from entrypoints.data.rows import Rows"),
        ("tuning.engines.spark", "import pyspark"),
        ("backends.dsvm", "import docker"),
        ("backends.guest.mask", "import os\nfrom .reach import UNREACHABLE"),
    ],
)
def test_what_the_design_allows_is_not_found(module, source):
    assert violations(source, module) == []


def test_beside_its_rooms_entrypoints_holds_commands_alone():
    commands = {path.stem for path in (ROOT / "entrypoints").glob("*.py")} - {"__init__", "parameters"}
    assert commands == set(yaml.safe_load((ROOT / "MLproject").read_text())["entry_points"]) - {"main"}
    rooms = {path.parent.name for path in (ROOT / "entrypoints").glob("*/__init__.py")}
    assert rooms | {"parameters"} == ENTRYPOINTS.keys()
