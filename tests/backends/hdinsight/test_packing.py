"""The packed environment runs wherever it is unpacked, and holds only what old machines can load."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from backends.environment import Environment
from backends.failures import BackendError
from backends.hdinsight import packing
from backends.hdinsight.settings import HdinsightSettings

ROOT = Path(__file__).parents[3]
VERSION = "{}.{}".format(*sys.version_info)
GIVEN = {
    "url": "https://mine.azurehdinsight.net/livy",
    "storage": "wasbs://data@account.blob.core.windows.net/gridfold",
}


def wheel(folder: Path, name: str, tag: str) -> Path:
    """Write a wheel with one module that says where it is."""
    path = folder / f"{name}-1.0-py3-none-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        info = f"{name}-1.0.dist-info"
        archive.writestr(f"{name}.py", "print(__file__)")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-{tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """A folder with this machine's Python, laid out as a relocatable one."""
    folder = tmp_path_factory.mktemp("python")
    library = folder / "lib" / f"python{VERSION}"
    source = Path(sysconfig.get_path("stdlib"))
    left_out = shutil.ignore_patterns(
        "site-packages", "dist-packages", "__pycache__", "test", "tests", "config-*", "idlelib"
    )
    shutil.copytree(source, library, ignore=left_out)
    (library / "site-packages").mkdir()
    (folder / "bin").mkdir()
    shutil.copy(Path(sys.executable).resolve(), folder / "bin" / "python3")
    return folder


@pytest.fixture
def wheels(tmp_path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    wheel(folder, "anywhere", "any")
    wheel(folder, "oldtag", "manylinux2014_x86_64")
    wheel(folder, "newtag", "manylinux_2_28_x86_64")
    return folder


def settings(tmp_path, wheels, python, *names, **given):
    listed = tmp_path / "requirements.txt"
    listed.write_text("\n".join(["# ours", f"--find-links {wheels}", "--no-index", *names]) + "\n")
    return HdinsightSettings(**GIVEN, requirements=listed, python=python, **given)


def test_an_unpacked_environment_runs_from_another_folder(tmp_path, wheels, python):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    archive = packing.pack(Environment(VERSION, ()), settings(tmp_path, wheels, python, "anywhere", "oldtag"), scratch)
    elsewhere = tmp_path / "container" / "environment"
    with tarfile.open(archive) as opened:
        opened.extractall(elsewhere)
    shutil.rmtree(scratch)
    command = [
        str(elsewhere / "bin" / "python3"),
        "-c",
        "import anywhere, oldtag, json, ssl, ctypes, sys; print(sys.prefix)",
    ]
    said = subprocess.run(command, capture_output=True, text=True, env={}, check=True).stdout.splitlines()
    assert len(said) == 3
    assert all(line.startswith(str(elsewhere)) for line in said)


def test_a_wheel_for_newer_machines_is_refused_by_name(tmp_path, wheels, python):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    wanted = settings(tmp_path, wheels, python, "newtag")
    with pytest.raises(BackendError, match=r"there is no wheel of newtag for glibc 2\.27\. Name an older version"):
        packing.pack(Environment(VERSION, ()), wanted, scratch)
    newer = settings(tmp_path, wheels, python, "newtag", glibc="2.28")
    shutil.rmtree(scratch)
    scratch.mkdir()
    assert packing.pack(Environment(VERSION, ()), newer, scratch).exists()


def test_a_python_of_another_version_is_refused(tmp_path, wheels, python):
    (tmp_path / "scratch").mkdir()
    with pytest.raises(
        BackendError, match=f"the Python for the cluster's environment is {VERSION}, and conda.yaml asks"
    ):
        packing.pack(Environment("3.99", ()), settings(tmp_path, wheels, python), tmp_path / "scratch")


def test_the_key_follows_the_content(tmp_path, wheels, python):
    one = packing.key(Environment(VERSION, ()), settings(tmp_path, wheels, python, "anywhere"))
    again = packing.key(Environment(VERSION, ()), settings(tmp_path, wheels, python, "anywhere"))
    other = packing.key(Environment(VERSION, ()), settings(tmp_path, wheels, python, "oldtag"))
    newer = packing.key(Environment(VERSION, ()), settings(tmp_path, wheels, python, "anywhere", glibc="2.28"))
    assert one == again
    assert len({one, other, newer}) == 3


def test_an_archive_without_a_python_is_refused(tmp_path):
    path = tmp_path / "mine.tar.gz"
    with tarfile.open(path, "w:gz"):
        pass
    with pytest.raises(BackendError, match="has no bin/python3 at its top; make it with conda-pack"):
        packing.pack(Environment(VERSION, ()), HdinsightSettings(**GIVEN, archive=path), tmp_path)
    path.write_text("no tar")
    with pytest.raises(BackendError, match="is not a tar archive"):
        packing.pack(Environment(VERSION, ()), HdinsightSettings(**GIVEN, archive=path), tmp_path)


def test_the_clusters_pins_are_those_of_every_core_dependency_inside_its_declared_range():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    ranges = {requirement.name: requirement.specifier for requirement in map(Requirement, declared)}
    lines = (ROOT / "backends" / "hdinsight.requirements.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    assert {pin.name for pin in pins} == ranges.keys()
    for pin in pins:
        [specifier] = pin.specifier
        assert specifier.operator == "=="
        assert specifier.version in ranges[pin.name], pin


def test_machines_take_wheels_of_their_own_time_and_before():
    tags = packing.platform_tags("2.27")
    assert tags[0] == "manylinux_2_27_x86_64"
    assert tags[-3:] == ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]
    assert "manylinux_2_28_x86_64" not in tags
    assert "manylinux2014_x86_64" not in packing.platform_tags("2.12")
