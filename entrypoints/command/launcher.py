"""The ``mlflow run`` that has started this process: what was typed, and whether it lives."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from entrypoints.command.waking import PARENT

_SHELLS = ("bash", "sh", "dash", "cmd")
_ONE_COMMAND = {"-c", "/c"}  # of a shell, which ends with it
_INIT = 1


@dataclass(frozen=True)
class Launcher:
    """The processes between a person's shell and this one.

    Attributes
    ----------
    chain : tuple of psutil.Process
        The parent, and where that is a shell of MLflow's own (which activates an environment) the parent of that.
    """

    chain: tuple[psutil.Process, ...]

    @classmethod
    def of_this_process(cls) -> Self | None:
        """Return it; None where MLflow did not start this process, or nothing can be told of who did."""
        if not os.environ.get("MLFLOW_RUN_ID"):
            return None
        if os.getppid() != PARENT:  # it has ended while we were still loading the libraries
            return cls(())
        try:
            chain = [psutil.Process(os.getppid())]
            if Path(chain[0].name()).stem in _SHELLS:
                above = chain[0].parent()
                if above is None or not _ONE_COMMAND & {*chain[0].cmdline()}:
                    return None  # a script of somebody's, which may end before we do
                chain.append(above)
        except psutil.Error:
            return None
        return None if _INIT in [each.pid for each in chain] else cls(tuple(chain))

    def lives(self) -> bool:
        """Whether all of them do, and are still above us."""
        if not self.chain or os.getppid() != self.chain[0].pid:
            return False
        try:
            return all(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in self.chain)
        except psutil.Error:
            return False

    def typed(self) -> str | None:
        """Return the command that was typed, as a shell takes it; None where no ``mlflow run`` is among them."""
        for each in self.chain:
            try:
                words = each.cmdline()
            except psutil.Error:
                continue
            if (command := _mlflow_run(words)) is not None:
                return command
        return None


def _mlflow_run(words: Sequence[str]) -> str | None:
    for place, word in enumerate(words[:-1]):
        if Path(word).stem == "mlflow" and words[place + 1] == "run":
            return _joined(["mlflow", *words[place + 1 :]])
    return None


def _joined(words: Sequence[str]) -> str:
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def typed() -> str | None:
    """Return the command that was typed to start this process; None where it came from another machine or program."""
    if os.environ.get("MLFLOW_RUN_ID"):
        launcher = Launcher.of_this_process()
        return launcher.typed() if launcher else None
    return _joined(["python", *sys.orig_argv[1:]]) if "-m" in sys.orig_argv else None
