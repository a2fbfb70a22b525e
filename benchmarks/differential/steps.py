"""The steps that may stand before the estimator, by what the table holds."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.differential.drawing import Draw
from benchmarks.differential.families import Family


@dataclass(frozen=True)
class Step:
    """One step of a pipeline.

    Attributes
    ----------
    name : str
        In the pipeline.
    path : str
        Dotted, of the class.
    fixed : mapping of str to object
    knobs : mapping of str to sequence
        What may vary.
    """

    name: str
    path: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    knobs: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The class's name, and whether it works in place."""
        return self.path.rpartition(".")[2] + (" in place" if self.works_in_place else "")

    @property
    def works_in_place(self) -> bool:
        """Whether it may write into the rows that it is given."""
        return self.fixed.get("copy") is False

    def make(self) -> Any:
        """Return an unfitted one, all parameters at their defaults."""
        module, _, name = self.path.rpartition(".")
        return getattr(importlib.import_module(module), name)()


_IN_PLACE = {"copy": False}
_SCALE = "sklearn.preprocessing"
_SELECT = Step("select", "sklearn.feature_selection.SelectKBest", {}, {"k": [1, 2, 3, "all"]})
_FILL = Step("fill", "sklearn.impute.SimpleImputer", {}, {"strategy": ["mean", "median", "most_frequent"]})

DENSE: Sequence[Step] = [
    Step("scale", f"{_SCALE}.StandardScaler", {}, {"with_mean": [True, False]}),
    Step("scale", f"{_SCALE}.StandardScaler", _IN_PLACE),
    Step("scale", f"{_SCALE}.MaxAbsScaler", _IN_PLACE),
    Step("scale", f"{_SCALE}.MinMaxScaler"),
    Step("reduce", "sklearn.decomposition.PCA", {"random_state": 0}, {"n_components": [1, 2, 3, 50]}),
    Step("spread", f"{_SCALE}.PolynomialFeatures", {}, {"degree": [1, 2]}),
    _SELECT,
]
SPARSE: Sequence[Step] = [
    Step("scale", f"{_SCALE}.MaxAbsScaler", _IN_PLACE),
    Step("scale", f"{_SCALE}.StandardScaler", {"with_mean": False, **_IN_PLACE}),
    Step("scale", f"{_SCALE}.Normalizer", _IN_PLACE, {"norm": ["l1", "l2"]}),
    Step("scale", f"{_SCALE}.MaxAbsScaler"),
    Step("reduce", "sklearn.decomposition.TruncatedSVD", {"random_state": 0}, {"n_components": [1, 2, 3]}),
    _SELECT,
]
ENCODERS: Sequence[Step] = [
    Step("encode", f"{_SCALE}.OneHotEncoder", {"handle_unknown": "ignore"}, {"min_frequency": [None, 3]}),
    Step("encode", f"{_SCALE}.OrdinalEncoder", {"handle_unknown": "use_encoded_value", "unknown_value": -1}),
]


def random_steps(draw: Draw, features: str, family: Family) -> list[Step]:
    """Draw the steps for a table whose features are "dense", "missing", "categories" or "sparse"."""
    if features == "sparse":
        return _one_of(draw, SPARSE, family) if draw.chance(0.65) else []
    if features == "missing":
        fill = [_FILL] if draw.chance(0.1 if "missing" in family.can else 0.9) else []
        return [*fill, *(_one_of(draw, DENSE, family) if fill and draw.chance(0.4) else [])]
    if features == "categories":
        return [draw.one(ENCODERS)] if draw.chance(0.4) else []
    if draw.chance(0.5):
        return []
    first = _one_of(draw, DENSE, family)
    second = _one_of(draw, DENSE, family) if draw.chance(0.3) else []
    return first + [step for step in second if step.name not in {other.name for other in first}]


def _one_of(draw: Draw, steps: Sequence[Step], family: Family) -> list[Step]:
    """Give one; not SelectKBest for numbers, since its default test is one of classes."""
    return [draw.one([step for step in steps if family.task == "classes" or step is not _SELECT])]
