"""The sweep that was asked for: a YAML file, parsed and checked whole before any work.

pydantic checks the shape (keys, types, ranges); ``tuning.spec.checks`` checks the sense (the estimator exists and has
those parameters, the scorers exist). Both speak in the file's own keys.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tuning.spec import checks as spec_checks
from tuning.spec import file as spec_file
from tuning.spec.budget import Budget
from tuning.spec.cv import CvSpec
from tuning.spec.refit import BEST, RefitSpec
from tuning.spec.scoring import Metric, metrics_of
from tuning.spec.space import Distribution, Space


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SearchSpec(BaseModel):
    """Which candidates are tried.

    Attributes
    ----------
    strategy : str
        A name of ``tuning.strategies.STRATEGIES``; the keys beside it are that strategy's own ``Options``.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    strategy: str = "grid"


class EarlyStopping(_Strict):
    """Let the folds together choose the number of boosting rounds.

    Attributes
    ----------
    patience : int
        A fold's training ends after so many rounds without a better score.
    """

    patience: int = Field(default=20, ge=1, strict=True)


class SweepSpec(_Strict):
    """What a sweep is to do.

    Attributes
    ----------
    estimator : str or list
        Dotted path of a class with scikit-learn's estimator API; or the steps of a pipeline, each ``name: path``.
    fixed : mapping of str to object
        Parameters that every candidate shares.
    grid : mapping of str to list, or list of such mappings
        Values of parameters that vary; several grids are tried one after the other.
    distributions : mapping of str to Distribution
        What parameters are drawn from, for the strategies that draw.
    scoring : str, list or mapping
        Scorers by name, as objects, or of one's own; see ``tuning.spec.scoring``.
    refit : RefitSpec or None
        The scorer that chooses the winner, needed where there are several, and the rule by which it does.
    cv : CvSpec
    search : SearchSpec
    early_stopping : EarlyStopping or None
    budget : Budget
    verify : int
        So many random cells (a candidate on a fold) are fitted again in the plainest way and compared.
    """

    estimator: str | list[dict[str, str]]
    fixed: dict[str, Any] = Field(default_factory=dict)
    grid: dict[str, list[Any]] | list[dict[str, list[Any]]] = Field(default_factory=dict)
    distributions: dict[str, Distribution] = Field(default_factory=dict)
    scoring: str | list[Any] | dict[str, Any]
    refit: RefitSpec | None = None
    cv: CvSpec = CvSpec()
    search: SearchSpec = SearchSpec()
    early_stopping: EarlyStopping | None = None
    budget: Budget = Budget()
    verify: int = Field(default=0, ge=0, strict=True)

    @field_validator("grid", mode="before")
    @classmethod
    def _values_are_lists(cls, grid: Any) -> Any:
        spec_checks.check_grid(grid)
        return grid

    @field_validator("scoring", mode="before")
    @classmethod
    def _scorers_can_be_read(cls, scoring: Any) -> Any:
        metrics_of(scoring)
        return scoring

    @classmethod
    def load(cls, path: str | Path) -> SweepSpec:
        """Read and check a spec.

        Raises
        ------
        SpecError
            One line with the file, the key, what was expected and, where there is one, the nearest right spelling.
        """
        spec = spec_file.parse(cls, path)
        with spec_file.named(path):
            spec_checks.check(spec)
        return spec

    @property
    def scorers(self) -> tuple[str, ...]:
        """The scorers' names."""
        return tuple(metric.name for metric in self.metrics)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The scorers, with all that the spec says of them."""
        return metrics_of(self.scoring)

    @property
    def refit_scorer(self) -> str:
        """The scorer that chooses the winner."""
        return (self.refit and self.refit.scorer) or self.scorers[0]

    @property
    def rule(self) -> RefitSpec:
        """How the winner is chosen."""
        return self.refit or BEST

    @property
    def space(self) -> Space:
        """All that varies."""
        return Space(self.grid, self.distributions)
