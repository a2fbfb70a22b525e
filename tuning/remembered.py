"""What a memory knows, in the loop's own terms: scores and proposals in place of addresses and records."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from tuning.cells import Cells, Memory, from_record, to_record
from tuning.plan import Fit
from tuning.results.sweep_result import FoldScore
from tuning.strategies import Proposal


class Remembered:
    """One sweep's cells, as its memory knows them.

    Parameters
    ----------
    memory : Memory
    cells : Cells

    Attributes
    ----------
    waited : float
        Seconds until the memory was open: another command may have been at the same sweep.
    """

    def __init__(self, memory: Memory, cells: Cells) -> None:
        self._memory, self._cells = memory, cells
        begun = time.perf_counter()
        memory.open(cells)
        self.waited = time.perf_counter() - begun

    def begin(self, fit: Fit) -> None:
        """Say that a fit starts in this process."""
        self._memory.begin([*self._cells.of_fit(fit).values()])

    def split(self, proposals: Sequence[Proposal], n_folds: int) -> tuple[list[FoldScore], list[Proposal]]:
        """Return what is known of `proposals`, and what is left of them to be fitted."""
        wanted = [
            (proposal, fold, self._cells.address(proposal.candidate, fold, proposal.rows, proposal.rounds))
            for proposal in proposals
            for fold in (range(n_folds) if proposal.folds is None else proposal.folds)
        ]
        records = self._memory.find([address for _, _, address in wanted])
        known, left = [], dict[int, list[int]]()
        for proposal, fold, address in wanted:
            score = from_record(records[address], proposal.candidate, fold, address) if address in records else None
            if score is None:
                left.setdefault(id(proposal), []).append(fold)
            else:
                known.append(score)
        return known, [replace(each, folds=tuple(left[id(each)])) for each in proposals if id(each) in left]

    def suspects_apart(self, fits: Sequence[Fit]) -> list[Fit]:
        """Take out of `fits` what may have ended an earlier sweep's process, each candidate as a fit of its own."""
        suspects = self._memory.suspects()
        if not suspects:
            return list(fits)
        found = []
        for fit in fits:
            guilty = [each for each, address in self._cells.of_fit(fit).items() if address in suspects]
            others = tuple(each for each in fit.candidates if each not in guilty)
            found += [replace(fit, candidates=others)] if others else []
            found += [replace(fit, candidates=(each,), apart=True) for each in guilty]
        return found

    def keep(self, fit: Fit, scores: Sequence[FoldScore]) -> list[FoldScore]:
        """Remember what a fit has scored, and return it with the addresses."""
        addresses = self._cells.of_fit(fit)
        kept = [replace(score, cell=addresses[score.candidate]) for score in scores]
        self._memory.keep({each.cell: to_record(each) for each in kept}, [each.cell for each in kept if each.lost])
        return kept
