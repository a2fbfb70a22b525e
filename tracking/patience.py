"""Waiting for a store that is away: with pauses of our own, in the open, and never doing a thing twice.

MLflow's client repeats a failed request by itself: for up to seven minutes, in silence, deaf to Ctrl-C, and blindly, so
that a run whose making was answered by a lost line is made again. We let it try once (``own_waits``) and wait here:
each pause can be interrupted, one line on the terminal says when an outage begins and one when it ends, and before a
run, a model or a version is made again, we look for the one that may be there. Metrics are safe to send again as long
as they carry the time of the first sending, since that is part of their key.

How long is waited depends on what is lost by giving up: nothing before the first fit (``OPENING``), and nothing ever
while fits go on, for whom a thread waits; afterwards as long as the person allows (``-P record_wait``).
"""

from __future__ import annotations

import math
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Any, TypeVar

from mlflow.store.db import utils

from errors import StoreAwayError
from tracking.faults import Fault, fault_of

RUNS, ARTIFACTS, REGISTRY = "runs", "artifact store", "model registry"
OPENING = 10.0
WAIT = 300.0
LEAVING = 3.0
FOR_EVER = math.inf
_QUIET = 2.0  # shorter outages are not worth a line
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_ASK_AGAIN = 60.0  # how often a store that was given up is asked whether it is back
_TIMEOUT, _LONGEST_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT", 300
_OURS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", _TIMEOUT: "30"}

Answer = TypeVar("Answer")


def own_waits() -> None:
    """Let MLflow's client in this process try each request once, and not for long, unless the environment says more."""
    for name, value in _OURS.items():
        os.environ.setdefault(name, value)
    utils.MAX_RETRY_COUNT = 1  # of opening a database, in silence for 100 s


@dataclass
class _Outage:
    """Of one service: since when, whether it was announced and given up, and when it was last asked."""

    began: float | None = None
    announced: bool = False
    gave_up: StoreAwayError | None = None
    asked_at: float = -math.inf


