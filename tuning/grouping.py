"""Candidates that one training can serve.

They differ only in parameters that their learner calls free, such as the number of rounds. We do not continue shorter
trainings (``warm_start``, ``xgb_model=``): most libraries restart their random state there, and sampled trees would
differ from a separate fit's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tuning.candidates import Candidate
from tuning.dataset import Dataset
from tuning.learners import GENERAL, Learner, learner_for
from tuning.spec.estimators import for_candidate
from tuning.workload import Workload


@dataclass(frozen=True, eq=False)
class Group:
    """Candidates that one training on a fold serves.

    Attributes
    ----------
    learner : Learner
    candidates : tuple of Candidate
    estimators : tuple of object
        One per candidate, unfitted; none where `error`.
    error : Exception or None
        Why no estimator can be made of the only candidate.
    """

    learner: Learner
    candidates: tuple[Candidate, ...]
    estimators: tuple[Any, ...] = ()
    error: Exception | None = None

    def of(self, candidates: Sequence[Candidate]) -> Group:
        """Return the part of the group that `candidates` are."""
        if len(candidates) == len(self.candidates):
            return self
        kept = [place for place, candidate in enumerate(self.candidates) if candidate in candidates]
        estimators = tuple(self.estimators[place] for place in kept)
        return replace(self, candidates=tuple(self.candidates[place] for place in kept), estimators=estimators)

    @property
    def reasons(self) -> Sequence[str]:
        """Why the training may be shared, a sentence for each parameter that varies; empty for one candidate."""
        if len(self.candidates) == 1:
            return []
        varied = _varied(self.candidates)
        free = self.learner.free(self.estimators[0])
        return [f"{name}: {why}" for name, why in free.items() if name in varied]

    @property
    def whole(self) -> Any:
        """The estimator whose training serves all; the candidate's own where nothing of it is free."""
        first = self.estimators[0]
        return self.learner.whole(self.estimators) if self.learner.free(first) else first

    @cached_property
    def preparation(self) -> tuple[str, ...]:
        """What the training has in common with other groups' on its fold, a name for each step of it."""
        return () if self.error else self.learner.preparation(self.estimators[0])

    @cached_property
    def cost(self) -> float:
        """Relative cost of the training."""
        if self.error:
            return 0.0
        return self.learner.cost(self.whole)


def grouped(workload: Workload, candidates: Sequence[Candidate], threads: int = 1) -> list[Group]:
    """Split `candidates` into groups that one training serves, in order of first appearance."""
    found: dict[str, list[tuple[Candidate, Any, Learner]]] = {}
    impossible = []
    for candidate in candidates:
        try:
            estimator = for_candidate(workload.estimator, candidate.params, threads)
        except Exception as error:  # what set_params refuses is this candidate's result, as it is any search's
            impossible.append(Group(GENERAL, (candidate,), error=error))
            continue
        learner = learner_for(estimator)
        free = {} if workload.early_stopping else free_over(workload.data, learner, estimator)
        rest = {name: value for name, value in candidate.params.items() if name not in free}
        key = json.dumps([learner.name, sorted(free), rest], sort_keys=True, default=repr)
        found.setdefault(key, []).append((candidate, estimator, learner))
    possible = [
        Group(group[0][2], tuple(each for each, _, _ in group), tuple(each for _, each, _ in group))
        for group in found.values()
    ]
    return [*possible, *impossible]


def free_over(data: Dataset, learner: Learner, estimator: Any) -> Mapping[str, str]:
    """Return the parameters of `estimator` that one training over rows of `data` serves, each with the reason."""
    return learner.free(estimator) if data.n_rows <= learner.draws_above(estimator) else {}


def _varied(candidates: Sequence[Candidate]) -> set[str]:
    first = candidates[0].params
    return {name for each in candidates for name, value in each.params.items() if first.get(name) != value}


def relative_size(workload: Workload, candidate: Candidate) -> float | None:
    """Estimate how large the model of `candidate` is beside others'; None where nobody knows."""
    (group,) = grouped(workload, [candidate])
    return None if group.error else group.learner.size(group.estimators[0])
