"""Which candidate wins: the highest mean, or the simplest that is about as good."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, model_validator

from tuning.candidates import Candidate
from tuning.results.statistics import standard_error
from tuning.spec.messages import problem
from tuning.spec.part import SpecPart


class RefitSpec(SpecPart):
    """How the winner is chosen.

    Attributes
    ----------
    scorer : str or None
        The scorer that decides; may be left out where there is one.
    rule : str
        ``best``; ``one_standard_error``: the simplest candidate whose mean is no more than the best one's standard
        error below the best (Breiman et al. 1984, section 3.4.3); ``percent``: no more than `within` percent below.
    within : float or None
        Of the best mean's size, for ``percent``.
    simplest : mapping of str to "low" or "high"
        By which parameters a model is simple, the most important first; where it is left out, the size that the
        estimator's learner knows.
    """

    scorer: str | None = None
    rule: Literal["best", "one_standard_error", "percent"] = "best"
    within: float | None = Field(default=None, gt=0, lt=100)
    simplest: dict[str, Literal["low", "high"]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _a_name_is_the_scorer(cls, given: Any) -> Any:
        return {"scorer": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _keys_go_together(self) -> RefitSpec:
        if (self.within is None) == (self.rule == "percent"):
            raise problem("within goes with rule: percent, and with it alone. Write {rule: percent, within: 1}")
        if self.simplest and self.rule == "best":
            raise problem("simplest does not go with rule: best. Choose another rule, or remove it")
        return self

    def tolerance(self, best_splits: Sequence[float]) -> float:
        """How far below the best mean a candidate may stay."""
        if self.rule == "one_standard_error":
            return standard_error(best_splits)
        return abs(math.fsum(best_splits) / len(best_splits)) * (self.within or 0.0) / 100

    def order(self, candidates: Sequence[Candidate], sizes: Sequence[float | None]) -> Sequence[float | None]:
        """Say how simple each candidate is, less is simpler; None where that is not known."""
        if not self.simplest:
            return sizes
        keys = [self._key(candidate.params) for candidate in candidates]
        places = {key: place for place, key in enumerate(sorted(set(keys)))}
        return [float(places[key]) for key in keys]

    def _key(self, params: Mapping[str, Any]) -> tuple[float, ...]:
        """Stand for the parameters; no limit, null, is the least simple of all."""
        given = ((params.get(name), towards) for name, towards in self.simplest.items())
        return tuple(
            math.inf if not isinstance(value, int | float) else value if towards == "low" else -value
            for value, towards in given
        )


BEST = RefitSpec()
"""The highest mean wins."""
