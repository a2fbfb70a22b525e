"""Run one fit of a scikit-learn search, in whatever process it has come to."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from contextvars import ContextVar
from numbers import Number
from typing import Any

from sklearn import config_context
from sklearn.base import clone

from tuning.candidates import Candidate
from tuning.control import UNATTENDED, Control
from tuning.dropin.calls import Numbered, Outcome, SearchWorkload
from tuning.dropin.plan import is_shared, search_groups
from tuning.fitting import ALONE
from tuning.grouping import Group
from tuning.learners.keeper import FoldKeeper, KeptRows
from tuning.plan import Fit
from tuning.spec.estimators import hold_to_threads

inside: ContextVar[bool] = ContextVar("inside", default=False)
"""Whether this is a fit of some search: one that it makes of its own takes no more cores, and is not recorded."""


def run_search_fit(
    workload: SearchWorkload, fit: Fit, keeper: FoldKeeper, control: Control = UNATTENDED
) -> list[Outcome]:
    """Fit and score the candidates of one fit; see ``tuning.fitting.run_fit``."""
    parameters = workload.asked.parameters  # candidates have come without theirs
    numbers = [each.number for each in fit.candidates if isinstance(each, Numbered)]
    candidates = [Numbered(parameters[number], number) for number in numbers]
    within = inside.set(True)
    try:
        found: list[Outcome] = []
        for group in search_groups(workload, candidates, None if workload.keeps_threads else fit.threads):
            found += _outcomes(workload, fit, group, keeper.rows(fit, control))
        return found
    finally:
        inside.reset(within)


def _outcomes(workload: SearchWorkload, fit: Fit, group: Group, rows: KeptRows) -> list[Outcome]:
    """Fit the group at once; where that fails, or it shares nothing, each candidate by scikit-learn's own function."""
    if is_shared(group):
        try:
            with config_context(**getattr(workload.asked.function, "config", {})):
                return list(_shared(workload, fit, group, rows))
        except CancelledError:
            raise
        except Exception:  # whose failure it is, and in what words, the plain way will say
            pass
    return [_plain(workload, fit, candidate) for candidate in group.candidates if isinstance(candidate, Numbered)]


def _shared(workload: SearchWorkload, fit: Fit, group: Group, rows: KeptRows) -> Iterator[Outcome]:
    learner = group.learner
    for estimator in group.estimators:
        if not workload.keeps_threads:
            learner.with_threads(estimator, fit.threads)
        if fit.device is not None:
            learner.on_device(estimator, fit.device)
    fitted = learner.fit(group.whole, rows)
    for candidate, estimator in zip(group.candidates, group.estimators, strict=True):
        model, test = learner.cut(fitted, estimator), learner.judged_on(estimator, rows)
        weights = {} if "sample_weight" not in _score_params(workload) else {"sample_weight": test.sample_weight}
        begun = time.perf_counter()
        scores = _numbers(workload.asked.common["scorer"](model, test.X, test.labels, **weights))
        seconds = time.perf_counter() - begun
        words = "; ".join([*group.reasons, *fitted.shared]) or ALONE
        out = {
            "fit_error": None,
            "test_scores": scores,
            "n_test_samples": len(workload.folds[fit.fold].test),
            "fit_time": learner.seconds(fitted, estimator),
            "score_time": seconds,
        }
        yield outcome(candidate, fit.fold, out, words)


def _score_params(workload: SearchWorkload) -> Mapping[str, Any]:
    given: Mapping[str, Any] = workload.asked.common["score_params"]
    return given


def _numbers(scores: Any) -> Any:
    """Return `scores` as Python's numbers, as scikit-learn has them.

    Raises
    ------
    TypeError
        One of them is not a number but, say, the text of an error.
    """
    if isinstance(scores, dict):
        return {name: _numbers(score) for name, score in scores.items()}
    number = scores.item() if hasattr(scores, "item") else scores
    if not isinstance(number, Number):
        raise TypeError(f"a score must be a number, got {number!r}")
    return number


def _plain(workload: SearchWorkload, fit: Fit, candidate: Numbered) -> Outcome:
    try:
        estimator = clone(workload.estimator)
        if not workload.keeps_threads:
            hold_to_threads(estimator, fit.threads)
        out = workload.call(candidate.number, fit.fold, estimator)
    except Exception as error:
        return Outcome(candidate, fit.fold, error=repr(error), raised=error)
    return outcome(candidate, fit.fold, out, ALONE)


def outcome(candidate: Candidate, fold: int, out: Mapping[str, Any], shared: str) -> Outcome:
    """Put what ``_fit_and_score`` returns, or would have, beside what a record wants to know of it."""
    scores, failure = out["test_scores"], out["fit_error"]
    return Outcome(
        candidate,
        fold,
        {} if failure else scores if isinstance(scores, dict) else {"score": scores},
        out["fit_time"],
        out["score_time"],
        error=failure.strip().splitlines()[-1] if failure else None,
        shared=shared,
        out=out,
    )
