"""The sweep that was asked for: a YAML file, parsed and checked whole before any work.

pydantic checks the shape (keys, types, ranges); ``tuning.spec.checks`` checks the sense (the estimator exists and has
those parameters, the scorers exist). Both speak in the file's own keys, and all that is wrong is said at once. A
SweepSpec that exists is a checked one, however it was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler

from tuning.spec import checks, parameters
from tuning.spec import file as spec_file
from tuning.spec.budget import Budget
from tuning.spec.cv import CvSpec
from tuning.spec.estimators import make_estimator
from tuning.spec.messages import mistakes_of
from tuning.spec.mistakes import Mistakes
from tuning.spec.modules import look_beside
from tuning.spec.part import SpecPart
from tuning.spec.refit import BEST, RefitSpec
from tuning.spec.scoring import Metric, metrics_of
from tuning.spec.space import Distribution, Space
from tuning.strategies import STRATEGIES, Setting

_STANDING_IN = {"estimator": "sklearn.dummy.DummyClassifier", "scoring": "accuracy"}
"""Right values in the place of wrong ones, so that the rest of a spec can be looked at."""


class SearchSpec(SpecPart):
    """Which candidates are tried.

    Attributes
    ----------
    strategy : str
        How the next candidates are found; the keys beside it are the strategy's own.
    """

    model_config = ConfigDict(extra="allow")

    strategy: str = "grid"

    @property
    def options(self) -> dict[str, Any]:
        """The keys beside ``strategy``."""
        return self.model_extra or {}


class EarlyStopping(SpecPart):
    """Let the folds together choose the number of boosting rounds.

    Attributes
    ----------
    patience : int
        A fold's training ends after so many rounds without a better score.
    """

    patience: int = Field(default=20, ge=1, strict=True)


class SweepSpec(SpecPart):
    """What a sweep is to do.

    Attributes
    ----------
    estimator : str, mapping or list
        What is tuned: a class's dotted path, ``{class: path, PARAMETER: value}``, or the steps of a pipeline, each
        ``- name: object``. A step may be ``passthrough``, or treat columns apart (``columns:``).
    fixed : mapping of str to object
        Parameters that every candidate shares; those of steps and nested estimators as ``model__C``.
    grid : mapping of str to list, or list of such mappings
        Values of parameters that vary; several grids are tried one after the other.
    distributions : mapping of str to Distribution
        What parameters are drawn from, for the strategies that draw.
    scoring : str, list or mapping
        Scorers by name, as objects, or of one's own; see ``tuning.spec.scoring``.
    refit : RefitSpec or None
        The scorer that chooses the winner, needed where there are several, and the rule by which it does.
    cv : CvSpec
        How candidates are judged: the folds.
    search : SearchSpec
        Which candidates are tried.
    early_stopping : EarlyStopping or None
        Let the folds choose the number of rounds, up to the one under ``fixed``.
    budget : Budget
        What the sweep may cost.
    verify : int
        So many random cells (a candidate on a fold) are fitted again in the plainest way and compared.
    seeds : int
        The winner is judged on every fold under so many other seeds, to compare its lead with what a seed changes.
    keep : str
        Whose out-of-fold predictions are kept: ``winner``, or ``predictions`` for those of every candidate that was
        judged on all folds, so that ``mlflow run . -e choose`` can choose among them again.
    audit : "warn", "strict" or "off"
        Before any fit the rows are looked at for copies across folds, undeclared groups, an order that a shuffle mixes
        and columns that give the target away: what is found is a warning, or with ``strict`` a refusal.
    """

    estimator: Any
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
    seeds: int = Field(default=0, ge=0, strict=True)
    keep: Literal["winner", "predictions"] = "winner"
    audit: Literal["warn", "strict", "off"] = "warn"

    @field_validator("grid", mode="before")
    @classmethod
    def _values_are_lists(cls, grid: Any) -> Any:
        checks.check_grid(grid)
        return grid

    @field_validator("scoring", mode="before")
    @classmethod
    def _scorers_can_be_read(cls, scoring: Any) -> Any:
        metrics_of(scoring)
        return scoring

    @model_validator(mode="wrap")
    @classmethod
    def _all_mistakes_at_once(cls, content: Any, shape: ModelWrapValidatorHandler[Self]) -> Self:
        mistakes, wrong = Mistakes(), set[str]()
        try:
            spec = shape(content)
        except ValidationError as error:
            mistakes.found = mistakes_of(error, cls)
            wrong = {str(details["loc"][0]) for details in error.errors() if details["loc"]}
            if not isinstance(content, Mapping):
                mistakes.raise_found()
            spec = shape({**_STANDING_IN, **{key: value for key, value in content.items() if key not in wrong}})
        spec._check_sense(wrong, mistakes)
        mistakes.raise_found()
        return spec

    def _check_sense(self, wrong: Set[str], mistakes: Mistakes) -> None:
        """Check all that does not depend on a key that is `wrong` in itself."""
        checks.check_own_early_stopping(self._values(), mistakes)
        with mistakes.at():
            checks.check_devices(self._values())
        if "scoring" not in wrong and "refit" not in wrong:
            checks.check_scorers(self.metrics, self.rule.scorer, mistakes)
        if "estimator" not in wrong:
            self._check_estimator(wrong, mistakes)
        if self.keep == "predictions" and "scoring" not in wrong:
            checks.check_can_keep(self.metrics, self.early_stopping is not None, mistakes)
        if self.scorers and not {"grid", "distributions", "search", "cv", "budget"} & wrong:
            with mistakes.at():
                self._check_search()

    def _check_estimator(self, wrong: Set[str], mistakes: Mistakes) -> None:
        estimator: Any = None
        with mistakes.at("estimator"):
            estimator = make_estimator(self.estimator, {})
        if estimator is None:
            return
        before, choices = len(mistakes.found), self._choices()
        parameters.check_given(estimator, {*self.fixed, *(name for _, values in choices for name in values)}, mistakes)
        if len(mistakes.found) > before:
            return  # of something incomplete the parameters are not known
        estimator = parameters.check_fixed(estimator, self.fixed, mistakes)
        for key, values in choices:
            parameters.check_choices(estimator, values, key, mistakes)
        sections = [(("fixed",), self.fixed), *choices]
        parameters.check_twice(sections, mistakes)
        parameters.check_synonyms(estimator, sections, mistakes)
        if len(mistakes.found) > before:
            return
        first = parameters.example(
            estimator, {name: values for _, part in reversed(choices) for name, values in part.items()}
        )
        if first is not None and "scoring" not in wrong:
            checks.check_responses(self.metrics, first, mistakes)
        if first is not None and self.seeds:
            checks.check_seeds(first, mistakes)
        if first is not None and self.early_stopping is not None:
            varied = {name: key for key, values in choices for name in values}
            checks.check_early_stopping(first, varied, self.search.strategy, mistakes)

    def _check_search(self) -> None:
        options = checks.options_of(self.search.strategy, self.search.options)
        n_folds = self.cv.n_folds or self.cv.folds  # a stand-in where the data decide: only options are checked here
        setting = Setting(n_folds, self.refit_scorer, 1 / (n_folds - 1), self.budget.max_candidates)
        STRATEGIES[self.search.strategy](self.space, options, setting)

    def _choices(self) -> list[tuple[parameters.Key, parameters.Choices]]:
        """The mappings of parameters to values, each with its key."""
        drawn = {name: distribution.examples for name, distribution in self.distributions.items()}
        return [*parameters.grids_of(self.grid), (("distributions",), drawn)]

    def _values(self) -> Iterator[tuple[tuple[str, ...], str, Any]]:
        """Every value that a parameter can have: key, parameter, value."""
        yield from ((("fixed",), name, value) for name, value in self.fixed.items())
        for key, choices in self._choices():
            yield from ((key, name, value) for name, values in choices.items() for value in values)

    @classmethod
    def load(cls, path: str | Path) -> SweepSpec:
        """Read and check a spec.

        Raises
        ------
        SpecError
            A line for each mistake: the file, the key, what was expected and, where there is one, the nearest right
            spelling.
        """
        look_beside(Path(path))
        return spec_file.parse(cls, path)

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
    def deciding(self) -> Metric:
        """The metric of that scorer."""
        return next(metric for metric in self.metrics if metric.name == self.refit_scorer)

    @property
    def rule(self) -> RefitSpec:
        """How the winner is chosen."""
        return self.refit or BEST

    @property
    def space(self) -> Space:
        """All that varies."""
        return Space(self.grid, self.distributions)
