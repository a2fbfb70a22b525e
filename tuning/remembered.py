"""What a memory knows, in the loop's own terms: scores and proposals in place of addresses and records."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from tuning.cells import Cells, Memory, from_record, to_record
from tuning.kept.predictions import KeptPredictions
from tuning.plan import Fit
from tuning.results.fold_score import FoldScore
from tuning.strategies import Proposal


class NothingKnown:
    """The cells of a sweep that has no memory: none is known, and what is fitted is not written down.

    Attributes
    ----------
    waited : float
        Seconds until the memory was open: another command may have been at the same sweep.
    begin : callable or None
        Wants to hear of each fit that starts in this process.
    """

    waited = 0.0
    begin: Callable[[Fit], None] | None = None

    def split(self, proposals: Sequence[Proposal], n_folds: int) -> tuple[list[FoldScore], Sequence[Proposal]]:
        """Return what is known of `proposals`, and what is left of them to be fitted."""
        return [], proposals

    def known_of(self, fits: Sequence[Fit]) -> Sequence[FoldScore | None]:
        """Return what is known of each of `fits`, which have one candidate."""
        return [None] * len(fits)

    def noting(self, fit: Fit) -> Fit:
        """Let a fit on all rows and rounds bring back what is to be kept of its predictions."""
        return fit

    def suspects_apart(self, fits: Sequence[Fit]) -> Sequence[Fit]:
        """Take out of `fits` what may have ended an earlier sweep's process, each candidate as a fit of its own."""
        return fits

    def keep(self, fit: Fit, scores: list[FoldScore]) -> list[FoldScore]:
        """Remember what a fit has scored, and return it with the addresses."""
        return scores


class Remembered(NothingKnown):
    """One sweep's cells, as its memory knows them.

    Parameters
    ----------
    memory : Memory
    cells : Cells
    predictions : KeptPredictions or None
        Keeps what models have predicted; opened.
    """

    def __init__(self, memory: Memory, cells: Cells, predictions: KeptPredictions | None = None) -> None:
        self._memory, self._cells, self._predictions = memory, cells, predictions
        begun = time.perf_counter()
        memory.open(cells)
        self.waited = time.perf_counter() - begun
        self.begin = lambda fit: memory.begin([*cells.of_fit(fit).values()])

    def split(self, proposals: Sequence[Proposal], n_folds: int) -> tuple[list[FoldScore], Sequence[Proposal]]:
        """Look up every cell of `proposals`."""
        wanted = [
            (proposal, fold, self._cells.address(proposal.candidate, fold, proposal.rows, proposal.rounds))
            for proposal in proposals
            for fold in (range(n_folds) if proposal.folds is None else proposal.folds)
        ]
        records = self._memory.find([address for _, _, address in wanted])
        known, left = [], dict[int, list[int]]()
        for proposal, fold, address in wanted:
            score = from_record(records[address], proposal.candidate, fold, address) if address in records else None
            if score is None or self._lacks_predictions(score):
                left.setdefault(id(proposal), []).append(fold)
            else:
                known.append(score)
        if self._predictions is not None:
            self._predictions.seen(known)
        return known, [replace(each, folds=tuple(left[id(each)])) for each in proposals if id(each) in left]

    def known_of(self, fits: Sequence[Fit]) -> Sequence[FoldScore | None]:
        """Look up the cell of each fit."""
        wanted = [(fit, self._cells.of_fit(fit)[fit.candidates[0]]) for fit in fits]
        records = self._memory.find([address for _, address in wanted])
        return [
            from_record(records[address], fit.candidates[0], fit.fold, address) if address in records else None
            for fit, address in wanted
        ]

    def _lacks_predictions(self, score: FoldScore) -> bool:
        """Whether every candidate's predictions are to be kept, and those of this cell are not: it is fitted again."""
        kept = self._predictions
        if kept is None or not kept.all_of_them or score.error or score.share != 1.0:
            return False
        return not kept.has(score.cell)

    def noting(self, fit: Fit) -> Fit:
        """Say in `fit` what is to be kept."""
        whole = fit.rows == fit.rounds == 1.0
        return fit if self._predictions is None or not whole else replace(fit, keeps=self._predictions.keeps)

    def suspects_apart(self, fits: Sequence[Fit]) -> Sequence[Fit]:
        """Ask the memory for suspects, and part them from the others."""
        suspects = self._memory.suspects()
        if not suspects:
            return fits
        found = []
        for fit in fits:
            guilty = [each for each, address in self._cells.of_fit(fit).items() if address in suspects]
            others = tuple(each for each in fit.candidates if each not in guilty)
            found += [replace(fit, candidates=others)] if others else []
            found += [replace(fit, candidates=(each,), apart=True) for each in guilty]
        return found

    def keep(self, fit: Fit, scores: list[FoldScore]) -> list[FoldScore]:
        """Write records, and the predictions of a fit that has been asked for them: its candidates are the sweep's."""
        addresses = self._cells.of_fit(fit)
        kept = [replace(score, cell=addresses[score.candidate]) for score in scores]
        self._memory.keep({each.cell: to_record(each) for each in kept}, [each.cell for each in kept if each.lost])
        return kept if self._predictions is None or fit.keeps == "nothing" else self._predictions.put(kept)
