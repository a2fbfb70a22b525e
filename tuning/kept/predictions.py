"""Out-of-fold predictions on disk: a file for each cell, under the cell's address, beside the journal.

A prediction leaves memory as soon as its fit has ended. Where only the winner's are wanted, a candidate that has been
judged on every fold and is behind another takes its files with it, so that little more than two candidates' lie there
at any time under the rule ``best``; another rule may choose any of them, and they stay until it has. Files that an
earlier sweep has written are used and never removed: it may have been asked to keep them.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cache.locks import open_plain
from tuning.candidates import Candidate
from tuning.folds import Fold
from tuning.kept.responses import METHODS, Keeps, Responses
from tuning.results.fold_score import FoldScore
from tuning.spec.refit import RefitSpec

if TYPE_CHECKING:
    from tuning.cells import Cells

FOLDER = "predictions"
_CLASSES = "classes"
_TIE = 1e-9  # of the best mean: a candidate so near to it may still be the winner


@dataclass(frozen=True)
class _Judged:
    mean: float
    cells: Sequence[str]


class KeptPredictions:
    """The predictions of one sweep's cells.

    Parameters
    ----------
    root : Path
        A folder; made on first use. Files lie in a folder of the rows' own in it.
    all_of_them : bool
        Whether every complete candidate's are kept, or the winner's alone.

    Attributes
    ----------
    why_not : str
        Why some are missing, in a clause; empty where none is known to be.
    folds : sequence of Fold
        Of the sweep.
    cells : mapping of Candidate to sequence of str
        Whose predictions are here once the sweep has ended, and under which addresses, in the order of the folds.
    """

    def __init__(self, root: Path, all_of_them: bool = False) -> None:
        self._root = root
        self.all_of_them = all_of_them
        self.why_not = ""
        self.folds: Sequence[Fold] = ()
        self.cells: Mapping[Candidate, Sequence[str]] = {}
        self._written: set[str] = set()
        self._judged: dict[Candidate, dict[int, FoldScore]] = {}
        self._standing: dict[Candidate, _Judged] = {}

    @property
    def keeps(self) -> Keeps:
        """What a fit is to note."""
        return "all" if self.all_of_them else "seen"

    def open(self, cells: Cells, folds: Sequence[Fold], scorer: str, rule: RefitSpec) -> None:
        """A sweep over `folds` begins, whose winner `rule` chooses by `scorer`."""
        self._folder = self._root / cells.ground
        self.folds, self._scorer, self._rule = folds, scorer, rule

    def has(self, address: str) -> bool:
        """Whether the predictions of a cell are there."""
        return self._file(address).is_file()

    def find(self, address: str) -> Responses | None:
        """Return the predictions of a cell; None where there are none that can be read."""
        try:
            with os.fdopen(open_plain(self._file(address), os.O_RDONLY), "rb") as file:
                values = dict(np.load(file, allow_pickle=False))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return Responses(values, values.pop(_CLASSES, None)) if set(values) & set(METHODS) else None

    def put(self, scores: Sequence[FoldScore]) -> list[FoldScore]:
        """Write down what `scores` bring with them, and return them without it."""
        for score in scores:
            if score.responses is not None:
                self.write(score.cell, score.responses)
            elif self.all_of_them and not score.error and score.share == 1.0:
                self.note(score.unkept)
        light = [replace(score, responses=None) for score in scores]
        self.seen(light)
        return light

    def note(self, why_not: str) -> None:
        """Note why predictions are missing; the first reason stands."""
        self.why_not = self.why_not or why_not

    def seen(self, scores: Iterable[FoldScore]) -> None:
        """Let go of what cannot win any more, as these scores say."""
        if self.all_of_them or self._rule.rule != "best":
            return
        for score in scores:
            folds = self._judged.setdefault(score.candidate, {})
            folds[score.fold] = score
            if len(folds) == len(self.folds) and all(each.share == 1.0 for each in folds.values()):
                self._compare(score.candidate)

    def _compare(self, candidate: Candidate) -> None:
        folds = self._judged.pop(candidate).values()
        mean = math.fsum(score.scores.get(self._scorer, math.nan) for score in folds) / len(self.folds)
        self._standing[candidate] = _Judged(mean, [score.cell for score in folds])
        best = max((each.mean for each in self._standing.values() if math.isfinite(each.mean)), default=-math.inf)
        for each, judged in list(self._standing.items()):
            if not judged.mean >= best - _TIE * abs(best):
                self._remove(self._standing.pop(each).cells)

    def settle(self, cells: Mapping[Candidate, Sequence[str]]) -> None:
        """The sweep has ended, and `cells` are what is wanted of it: unless all is kept, the rest is removed."""
        self.cells = {each: all_its for each, all_its in cells.items() if all(map(self.has, all_its))}
        if not self.all_of_them:
            self._remove(self._written.difference(*cells.values()))

    def write(self, address: str, responses: Responses) -> None:
        """Write down the predictions of a cell."""
        file = self._file(address)
        unfinished = file.with_name(f".{file.name}.{os.getpid()}")
        arrays: dict[str, Any] = dict(responses.values)
        if responses.classes is not None:
            arrays[_CLASSES] = responses.classes
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as opened:
                np.savez(opened, **arrays)
            unfinished.replace(file)
            self._written.add(address)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()
            self.note(f"{file.parent} could not be written ({error.strerror})")

    def _remove(self, addresses: Iterable[str]) -> None:
        for address in list(addresses):
            if address in self._written:
                self._written.discard(address)
                with suppress(OSError):
                    self._file(address).unlink()

    def _file(self, address: str) -> Path:
        return self._folder / f"{address}.npz"
