"""The job's command: run in this process where it is a module of Python's, else by a shell.

``python -m MODULE ARGUMENTS`` runs in the driver's own process and not in one of its own, because the way to the
cluster's Spark (its gateway, its session) belongs to this process.
"""

from __future__ import annotations

import os
import re
import runpy
import shlex
import signal
import subprocess
import sys
from contextlib import suppress

_SECONDS_TO_END = 20


def execute(command: str) -> int:
    """Run the command, in this process if it is a module of Python's; return its exit code."""
    words = module_of(command)
    if not words:
        return _in_a_shell(command)
    sys.argv = words
    os.environ["GRIDFOLD_HOSTED"] = "true"  # what is left to do after it is done by us
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def module_of(command: str) -> list[str]:
    """Return module and arguments of ``python -m MODULE ARGUMENTS``; empty for what only a shell can run."""
    for word in shlex.shlex(command, posix=True, punctuation_chars=True):
        if word and set(word) <= set("();<>|&"):
            return []
    words = shlex.split(command)
    return words[2:] if len(words) > 2 and re.fullmatch(r"python[0-9.]*", words[0]) and words[1] == "-m" else []


def exit_code(returned: int) -> int:
    """Return what a shell calls a process's end: 128 and the number for a signal."""
    return returned if returned >= 0 else 128 - returned


def _in_a_shell(command: str) -> int:
    if sys.platform == "win32":
        raise NotImplementedError("only the user's side may be Windows")
    job = subprocess.Popen(["bash", "-c", command], start_new_session=True)
    try:
        return exit_code(job.wait())
    except KeyboardInterrupt:
        os.killpg(job.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            job.wait(_SECONDS_TO_END)
        raise
