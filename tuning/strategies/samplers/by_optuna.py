"""TPE by Optuna's ask and tell, its public interface for a loop that somebody else owns.

``multivariate`` models the parameters together, and ``constant_liar`` counts what is being judged as bad, so that the
candidates of a batch do not crowd around one place. Both are marked experimental in Optuna, which warns of them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tuning.candidates import Candidate
from tuning.spec.space import Distribution
from tuning.strategies.samplers.base import library, value_of


class OptunaSampler:
    """A study in memory.

    Parameters
    ----------
    ranges : mapping of str to Distribution
    startup : int
    seed : int

    Raises
    ------
    SpecError
        Optuna is not installed.
    """

    def __init__(self, ranges: Mapping[str, Distribution], startup: int, seed: int) -> None:
        self._optuna = library("optuna")
        self._ranges = ranges
        self._said = {name: self._distribution(each) for name, each in ranges.items()}
        samplers = self._optuna.samplers
        with self._quiet():
            self._tpe = samplers.TPESampler(seed=seed, n_startup_trials=startup, multivariate=True, constant_liar=True)
            self._random = samplers.RandomSampler(seed=seed)
            self._study = self._optuna.create_study(direction="maximize", sampler=self._tpe)
        self._trials: dict[Candidate, Any] = {}

    def suggest(self, at_random: bool = False) -> Candidate:
        """Ask for a trial; one of a candidate that is known already ends at once, and tells the study nothing."""
        self._study.sampler = self._random if at_random else self._tpe
        with self._quiet():
            trial = self._study.ask(self._said)
        candidate = Candidate({name: value_of(each, trial.params[name]) for name, each in self._ranges.items()})
        if candidate in self._trials:
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
        else:
            self._trials[candidate] = trial
        return candidate

    def learn(self, candidate: Candidate, score: float) -> None:
        """Tell the study the score of a trial."""
        if score == -math.inf:
            self._study.tell(self._trials[candidate], state=self._optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(self._trials[candidate], score)

    def _distribution(self, given: Distribution) -> Any:
        """Say a distribution in Optuna's words; numbers with steps as places in their list."""
        known = self._optuna.distributions
        if given.choice is not None:
            return known.CategoricalDistribution(range(len(given.choice)))
        if given.values is not None:
            return known.IntDistribution(0, len(given.values) - 1)
        return known.FloatDistribution(given.low, given.high, log=given.loguniform is not None)

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Keep to itself what Optuna says of studies and of what is experimental."""
        verbosity = self._optuna.logging.get_verbosity()
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", self._optuna.exceptions.ExperimentalWarning)
                yield
        finally:
            self._optuna.logging.set_verbosity(verbosity)