class Patience:
    """How long the faults of one store are waited for, by every thread that talks to it.

    A store is up to three services: runs, artifacts and the registry may be in three places, of which one may be away.

    Parameters
    ----------
    store : str
        What to call that of the runs: ``the tracking server``.
    seconds : float
        How long an outage may last before ``until_done`` gives up.
    tell : callable
        Takes the lines for the terminal.

    Attributes
    ----------
    store : str
    kept : str
        Where that which cannot be recorded now is kept meanwhile.
    """

    def __init__(self, store: str, seconds: float = OPENING, tell: Callable[[str], None] | None = None) -> None:
        self.store = store
        self._tell = tell or _print
        self._condition = Condition()
        self._seconds = seconds
        self._allowed_at = -math.inf
        self._leaving = False
        self._terms = 0
        self._outages: defaultdict[str, _Outage] = defaultdict(_Outage)
        self.kept = "memory"

    def allow(self, seconds: float) -> None:
        """Wait at most `seconds` for a fault from now on; what has been waited for one so far does not count."""
        with self._condition:
            if not self._leaving:
                self._change_terms(seconds)

    def leave(self, seconds: float = LEAVING) -> None:
        """Someone wants the process to end: finish what can be finished within `seconds`, all in all."""
        with self._condition:
            self._leaving = True
            self._change_terms(seconds)

    @property
    def given_up(self) -> StoreAwayError | None:
        """Why a part of the store is not waited for any more; None where there is none such."""
        return next(filter(None, (outage.gave_up for outage in self._outages.values())), None)

    def tell(self, line: str) -> None:
        """Show a line on the terminal."""
        self._tell(line)

    def until_done(
        self, call: Callable[[], Answer], again: Callable[[], Answer] | None = None, service: str = RUNS
    ) -> Answer:
        """Return what `call` returns, waiting for faults that may pass.

        Parameters
        ----------
        call : callable
        again : callable, optional
            Tried in place of `call` after the first fault; the answer may have been lost, and the thing done.
        service : str
            ``RUNS``, ``ARTIFACTS`` or ``REGISTRY``.

        Raises
        ------
        StoreAwayError
            The fault has lasted longer than is allowed.
        Exception
            What `call` raises, if it is no fault that may pass.
        """
        pause = _FIRST_PAUSE
        while True:
            for asked in dict.fromkeys((RUNS, service)):  # without the runs the others are of no use
                self._raise_if_given_up(self._outages[asked])
            try:
                answer = self._interruptibly(call)
            except Exception as error:
                fault = fault_of(error)
                if fault is None or not fault.passes:
                    raise
                self._wait(service, fault, pause, error)
            else:
                self._answered(service)
                return answer
            call, pause = again or call, min(2 * pause, _LONGEST_PAUSE)

    def _interruptibly(self, call: Callable[[], Answer]) -> Answer:
        """Call in a thread that can be left to itself: a locked database or a silent server would hold us for long."""
        ended: list[tuple[Any, BaseException | None]] = []
        context = copy_context()

        def run() -> None:
            outcome = _outcome(lambda: context.run(call))
            with self._condition:
                ended.append(outcome)
                self._condition.notify_all()

        Thread(target=run, name="store-request", daemon=True).start()
        with self._condition:
            while not ended:
                left = self._until(self._allowed_at) - time.monotonic() if self._leaving else None
                if left is not None and left <= 0:
                    raise TimeoutError("timed out")
                self._condition.wait(left)
        answer, error = ended[0]
        if error is not None:
            raise error
        return answer  # type: ignore[no-any-return]

    def _until(self, began: float) -> float:
        return (self._allowed_at if self._leaving else max(began, self._allowed_at)) + self._seconds

    def _change_terms(self, seconds: float) -> None:
        self._seconds, self._allowed_at = seconds, time.monotonic()
        self._terms += 1
        for outage in self._outages.values():
            outage.gave_up = None
        self._condition.notify_all()

    def _wait(self, service: str, fault: Fault, pause: float, error: Exception) -> None:
        """Wait for a pause's time, or give up."""
        if fault.timed_out:
            _allow_slower_answers()
        store = self.store if service == RUNS else f"the {service}"
        with self._condition:
            outage, now = self._outages[service], time.monotonic()
            began = outage.began = now if outage.began is None else outage.began
            if now >= self._until(began):
                waited = f"{store} {fault.said}, and was waited for {now - began:.0f} s. {fault.cure}"
                outage.asked_at, outage.gave_up = now, StoreAwayError(waited)
                raise outage.gave_up from error
            if not outage.announced and now - began >= _QUIET:
                outage.announced = True
                self._tell(f"{store} {fault.said}; {self._meanwhile()}")
            terms, until = self._terms, now + min(self._until(began) - now, pause * random.uniform(0.5, 1.0))
            while self._terms == terms and (left := until - time.monotonic()) > 0:
                self._condition.wait(left)  # other threads' answers wake us too

    def _meanwhile(self) -> str:
        if self._seconds == FOR_EVER:
            return f"fits go on, what is done is kept in {self.kept}"
        return f"waiting up to {self._seconds:.0f} s for it"

    def _answered(self, service: str) -> None:
        outage = self._outages[service]
        if outage.began is None:
            return
        with self._condition:
            if outage.announced:
                store = self.store if service == RUNS else f"the {service}"
                self._tell(f"{store} answers again, after {time.monotonic() - outage.began:.0f} s")
            outage.began, outage.announced, outage.gave_up = None, False, None

    def _raise_if_given_up(self, outage: _Outage) -> None:
        with self._condition:
            if outage.gave_up is not None and (self._leaving or time.monotonic() - outage.asked_at < _ASK_AGAIN):
                raise outage.gave_up


def _allow_slower_answers() -> None:
    """Double the time that a request may take, if the limit is ours: a large model may need longer than most."""
    seconds = int(os.environ.get(_TIMEOUT, _LONGEST_TIMEOUT))
    if os.environ.get("MLFLOW_HTTP_REQUEST_MAX_RETRIES") == "0":
        os.environ[_TIMEOUT] = str(min(2 * seconds, _LONGEST_TIMEOUT))


def _outcome(call: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return call(), None
    except BaseException as error:  # raised where it is waited for
        return None, error


def _print(line: str) -> None:
    print(f"record   {line}", file=sys.stderr, flush=True)
