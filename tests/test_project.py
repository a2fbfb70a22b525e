"""The project's own files agree with each other: what one of them says twice is said the same."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def pinned() -> dict[str, Requirement]:
    environment = yaml.safe_load((ROOT / "conda.yaml").read_text())
    [pip] = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    return {requirement.name: requirement for requirement in map(Requirement, pip)}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def declared() -> dict[str, Requirement]:
    """What a plain install brings."""
    return {requirement.name: requirement for requirement in map(Requirement, project()["dependencies"])}


def extras() -> dict[str, Requirement]:
    """What the extras bring, that for tests aside."""
    optional = project()["optional-dependencies"]
    listed = [text for extra, texts in optional.items() if extra != "test" for text in texts]
    return {requirement.name: requirement for requirement in map(Requirement, listed)}


def test_conda_yaml_pins_every_core_dependency_and_nothing_else():
    assert pinned().keys() == declared().keys()


def test_every_pin_is_one_version_inside_its_declared_range():
    for name, pin in pinned().items():
        [specifier] = pin.specifier
        assert specifier.operator == "==", pin
        assert specifier.version in declared()[name].specifier, f"{pin} is outside {declared()[name]}"


def test_every_declared_range_has_a_lower_end():
    for requirement in (declared() | extras()).values():
        assert any(specifier.operator == ">=" for specifier in requirement.specifier), requirement


def test_every_library_that_the_rooms_import_is_declared():
    rooms = {path.stem for path in ROOT.iterdir()}
    imported = {
        name.split(".")[0]
        for room in (
            "sources",
            "features",
            "release",
            "tuning",
            "report",
            "tracking",
            "cache",
            "entrypoints",
        )  # backends use the HTTP stack of docker and mlflow
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in names_of(node)
    }
    distributions = packages_distributions()
    foreign = imported - rooms - sys.stdlib_module_names - {"pydantic_core"}  # a fixed part of pydantic
    known = declared().keys() | extras().keys()
    undeclared = {name for name in foreign if not known & {d.lower() for d in distributions.get(name, [name])}}
    assert not undeclared


def names_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
