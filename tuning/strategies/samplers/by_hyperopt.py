"""TPE by hyperopt.

Its public interface is ``fmin``, which owns the loop, runs one candidate at a time and takes a function that returns
the score: a loop that judges candidates of its own in batches cannot be put under it. So the algorithm that ``fmin``
calls, ``tpe.suggest``, is called here, with the ``Domain`` and the ``Trials`` that ``fmin`` gives it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tuning.candidates import Candidate
from tuning.spec.space import Distribution
from tuning.strategies.samplers.base import library, value_of


class HyperoptSampler:
    """hyperopt's records.

    Parameters
    ----------
    ranges : mapping of str to Distribution
    startup : int
    seed : int

    Raises
    ------
    SpecError
        hyperopt is not installed.
    """

    def __init__(self, ranges: Mapping[str, Distribution], startup: int, seed: int) -> None:
        self._hyperopt = library("hyperopt")
        self._ranges = ranges
        expressions = {name: self._expression(name, each) for name, each in ranges.items()}
        self._domain = library("hyperopt.base").Domain(None, expressions)
        self._trials = self._hyperopt.Trials()
        self._startup, self._seed = startup, seed
        self._documents: dict[Candidate, Any] = {}

    def suggest(self, at_random: bool = False) -> Candidate:
        """Propose the next, by a seed of its own."""
        self._seed += 1
        asked = [len(self._documents)], self._domain, self._trials, self._seed
        if at_random or len(self._trials) < self._startup:
            documents = self._hyperopt.rand.suggest(*asked)
        else:
            documents = self._hyperopt.tpe.suggest(*asked, n_startup_jobs=self._startup)
        drawn = documents[0]["misc"]["vals"]
        candidate = Candidate({name: value_of(each, drawn[name][0]) for name, each in self._ranges.items()})
        self._documents.setdefault(candidate, documents[0])
        return candidate

    def learn(self, candidate: Candidate, score: float) -> None:
        """Record a score."""
        document = self._documents[candidate]
        failed = score == -math.inf
        document["state"] = self._hyperopt.JOB_STATE_DONE
        document["result"] = (
            {"status": self._hyperopt.STATUS_FAIL} if failed else {"status": self._hyperopt.STATUS_OK, "loss": -score}
        )
        self._trials.insert_trial_docs([document])
        self._trials.refresh()

    def _expression(self, name: str, given: Distribution) -> Any:
        """Say a distribution in hyperopt's words; whole numbers and steps as a place in their list, for their order."""
        words = self._hyperopt.hp
        if given.choice is not None:
            return words.choice(name, range(len(given.choice)))
        if given.values is not None:
            return words.uniform(name, 0, len(given.values))
        if given.loguniform is not None:
            return words.loguniform(name, math.log(given.low), math.log(given.high))
        return words.uniform(name, given.low, given.high)
