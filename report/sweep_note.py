"""The note of one sweep from its first second to its last, wherever it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from report.live_note import LiveNote
from report.note import Places, note, nothing_yet, running_note
from tuning.candidates import Candidate
from tuning.linting import Finding, findings
from tuning.results.failures import reasons
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec

_SHOWN = {"candidates": "How far each candidate is behind the winner", "parameters": "What each parameter does"}
_PLOTS = "plots"


class Pages(Protocol):
    """Where the note is kept, and where that is what it points to; empty where there is no such page."""

    charts: str
    sweeps: str
    findings: str

    def set_note(self, markdown: str, lasting: bool = True) -> None:
        """Keep a note; one that is `lasting` is worth keeping if the sweep fails."""

    def candidate(self, candidate: Candidate) -> str:
        """Address of a candidate's run."""

    def picture(self, path: str) -> str:
        """Address of a picture among the run's files."""

    def artifact(self, path: str) -> str:
        """Address of the page that shows a file of the run."""


class SweepNote:
    """Writes the note.

    Parameters
    ----------
    pages : Pages
    spec : SweepSpec
    """

    def __init__(self, pages: Pages, spec: SweepSpec) -> None:
        self._pages, self._spec = pages, spec

    def begin(self, n_candidates: int | None) -> None:
        """Write it for a sweep whose rows are still being made ready."""
        self._pages.set_note(running_note(self._spec, nothing_yet(self._spec), n_candidates, self._places()), False)

    def live(self) -> LiveNote:
        """Return what writes it while the sweep goes on."""
        return LiveNote(self._pages.set_note, self._pages.candidate, self._places())

    def write(
        self,
        result: SweepResult,
        holdout: Mapping[str, float] = {},
        trained: Mapping[str, float] = {},
        pictures: Sequence[str] = (),
        page: str = "",
        then: Sequence[str] = (),
        audited: Sequence[Finding] = (),
    ) -> None:
        """Write it for a sweep that has ended.

        Parameters
        ----------
        result : SweepResult
        holdout, trained : mapping of str to float
            The refitted winner's score by scorer on rows that no fold saw, and on rows that it has learned from.
        pictures : sequence of str
            Names of those that the run has kept.
        page : str
            The file that is the report.
        then : sequence of str
            What may be done with the winner, in Markdown, a sentence each.
        audited : sequence of Finding
            What was found in the rows before the first fit.
        """
        kept = {words: f"{_PLOTS}/{name}.png" for name, words in _SHOWN.items() if name in pictures}
        shown = {words: self._pages.picture(path) for words, path in kept.items()}
        first = [reason.candidates[0] for reason in reasons(result)]
        failed = {each: address for each in first if (address := self._pages.candidate(each))}
        places = self._places(self._pages.artifact(page) if page else "", shown, failed)
        found = [*audited, *findings(self._spec, result, trained)]
        self._pages.set_note(note(self._spec, result, holdout, found, places, then))

    def _places(self, page: str = "", pictures: Mapping[str, str] = {}, failed: Mapping[Candidate, str] = {}) -> Places:
        pages = self._pages
        return Places(pages.charts, pages.sweeps, page, pages.findings, pictures, failed)
