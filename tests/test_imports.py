"""Imports point one way, and heavy or optional libraries stay in their rooms.

Read from the source with ``ast``, not by importing: an import inside a function points just as far, and a module that
is never loaded in a test run must obey as well.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

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
ONLY_IN = {
    "mlflow": ("tracking", "backends"),
    "azure": ("sources", "backends"),
    "docker": ("backends",),
    "databricks": ("backends",),
    "pyspark": ("tuning.engines.spark", "features.spark"),
}
NEVER_AT_THE_TOP = {"docker", "databricks", "pyspark"}  # a plain install may lack them


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
        if target in ONLY_IN and not any(within(module, home) for home in ONLY_IN[target]):
            found.append(f"{module} imports {name}")
        if target in NEVER_AT_THE_TOP and at_the_top and not may_load(target, module):
            found.append(f"{module} imports {name} at its top")
    return found


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
        ("tuning.engines.base", "import pyspark"),
        ("gridfold", "def late():\n    import sources"),
        ("backends", "import docker"),
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
        ("tuning.engines.spark", "import pyspark"),
        ("backends.dsvm", "import docker"),
    ],
)
def test_what_the_design_allows_is_not_found(module, source):
    assert violations(source, module) == []
