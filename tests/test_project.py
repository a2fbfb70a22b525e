"""The project's own files agree with each other: what one of them says twice is said the same."""

import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def pinned() -> dict[str, Requirement]:
    environment = yaml.safe_load((ROOT / "conda.yaml").read_text())
    [pip] = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    return {requirement.name: requirement for requirement in map(Requirement, pip)}


def declared() -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {requirement.name: requirement for requirement in map(Requirement, project["dependencies"])}


def test_conda_yaml_pins_every_core_dependency_and_nothing_else():
    assert pinned().keys() == declared().keys()


def test_every_pin_is_one_version_inside_its_declared_range():
    for name, pin in pinned().items():
        [specifier] = pin.specifier
        assert specifier.operator == "==", pin
        assert specifier.version in declared()[name].specifier, f"{pin} is outside {declared()[name]}"


def test_every_declared_range_has_a_lower_end():
    for requirement in declared().values():
        assert any(specifier.operator == ">=" for specifier in requirement.specifier), requirement


def test_every_package_of_the_repo_is_installed():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    on_disk = {
        ".".join(init.parent.relative_to(ROOT).parts)
        for room in ROOT.iterdir()
        if room.is_dir() and not room.name.startswith(".") and room.name not in {"build", "tests", "benchmarks"}
        for init in room.rglob("__init__.py")
    }
    assert set(listed) == on_disk
