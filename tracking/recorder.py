"""The live record of a sweep: an observer that keeps one child run per candidate while the sweep goes on.

The writing is done on one thread of the recorder's own, so that a slow store never holds back a fit. It waits half a
second after the first news and then writes all that has come meanwhile, each candidate once: a fold is visible well
within two seconds, and a candidate whose folds come in one go costs one batch. A store that is away is waited for,
while fits go on and their scores queue. We do not use MLflow's asynchronous mode: it queues every value by itself, was
measured slower than plain synchronous calls, and drops what a store refuses.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Self

from errors import TrackingError
from tracking import store
from tracking.children import ChildRuns
from tracking.client import delete_doubles
from tracking.patience import FOR_EVER, LEAVING, WAIT
from tracking.runs import EntryRun
from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec

LINGER_SECONDS = 0.5


class SweepRecorder:
    """Observes one sweep and keeps its child runs; use it as a ``with`` block around the sweep.

    Leaving the block before the sweep has ended closes every open child: KILLED on an interrupt, else FAILED.

    Thread
        Everything is written by one thread of the recorder's own. ``started`` and ``scored`` only queue; ``ended``
        returns when all is written. Memory holds the scores not written yet and one run id per candidate.
    Faults
        While fits go on, a fault that may pass is waited for without end, from ``ended`` on for `wait` seconds. What
        the store refuses for good is raised as TrackingError by the next call.

    Parameters
    ----------
    parent : EntryRun
        The sweep's own run. Its metric ``best_<scorer>`` follows the sweep, with the number of candidates as step.
    wait : float
    """

    def __init__(self, parent: EntryRun, wait: float = WAIT) -> None:
        self._parent = parent
        self._wait = wait
        self._queue: SimpleQueue[list[FoldScore] | SweepResult | str] = SimpleQueue()
        self._thread: Thread | None = None
        self._refused: TrackingError | None = None
        self._n_complete = 0
        self._best = -math.inf

    def started(self, spec: SweepSpec, n_candidates: int | None, n_folds: int) -> None:
        """Open the record of a sweep."""
        self.begin(spec.fixed, spec.scorers, spec.refit_scorer, n_folds, spec.early_stopping is not None)

    def begin(
        self,
        fixed: Mapping[str, Any],
        scorers: Sequence[str],
        refit_scorer: str,
        n_folds: int,
        settles: bool = False,
    ) -> None:
        """Open the record of a search that need not have a spec; `settles` as ``ChildRuns`` has it."""
        self._children = ChildRuns(self._parent, fixed, scorers, n_folds, settles)
        self._scorer = refit_scorer
        self._parent.patience.allow(FOR_EVER)
        self._thread = Thread(target=self._write_until_told, name="sweep-recorder", daemon=True)
        self._thread.start()

    def scored(self, scores: list[FoldScore]) -> None:
        """Queue these scores."""
        self._raise_if_refused()
        self._queue.put(scores)

    def ended(self, result: SweepResult) -> None:
        """Write what is queued, then the ranks."""
        self._parent.patience.allow(self._wait)
        self._tell_last(result)
        self._raise_if_refused()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._thread is None:
            return
        unwritten, failed = self._thread.is_alive(), isinstance(error, Exception)
        if error is not None and not failed:
            self._parent.patience.leave(LEAVING)
        elif unwritten:
            self._parent.patience.allow(self._wait)
        if unwritten:
            self._tell_last("FAILED" if failed else "KILLED", None if failed else LEAVING + 1)
        else:  # it has written all, or was refused
            self._children.close("FAILED" if failed else "KILLED")

    def _tell_last(self, last: SweepResult | str, seconds: float | None = None) -> None:
        """Hand over what ends the record, and wait until all is written."""
        if self._thread is not None:
            self._queue.put(last)
            self._thread.join(seconds)

    def _raise_if_refused(self) -> None:
        if self._refused is not None:
            raise self._refused

    def _write_until_told(self) -> None:
        """Write batches until told to stop or refused; what comes after a refusal is dropped, for the sweep ends."""
        try:
            last: SweepResult | str | None = None
            while last is None:
                scores, last = self._gather()
                with store.refusals("record the candidates' runs"):
                    self._write(scores)
            with store.refusals("log the candidates' ranks"):
                self._conclude(last)
        except TrackingError as error:
            self._refused = error
        except Exception as error:
            self._refused = TrackingError(f"the candidates' runs could not be recorded ({error!r}).")
            self._refused.__cause__ = error

    def _gather(self) -> tuple[list[FoldScore], SweepResult | str | None]:
        """Wait for news, then for what follows within half a second, and for what ends the record if that is there."""
        gathered: list[FoldScore] = []
        until: float | None = None
        while True:
            try:
                item = self._queue.get(timeout=None if until is None else max(0.0, until - time.monotonic()))
            except Empty:
                return gathered, None
            if not isinstance(item, list):
                return gathered, item
            gathered += item
            until = until or time.monotonic() + LINGER_SECONDS

    def _conclude(self, last: SweepResult | str) -> None:
        if isinstance(last, SweepResult):
            self._children.conclude(last)
        else:
            self._children.close(last)
        delete_doubles(self._parent.client)

    def _write(self, scores: list[FoldScore]) -> None:
        by_candidate: dict[Candidate, list[FoldScore]] = {}
        for score in scores:
            by_candidate.setdefault(score.candidate, []).append(score)
        before = self._best
        for candidate, news in by_candidate.items():
            means = self._children.record(candidate, news)
            if means is not None:
                self._n_complete += 1
                self._best = max(self._best, means.get(self._scorer, -math.inf))
        if self._best > before:
            self._parent.log_metrics({f"best_{self._scorer}": self._best}, step=self._n_complete)
