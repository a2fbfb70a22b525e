"""The winner, trained once more on every training row, and scored on rows that no fold has seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import joblib
import numpy as np
from loky import cpu_count

from tuning.candidates import Candidate
from tuning.control import UNATTENDED, Control
from tuning.dataset import Dataset
from tuning.learners import hold_to, learner_for
from tuning.learners.views import in_labels
from tuning.scoring import Scorers
from tuning.spec.estimators import for_candidate, make_estimator
from tuning.spec.sweep_spec import SweepSpec


def refit(
    spec: SweepSpec,
    candidate: Candidate,
    data: Dataset,
    cores: int = 0,
    rounds: int | None = None,
    control: Control = UNATTENDED,
) -> Any:
    """Train `candidate` on all rows of `data` with its estimator's own ``fit``.

    Parameters
    ----------
    spec : SweepSpec
    candidate : Candidate
    data : Dataset
        The training rows of the sweep; they stay as they are, whatever the estimator does with its own.
    cores : int
        Threads to use; 0 for all cores.
    rounds : int or None
        Rounds of training that early stopping chose over all folds.
    control : Control
        Is told how far the training is, where the library tells.

    Returns
    -------
    object
        The fitted estimator. It carries no thread count of this machine's.
    """
    threads = cores or int(cpu_count())
    configured = for_candidate(make_estimator(spec.estimator, spec.fixed), candidate.params, threads=None)
    learner = learner_for(configured)
    if rounds is not None:
        configured.set_params(**{str(learner.rounds_name(configured)): rounds})
    estimator = hold_to(for_candidate(configured, {}, threads), threads)
    rows = data if learner.only_reads else data.rows(np.arange(data.n_rows))
    with joblib.parallel_config(n_jobs=threads):  # what scikit-learn's n_jobs=None follows
        fitted = learner.refit(estimator, rows, threads, control)
    _forget_threads(fitted, configured.get_params(deep=True))
    return fitted


def score(model: Any, data: Dataset, scorers: Scorers) -> Mapping[str, float]:
    """Score a model that ``refit`` has made.

    Parameters
    ----------
    model : object
    data : Dataset
    scorers : Scorers

    Returns
    -------
    mapping of str to float
        By scorer name, greater is better.
    """
    return scorers.score(*in_labels(model, learner_for(model).takes_codes(model), data))


def _forget_threads(estimator: Any, configured: Mapping[str, Any]) -> None:
    """Put back the thread counts that were asked for.

    Not by ``set_params``: a fitted XGBModel hands all its parameters to the booster once more, which takes neither a
    list of metrics nor a dict of constraints there.
    """
    params = estimator.get_params(deep=True)
    for name in [name for name in params if name.endswith("n_jobs") and name in configured]:
        owner = params[name.removesuffix("__n_jobs")] if "__" in name else estimator
        if not hasattr(owner, "get_booster"):
            owner.set_params(n_jobs=configured[name])
        else:
            owner.n_jobs = configured[name]
            owner.get_booster().set_param({"nthread": configured[name] or 0})
