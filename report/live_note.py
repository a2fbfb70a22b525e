"""The note of a sweep that goes on: written when it begins and rewritten as it goes, never more often than needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from report.note import Places, running_note
from tuning.candidates import Candidate
from tuning.results.failures import reasons
from tuning.results.fold_score import FoldScore
from tuning.results.standings import Standings
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec

SECONDS = 5.0
"""Between two notes: who reloads the page sees news, and the store is not bothered more than by a few folds."""

_LAST_SECONDS = 1.0  # for a note that is being written when the sweep is broken off


class LiveNote:
    """Observes one sweep; use it as a ``with`` block around it. It has nothing to say once the sweep has ended.

    Thread
        Notes are composed and written on a thread of its own. What `write` or `find` raises is passed over: a note is
        worth less than the sweep, and the record of the candidates says soon enough that a store is away.

    Parameters
    ----------
    write : callable
        Takes the note, and whether it holds a candidate's score yet.
    find : callable
        Gives the address of a candidate's run, empty where it has none yet.
    places : Places
    seconds : float
        The least time between two notes.
    """

    def __init__(
        self,
        write: Callable[[str, bool], None],
        find: Callable[[Candidate], str],
        places: Places,
        seconds: float = SECONDS,
    ) -> None:
        self._write, self._find, self._places, self._seconds = write, find, places, seconds
        self._table, self._lock = Standings(), Lock()
        self._news, self._over = Event(), Event()
        self._thread: Thread | None = None

    def started(self, spec: SweepSpec, n_candidates: int | None, n_folds: int) -> None:
        """Write the first note, and go on."""
        self._spec, self._n_candidates, self._n_folds = spec, n_candidates, n_folds
        self._news.set()
        self._thread = Thread(target=self._write_until_over, name="live-note", daemon=True)
        self._thread.start()

    def scored(self, scores: list[FoldScore]) -> None:
        """Take in scores."""
        with self._lock:
            self._table.expect([score.candidate for score in scores])
            self._table.add(scores)
        self._news.set()

    def ended(self, result: SweepResult) -> None:
        """Leave the note to whoever writes the last one: when this returns, nothing is being written any more."""
        self._stop(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop(_LAST_SECONDS)

    def _stop(self, seconds: float | None) -> None:
        self._over.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def _write_until_over(self) -> None:
        while True:
            self._news.wait()
            if self._over.is_set():
                return
            self._news.clear()
            try:
                self._compose()
            except Exception:  # said above
                self._news.set()
            self._over.wait(self._seconds)

    def _compose(self) -> None:
        with self._lock:
            table = self._table.settled()
        spec = self._spec
        scores = table.fold_scores()
        result = SweepResult(
            table.candidates, scores, self._n_folds, spec.scorers, spec.refit_scorer, 0, 0.0, table.rounds
        )
        self._write(running_note(spec, result, self._n_candidates, self._with_failed(result)), bool(scores))

    def _with_failed(self, result: SweepResult) -> Places:
        """Add the run of one candidate for each reason of failure; one that has been found is not sought again."""
        known = dict(self._places.failed)
        for reason in reasons(result):
            first = reason.candidates[0]
            if first not in known and (address := self._find(first)):
                known[first] = address
        self._places = replace(self._places, failed=known)
        return self._places
