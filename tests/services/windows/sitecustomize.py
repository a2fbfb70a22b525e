"""Python as Windows has it, on a machine that is another: read by every interpreter that finds it on ``PYTHONPATH``.

This project's modules see ``sys.platform == "win32"``, no module and no name of the standard library that Windows lacks
(which: see ``tests/services/windows/__init__.py``), and no folder that can be opened. Nobody, libraries included, can
remove or rename a file that this process has open. Other libraries see the machine as it is: they have versions for
Windows of their own, which are not here.
"""

import builtins
import ctypes
import enum
import json
import os
import shutil
import signal
import sys
import types
from pathlib import Path

_GIVEN = json.loads(os.environ["GRIDFOLD_WINDOWS"])
_ROOT, _MODULES, _NAMES = _GIVEN["root"], set(_GIVEN["modules"]), _GIVEN["names"]


class View(types.ModuleType):
    """A module without what Windows lacks, and with what it has instead."""

    def __init__(self, real, instead=None):
        super().__init__(real.__name__)
        vars(self).update(_real=real, _absent=set(_NAMES.get(real.__name__, ())), _instead=instead or {})

    def __getattr__(self, name):
        if name in self._absent:
            raise AttributeError(f"Windows has no {self.__name__}.{name}")
        return self._instead[name] if name in self._instead else getattr(self._real, name)

    def __setattr__(self, name, value):
        setattr(self._real, name, value)


def open_file(path, flags, *rest, **named):
    if Path(path).is_dir():
        raise PermissionError(13, "Permission denied", str(path))
    return os.open(path, flags, *rest, **named)


def library(name, *rest, **named):
    if name is None:
        raise TypeError("Windows has no library of all")
    return ctypes.CDLL(name, *rest, **named)


def kill(pid, number):
    raise AssertionError("on Windows os.kill ends a process at once, whatever the number")


VIEWS = {
    "sys": View(sys, {"platform": "win32"}),
    "os": View(os, {"name": "nt", "open": open_file, "kill": kill}),
    "ctypes": View(ctypes, {"CDLL": library}),
    "signal": View(
        signal,
        {
            "Signals": enum.IntEnum(
                "Signals", {each.name: each.value for each in signal.Signals if each.name not in _NAMES["signal"]}
            )
        },
    ),
}


def is_ours(scope):
    path = str((scope or {}).get("__file__") or "")
    # The README's environment is a folder of the checkout.
    return path.startswith(_ROOT) and "site-packages" not in path


def import_as_windows(name, globals=None, locals=None, fromlist=(), level=0):
    ours = level == 0 and is_ours(globals)
    if ours and name in _MODULES:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    module = real_import(name, globals, locals, fromlist, level)
    if not ours or (name not in VIEWS and name not in _NAMES):
        return module
    return VIEWS.setdefault(name, View(module))


def is_open(path):
    """Whether this process has `path`, or something in it, open or mapped."""
    path = os.path.abspath(path)
    held = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            held.add(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:
            continue
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        held |= {line.split(maxsplit=5)[5].strip() for line in maps if line.count("/") and len(line.split()) > 5}
    return any(each == path or each.startswith(f"{path}/") for each in held)


def unless_open(real, n_paths):
    def call(*paths, **named):
        for path in paths[:n_paths]:
            if not named and isinstance(path, str | os.PathLike) and is_open(os.fspath(path)):
                raise PermissionError(13, "another process uses the file", str(path))
        return real(*paths, **named)

    return call


real_import = builtins.__import__
builtins.__import__ = import_as_windows
for name, n_paths in {"unlink": 1, "remove": 1, "rmdir": 1, "rename": 2, "replace": 2}.items():
    setattr(os, name, unless_open(getattr(os, name), n_paths))
shutil._use_fd_functions = False
