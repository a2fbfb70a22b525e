"""What Windows lacks of the standard library, and an environment in which this project's modules lack it too.

Nothing here is Windows: what a path means, what its console takes and what its libraries do is not shown. What is: that
no module of ours asks for what is not there, opens a folder, or moves a file under its own hands.

    python -m tests.services.windows COMMAND ...
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

_HERE = Path(__file__).parent
ROOT = _HERE.parents[2]
_ASKED = (
    *("ctypes", "curses", "fcntl", "grp", "mmap", "os", "posix", "pty", "pwd", "readline", "resource", "select"),
    *("shutil", "signal", "socket", "subprocess", "syslog", "tempfile", "termios", "threading", "time", "tty"),
)
_STATEMENTS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def lacking() -> tuple[list[str], dict[str, list[str]]]:
    """Return the modules that Windows lacks, and the names by module."""
    modules, names = [], {}
    for module in _ASKED:
        here, there = _defined(module, sys.platform), _defined(module, "win32")
        if here and not there:
            modules.append(module)
        elif here - there:
            names[module] = sorted(here - there)
    return modules, names


def _defined(module: str, platform: str) -> set[str]:
    """Return the public names that a module has, by the stubs of mypy's typeshed."""
    spec = find_spec("mypy")
    assert spec is not None
    assert spec.origin is not None
    stubs = Path(spec.origin).parent / "typeshed" / "stdlib"
    path = stubs / module / "__init__.pyi" if (stubs / module).is_dir() else stubs / f"{module}.pyi"
    seen = SimpleNamespace(platform=platform, version_info=sys.version_info)
    return {name for name in _names(ast.parse(path.read_text()).body, seen, platform) if not name.startswith("_")}


def _names(body: Sequence[ast.stmt], seen: SimpleNamespace, platform: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.If):
            holds = eval(compile(ast.Expression(node.test), "stub", "eval"), {"sys": seen, "TYPE_CHECKING": True})
            yield from _names(node.body if holds else node.orelse, seen, platform)
        elif isinstance(node, _STATEMENTS):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("_") and node.module != "_typeshed":
            for alias in node.names:
                yield from [alias.asname or alias.name] if alias.name != "*" else _defined(node.module, platform)


def environment() -> dict[str, str]:
    """Return the variables under which a Python, and all that it starts, takes this machine for one of Windows."""
    modules, names = lacking()
    given = {"root": str(ROOT) + os.sep, "modules": modules, "names": names}
    path = os.pathsep.join([str(_HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {"GRIDFOLD_WINDOWS": json.dumps(given), "PYTHONPATH": path, "PYTHONIOENCODING": "cp1252:strict"}


if __name__ == "__main__":
    sys.exit(subprocess.run(sys.argv[1:], env=os.environ | environment(), check=False).returncode)
