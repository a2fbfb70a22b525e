"""The steps that may stand before the estimator, by what the table holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.preprocessing import OneHotEncoder

from benchmarks.differential.drawing import Draw, Function, Object, load
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
        What may vary; under an empty name, what stands in the step's place.
    takes_categories : bool
        Whether it is given categories as they are.
    """

    name: str
    path: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    knobs: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    takes_categories: bool = False

    @property
    def kind(self) -> str:
        """The class's name, and whether it works in place."""
        return self.path.rpartition(".")[2] + (" in place" if self.works_in_place else "")

    @property
    def works_in_place(self) -> bool:
        """Whether it may write into the rows that it is given."""
        return self.fixed.get("copy") is False

    @property
    def text(self) -> str:
        """What stands behind its name in a spec."""
        return self.path

    @property
    def resamples(self) -> bool:
        """Whether it draws rows anew before the next step learns from them."""
        return self.path.startswith("imblearn.")

    def make(self) -> Any:
        """Return an unfitted one, all parameters at their defaults."""
        return load(self.path)()


@dataclass(frozen=True)
class ColumnsStep(Step):
    """A step that encodes text and does something else, or nothing, with the rest."""

    rest: str = "passthrough"

    @property
    def text(self) -> str:
        """What stands behind its name in a spec."""
        encoder = f"{{class: {_SCALE}.OneHotEncoder, handle_unknown: ignore}}"
        return f"{{columns: [{{columns: {{dtype: text}}, do: {encoder}}}, {{columns: rest, do: {self.rest}}}]}}"

    def make(self) -> Any:
        """Return scikit-learn's own."""
        rest = load(self.rest)() if "." in self.rest else self.rest
        text = make_column_selector(dtype_include=["object", "string", "category"])
        return ColumnTransformer([("encode", OneHotEncoder(handle_unknown="ignore"), text)], remainder=rest)


_IN_PLACE = {"copy": False}
_SCALE = "sklearn.preprocessing"
_SELECT = Step("select", "sklearn.feature_selection.SelectKBest", {}, {"k": [1, 2, 3, "all"]})
_SELECT_NUMBERS = Step(
    "select", _SELECT.path, {"score_func": Function("sklearn.feature_selection.f_regression")}, _SELECT.knobs
)
_FILL = Step("fill", "sklearn.impute.SimpleImputer", {}, {"strategy": ["mean", "median", "most_frequent"]})

DENSE: Sequence[Step] = [
    Step("scale", f"{_SCALE}.StandardScaler", {}, {"with_mean": [True, False]}),
    Step("scale", f"{_SCALE}.StandardScaler", _IN_PLACE),
    Step("scale", f"{_SCALE}.MaxAbsScaler", _IN_PLACE),
    Step("scale", f"{_SCALE}.MinMaxScaler", {}, {"": ["passthrough", Object(f"{_SCALE}.StandardScaler")]}),
    Step("scale", f"{_SCALE}.RobustScaler", {}, {"quantile_range": [(25.0, 75.0), (10.0, 90.0)]}),
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
_UNKNOWN = {"handle_unknown": "use_encoded_value", "unknown_value": -1}
ENCODERS: Sequence[Step] = [
    Step("encode", f"{_SCALE}.OneHotEncoder", {"handle_unknown": "ignore"}, {"min_frequency": [None, 3]}, True),
    Step("encode", f"{_SCALE}.OrdinalEncoder", _UNKNOWN, {}, True),
    ColumnsStep("encode", "sklearn.compose.ColumnTransformer", takes_categories=True),
    ColumnsStep("encode", "sklearn.compose.ColumnTransformer", takes_categories=True, rest=f"{_SCALE}.StandardScaler"),
]
SAMPLERS: Sequence[Step] = [
    Step("balance", "imblearn.over_sampling.RandomOverSampler", {"random_state": 0}),
    Step("balance", "imblearn.under_sampling.RandomUnderSampler", {"random_state": 0}),
    Step("balance", "imblearn.over_sampling.SMOTE", {"random_state": 0}, {"k_neighbors": [1, 2, 3]}),
]


def random_steps(draw: Draw, features: str, family: Family) -> list[Step]:
    """Draw the steps for a table whose features are "dense", "missing", "categories" or "sparse"."""
    steps = _prepared(draw, features, family)
    if family.task == "classes" and features in ("dense", "sparse") and find_spec("imblearn") and draw.chance(0.12):
        return [*steps, draw.one(SAMPLERS)]
    return steps


def _prepared(draw: Draw, features: str, family: Family) -> list[Step]:
    if features == "sparse":
        return _one_of(draw, SPARSE, family) if draw.chance(0.65) else []
    if features == "missing":
        fill = [_FILL] if draw.chance(0.1 if "missing" in family.can else 0.9) else []
        return [*fill, *(_one_of(draw, DENSE, family) if fill and draw.chance(0.4) else [])]
    if features == "categories":
        return [draw.one(ENCODERS)] if draw.chance(0.5) else []
    if draw.chance(0.5):
        return []
    first = _one_of(draw, DENSE, family)
    second = _one_of(draw, DENSE, family) if draw.chance(0.3) else []
    return first + [step for step in second if step.name not in {other.name for other in first}]


def _one_of(draw: Draw, steps: Sequence[Step], family: Family) -> list[Step]:
    """Give one; SelectKBest with a test for numbers where its default, one of classes, does not suit."""
    step = draw.one(steps)
    return [_SELECT_NUMBERS if step is _SELECT and family.task == "numbers" else step]
