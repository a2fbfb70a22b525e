"""The same inputs and code have the same name; anything else has another."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from cache import code_digest, fingerprint


def test_a_fingerprint_does_not_depend_on_the_order_of_its_parts():
    assert fingerprint(a=1, b={"x": 1, "y": 2}) == fingerprint(b={"y": 2, "x": 1}, a=1)


@pytest.mark.parametrize("other", [{"a": 2}, {"b": 1}, {"a": "1"}, {"a": [1]}, {"a": 1, "b": None}, {"a": 1.5}, {}])
def test_a_fingerprint_differs_where_any_part_does(other):
    assert fingerprint(**other) != fingerprint(a=1)


def test_a_fingerprint_is_the_same_in_every_process():
    code = "from cache import fingerprint; print(fingerprint(a='x', b={'y': [1, 2]}))"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    assert printed == fingerprint(a="x", b={"y": [1, 2]})
    assert len(printed) == 16


@pytest.fixture
def package(tmp_path):
    """A package of two files."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "sub" / "module.py").write_text("x = 1\n")
    package = ModuleType("package")
    package.__path__ = [str(tmp_path)]
    return package


def test_an_edit_a_new_file_and_a_renamed_one_change_the_digest(package, tmp_path):
    seen = [code_digest(package)]
    (tmp_path / "sub" / "module.py").write_text("x = 2\n")
    seen.append(code_digest(package))
    (tmp_path / "new.py").write_text("")
    seen.append(code_digest(package))
    (tmp_path / "new.py").rename(tmp_path / "newer.py")
    seen.append(code_digest(package))
    assert len(set(seen)) == 4


def test_what_is_not_code_does_not_change_the_digest(package, tmp_path):
    before = code_digest(package)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "module.cpython-311.pyc").write_bytes(b"x")
    assert code_digest(package) == before
