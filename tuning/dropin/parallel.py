"""What takes joblib's place in a search: a plan of fits, run here, on other cores or on a cluster.

``fit`` of scikit-learn's search hands its calls to a local variable, ``parallel``, of the function that it gives to
``_run_search``. We put ours there: everything before and after, the checks, the table, the choice of the winner and the
refit, stays scikit-learn's own code.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import chain
from typing import Any, Protocol

from joblib import effective_n_jobs
from joblib.parallel import BACKENDS, DEFAULT_BACKEND, get_active_backend
from loky import cpu_count
from sklearn.model_selection._validation import _fit_and_score
from sklearn.utils.parallel import Parallel

from tuning.dropin.calls import Numbered, Outcome, SearchWorkload, in_order, read
from tuning.dropin.fits import Place, ended_fits
from tuning.dropin.run import inside, outcome, run_search_fit
from tuning.fitting import ALONE

_log = logging.getLogger("gridfold")
_SLOT = "parallel"


class Record(Protocol):
    """Is told of a search as it goes on, from the thread that runs it."""

    def scored(self, outcomes: list[Outcome], n_candidates: int, n_folds: int) -> None:
        """These have just ended, of a round of so many candidates."""


def is_tracked(track: bool | None) -> bool:
    """Whether a search is to be recorded; with None it is where MLflow is in use, but not inside another's fit."""
    if track is not None:
        return track
    if inside.get() or multiprocessing.parent_process() is not None:
        return False
    if os.environ.get("MLFLOW_TRACKING_URI") or os.environ.get("MLFLOW_RUN_ID"):
        return True
    mlflow = sys.modules.get("mlflow")
    if mlflow is None:
        return False
    return mlflow.active_run() is not None or mlflow.is_tracking_uri_set() or _is_autologged()


def _is_autologged() -> bool:
    """Whether MLflow would log the search by itself; it is not to, since ours says more."""
    autologging = sys.modules.get("mlflow.utils.autologging_utils")
    return autologging is not None and not autologging.autologging_is_disabled("sklearn")


def planned(search: Any, evaluate_candidates: Callable[..., Any], record: Record | None) -> Callable[..., Any]:
    """Return `evaluate_candidates` of scikit-learn's with its calls run by us.

    Parameters
    ----------
    search : object
        One of gridfold's search classes; its ``how_it_ran`` says how it went.
    evaluate_candidates : callable
    record : Record or None
    """
    free = evaluate_candidates.__code__.co_freevars
    if _SLOT not in free or evaluate_candidates.__closure__ is None:
        search.how_it_ran = "scikit-learn's own way: this release hands its calls on otherwise"
        return evaluate_candidates
    slot = evaluate_candidates.__closure__[free.index(_SLOT)]
    theirs = slot.cell_contents
    slot.cell_contents = _Parallel(search, theirs, record)
    return evaluate_candidates


class _Parallel:
    """Takes the calls of each round of one search, and returns what they return."""

    def __init__(self, search: Any, theirs: Callable[..., Any], record: Record | None) -> None:
        self._search = search
        self._theirs = theirs
        self._record = record
        self._n_candidates = 0

    def __call__(self, calls: Iterable[Any]) -> list[Mapping[str, Any]]:
        reason = _why_not(self._search)
        calls = iter(calls)
        first = next(calls, None)
        if first is None:
            return []
        if reason is None and not _is_known(first):
            reason = "these calls are not those of its own search"
        if reason is not None:
            self._say(f"scikit-learn's own way: {reason}")
            return self._own_way(chain([first], calls))
        workload = read(chain([first], calls), self._n_candidates, run_search_fit)
        return self._run(workload)

    def _own_way(self, calls: Iterable[Any]) -> list[Mapping[str, Any]]:
        """Run the calls by joblib, in the order of submission where each is to be told of."""
        if self._record is None:
            found: list[Mapping[str, Any]] = self._theirs(calls)
            return found
        calls = list(calls)
        search, begin = self._search, self._n_candidates
        numbers = [(given["candidate_progress"][0], given["split_progress"][0]) for _, _, given in calls]
        n_candidates, n_folds = (1 + max(each) for each in zip(*numbers, strict=True))
        self._n_candidates += n_candidates
        parallel = Parallel(search.n_jobs, pre_dispatch=search.pre_dispatch, return_as="generator")
        outs = []
        for (candidate, fold), (_, _, given), out in zip(numbers, calls, parallel(calls), strict=True):
            numbered = Numbered(given["parameters"], begin + candidate)
            self._record.scored([outcome(numbered, fold, out, ALONE)], self._n_candidates, n_folds)
            outs.append(out)
        return outs

    def _run(self, workload: SearchWorkload) -> list[Mapping[str, Any]]:
        begin, n_folds = self._n_candidates, len(workload.folds)
        self._n_candidates += len(workload.candidates)
        by_number = {candidate.number: candidate for candidate in workload.candidates}
        outcomes: list[Outcome] = []
        place = Place(self._search.engine, self._search.master, cores(self._search))
        with closing(ended_fits(workload, place, self._say)) as ended:
            for found in ended:
                if raised := [each.raised for each in found if each.raised is not None]:
                    raise raised[0]
                outcomes += found
                if self._record is not None:
                    self._record.scored([_named(each, by_number) for each in found], self._n_candidates, n_folds)
        return in_order(outcomes, n_folds, begin)

    def _say(self, words: str) -> None:
        self._search.how_it_ran = words
        _log.info("%s: %s", type(self._search).__name__, words)


def cores(search: Any) -> int:
    """Return how many fits may run side by side: what `cores` or `n_jobs` says, else all cores.

    Inside a fit of another search, in a worker process and on any thread but the main one, whoever started those has
    divided the cores already.
    """
    if search.cores is not None:
        return int(search.cores)
    n_jobs = search.n_jobs if search.n_jobs is not None else get_active_backend()[1]
    if n_jobs is not None:
        return int(effective_n_jobs(n_jobs))
    is_main = multiprocessing.parent_process() is None and threading.current_thread() is threading.main_thread()
    return int(cpu_count()) if is_main and not inside.get() else 1


def _why_not(search: Any) -> str | None:
    """Say why joblib must run the calls of `search`; None where it need not."""
    parts = [search, search.estimator, *search.estimator.get_params(deep=True).values()]
    if any(getattr(part, "_skl_callbacks", None) for part in parts):
        return "callbacks are set, which follow its own calls"
    if search.engine == "auto" and search.cores is None and search.master is None:
        backend = get_active_backend()[0]
        if type(backend) is not BACKENDS[DEFAULT_BACKEND]:
            return f"joblib's backend {type(backend).__name__} is active"
    return None


def _is_known(call: Any) -> bool:
    function, given, named = call
    known = getattr(function, "function", None) is _fit_and_score and len(given) == 3
    return known and {"train", "test", "parameters", "split_progress", "candidate_progress"} <= set(named)


def _named(outcome: Outcome, by_number: Mapping[int, Numbered]) -> Outcome:
    """Give an outcome that has travelled its candidate's parameters back."""
    assert isinstance(outcome.candidate, Numbered)
    return replace(outcome, candidate=by_number[outcome.candidate.number])
