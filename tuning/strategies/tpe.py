"""Tree-structured Parzen estimators by hyperopt: candidates drawn where good ones have been found.

hyperopt's ``fmin`` runs one candidate at a time and wants to own the loop, so we call the algorithm that it calls,
``tpe.suggest``, in batches: a batch is proposed, judged on all folds, and only then told, in the order of proposal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from errors import SpecError
from tuning.candidates import Candidate
from tuning.results.sweep_result import FoldScore
from tuning.spec.space import Distribution, Space, plain
from tuning.strategies import base
from tuning.strategies.laps import LapOfScores
from tuning.strategies.random import Sampled

_TRIES = 20  # for a candidate that has not been proposed before, in a space that may hold few


class TpeStrategy:
    """Batches of draws that learn from the batches before."""

    class Options(Sampled):
        """``candidates`` in all, ``startup`` of them at random, ``batch`` between two lessons."""

        startup: int = Field(default=10, ge=1, strict=True)
        batch: int = Field(default=4, ge=1, strict=True)

    approximation: ClassVar[str | None] = None

    def __init__(self, space: Space, options: Options, setting: base.Setting) -> None:
        if options.candidates is None:
            raise SpecError("search.candidates: the key is missing. Say how many to try, such as candidates: 30.")
        self._options = options
        self._left = setting.limited(options.candidates)
        self._teacher = _Hyperopt(space, options.startup)
        self._lap = LapOfScores(setting.scorer, setting.n_folds)
        self._batch: list[Candidate] = []
        self._seen: set[Candidate] = set()
        self._seed = options.seed
        self.n_candidates: int | None = self._left

    def ask(self) -> Sequence[base.Proposal]:
        """The next batch, once the last has been judged; the first one holds all the random ones."""
        if not self._lap.complete or not self._left:
            return []
        for candidate in self._batch:
            self._teacher.learn(candidate, self._lap.mean(candidate))
        size = min(self._left, self._options.batch if self._seen else self._options.startup)
        drawn = [self._new_candidate() for _ in range(size)]
        self._batch = [candidate for candidate in drawn if candidate is not None]
        self._left = self._left - len(self._batch) if self._batch else 0
        return self._lap.propose([base.Proposal(candidate) for candidate in self._batch])

    def tell(self, scores: Sequence[FoldScore]) -> None:
        """Take in scores."""
        self._lap.tell(scores)

    def _new_candidate(self) -> Candidate | None:
        """Draw one that has not been proposed; None where the space seems to hold no more."""
        for _ in range(_TRIES):
            self._seed += 1
            candidate = self._teacher.suggest(self._seed)
            if candidate not in self._seen:
                self._seen.add(candidate)
                return candidate
        return None


class _Hyperopt:
    """hyperopt's records, in our terms."""

    def __init__(self, space: Space, startup: int) -> None:
        try:
            from hyperopt import Trials
            from hyperopt.base import Domain
        except ImportError as error:
            raise SpecError(
                "search.strategy: tpe needs hyperopt. Run: pip install -e '.[search]' in the project, and for an "
                "environment made from conda.yaml add hyperopt to it."
            ) from error
        if len(space.grids) > 1:
            raise SpecError("search.strategy: tpe learns over one grid, and there is a list of them. Use random.")
        lists = {name: Distribution(choice=list(values)) for grid in space.grids for name, values in grid.items()}
        self._ranges = {**lists, **space.distributions}
        if not self._ranges:
            raise SpecError("distributions: the key is missing. Add what to draw from.")
        self._domain = Domain(None, {name: _expression(name, each) for name, each in self._ranges.items()})
        self._trials = Trials()
        self._startup = startup
        self._documents: dict[Candidate, Any] = {}

    def suggest(self, seed: int) -> Candidate:
        from hyperopt import rand, tpe

        ids = [len(self._documents)]
        if len(self._trials) < self._startup:
            documents = rand.suggest(ids, self._domain, self._trials, seed)
        else:
            documents = tpe.suggest(ids, self._domain, self._trials, seed, n_startup_jobs=self._startup)
        drawn = documents[0]["misc"]["vals"]
        candidate = Candidate({name: _value(each, drawn[name][0]) for name, each in self._ranges.items()})
        self._documents.setdefault(candidate, documents[0])
        return candidate

    def learn(self, candidate: Candidate, score: float) -> None:
        from hyperopt import JOB_STATE_DONE, STATUS_FAIL, STATUS_OK

        document = self._documents[candidate]
        failed = score == -math.inf
        document["state"] = JOB_STATE_DONE
        document["result"] = {"status": STATUS_FAIL} if failed else {"status": STATUS_OK, "loss": -score}
        self._trials.insert_trial_docs([document])
        self._trials.refresh()


def _expression(name: str, distribution: Distribution) -> Any:
    """Say a distribution in hyperopt's words; whole numbers and steps as a place in their list, to keep their order."""
    from hyperopt import hp

    if distribution.choice is not None:
        return hp.choice(name, range(len(distribution.choice)))
    if distribution.values is not None:
        return hp.uniform(name, 0, len(distribution.values))
    if distribution.loguniform is not None:
        return hp.loguniform(name, math.log(distribution.low), math.log(distribution.high))
    return hp.uniform(name, distribution.low, distribution.high)


def _value(distribution: Distribution, drawn: Any) -> Any:
    values = distribution.values
    return plain(drawn) if values is None else values[min(int(drawn), len(values) - 1)]
