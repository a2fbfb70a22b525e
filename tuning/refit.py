"""The winner, trained once more on every training row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import joblib
from loky import cpu_count

from tuning.candidates import Candidate
from tuning.dataset import Dataset
from tuning.learners.threads import ThreadTrial
from tuning.learners.xgboost import ROUNDS, can_share_matrix, is_boosted
from tuning.spec.estimators import for_candidate, make_estimator, weight_parameter
from tuning.spec.sweep_spec import SweepSpec


def refit(spec: SweepSpec, candidate: Candidate, data: Dataset, cores: int = 0, rounds: int | None = None) -> Any:
    """Train `candidate` on all rows of `data` with its estimator's own ``fit``.

    Parameters
    ----------
    spec : SweepSpec
    candidate : Candidate
    data : Dataset
        The training rows of the sweep.
    cores : int
        Threads to use; 0 for all cores.
    rounds : int or None
        Boosting rounds that early stopping chose over all folds.

    Returns
    -------
    object
        The fitted estimator. It carries no thread count of this machine's.
    """
    threads = cores or int(cpu_count())
    configured = make_estimator(spec.estimator, spec.fixed).set_params(**candidate.params)
    if rounds is not None:
        configured.set_params(**{ROUNDS: rounds})
    estimator = for_candidate(configured, {}, threads)
    extra = {} if data.sample_weight is None else {weight_parameter(estimator): data.sample_weight}
    with joblib.parallel_config(n_jobs=threads):  # what scikit-learn's n_jobs=None follows
        _fit(estimator, data, extra, threads)
    as_configured = configured.get_params(deep=True)
    thread_counts = [name for name in estimator.get_params(deep=True) if name.endswith("n_jobs")]
    return estimator.set_params(**{name: as_configured[name] for name in thread_counts})


def _fit(estimator: Any, data: Dataset, extra: Mapping[str, Any], threads: int) -> None:
    """Fit with all cores; a booster that can be told in the middle of training takes them only where they help."""
    if not (is_boosted(estimator) and can_share_matrix(estimator)):
        estimator.fit(data.X, data.y, **extra)
        return
    callbacks = estimator.callbacks
    estimator.set_params(n_jobs=1, callbacks=[*(callbacks or []), ThreadTrial(lambda: threads)])
    estimator.fit(data.X, data.y, **extra)
    estimator.set_params(callbacks=callbacks)
