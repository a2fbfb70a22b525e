"""A case: one random sweep, written as a person would and as GridSearchCV takes it.

What a case is made of is drawn axis by axis (family, steps, grid, scorers, folds, weights, groups, labels, features);
``kinds`` keeps what was drawn, so that a test can count whether each kind comes often enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.differential.drawing import Draw, Written
from benchmarks.differential.families import CLASS_WEIGHT, Family, family_of
from benchmarks.differential.folds import Cv, random_cv
from benchmarks.differential.scorers import random_scorers
from benchmarks.differential.steps import Step, random_steps
from benchmarks.differential.tables import FEATURES, GROUPS, LABELS, Table, random_table

MODEL = "model"
"""The name of the last step."""

KNOWN = (
    "keyed by label",
    "works in place",
    "ids for probabilities",
    "no rounds",
    "YAML 1.1 numbers",
    "groups out of order",
)
"""Kinds of sweep that once ended in wrong numbers without a word."""

_MOST_CANDIDATES = 6
_UNROUTED = ("BaggingClassifier", "BaggingRegressor", "AdaBoostClassifier", "AdaBoostRegressor")  # in a pipeline, the
# peer's scores are weighed by metadata routing, which these do not have or need told of their trees
_EARLY_STOPPING = "early_stopping: {patience: 50}"  # more than any case has rounds, so that the peer sees all of them


@dataclass(frozen=True, eq=False)
class Case:
    """One random sweep.

    Attributes
    ----------
    seed : int
    family : Family
    steps : sequence of Step
        Before the estimator; empty where it stands alone.
    table : Table
    cv : Cv
    fixed, grid : mapping
        Values with their texts, by the parameter's full name.
    scorers : sequence of str
        The one that decides first.
    early_stopping : bool
    labels : tuple
        Of the classes; empty for numbers.
    kinds : mapping of str to str
        What was drawn, by axis.
    """

    seed: int
    family: Family
    steps: Sequence[Step]
    table: Table
    cv: Cv
    fixed: Mapping[str, Written]
    grid: Mapping[str, Sequence[Written]]
    scorers: Sequence[str]
    early_stopping: bool
    labels: tuple[Any, ...]
    kinds: Mapping[str, str]

    @property
    def yaml(self) -> str:
        """The spec."""
        path = self.family.path
        steps = "".join(f"\n  - {step.name}: {step.path}" for step in self.steps)
        lines = [f"estimator:{steps}\n  - {MODEL}: {path}" if steps else f"estimator: {path}"]
        if self.fixed:
            lines.append("fixed: {" + ", ".join(f"{name}: {value.text}" for name, value in self.fixed.items()) + "}")
        lines.append("grid:")
        lines += [f"  {name}: [{', '.join(value.text for value in values)}]" for name, values in self.grid.items()]
        if len(self.scorers) == 1:
            lines.append(f"scoring: {self.scorers[0]}")
        else:
            lines += [f"scoring: [{', '.join(sorted(self.scorers))}]", f"refit: {self.scorers[0]}"]
        lines.append(f"cv: {self.cv.text}")
        return "\n".join([*lines, *([_EARLY_STOPPING] if self.early_stopping else [])]) + "\n"

    @property
    def known(self) -> Sequence[str]:
        """Which of ``KNOWN`` it is one of."""
        values = [*self.fixed.values(), *(value for values in self.grid.values() for value in values)]
        no_rounds = any(written.value == 0 for written in self._values("n_estimators"))
        softmax = any(written.value == "multi:softmax" for written in self._values("objective"))
        found = [
            any(isinstance(value.value, Mapping) for value in values) and not _are_codes(self.labels),
            any(step.works_in_place for step in self.steps),
            softmax and self.early_stopping,
            no_rounds and self.family.path.startswith("xgboost."),
            any(value.is_text_to_yaml_1_1 for value in values),
            self.kinds["groups"] in ("text", "numbers"),
        ]
        return [name for name, it_is in zip(KNOWN, found, strict=True) if it_is]

    def _values(self, parameter: str) -> list[Written]:
        pairs = [*self.fixed.items(), *((name, value) for name, values in self.grid.items() for value in values)]
        return [value for name, value in pairs if name.rpartition("__")[2] == parameter]


def random_case(seed: int) -> Case:
    """Draw the case of `seed`, always the same one where the same libraries are installed."""
    draw = Draw(seed)
    family = family_of(seed)
    features = _features(draw, family)
    steps = random_steps(draw, features, family)
    label_kind, labels = _labels(seed, draw, family)
    weighted = draw.chance(0.3 if "weights" in family.can else 0.05) and not (steps and family.path.endswith(_UNROUTED))
    groups = draw.one(GROUPS) if draw.chance(0.25) else ""
    table = random_table(draw, family.task, features, labels, weighted, groups)
    cv = random_cv(draw, family.task, bool(groups))
    fixed, grid = _parameters(draw, family, steps, labels)
    early = family.stops_early and not steps and draw.chance(0.7 if "softmax" in family.name else 0.25)
    if early:
        fixed["n_estimators"] = draw.written(draw.one([3, 5, 8]))
        grid.pop("n_estimators", None)
        grid = grid or {"max_depth": [draw.written(depth) for depth in (2, 3)]}
        fixed = {name: value for name, value in fixed.items() if name not in grid}
    scorers = random_scorers(draw, family, labels, alone=any(step.works_in_place for step in steps))
    kinds = {
        "family": family.name,
        "steps": " > ".join(step.kind for step in steps) or "none",
        "features": features,
        "labels": label_kind,
        "cv": cv.kind,
        "weights": str(weighted),
        "groups": groups or "none",
        "scorer": scorers[0],
        "scorers": "several" if len(scorers) > 1 else "one",
        "file": ".npz" if features == "sparse" else table.suffix,
        "early stopping": str(early),
    }
    return Case(seed, family, steps, table, cv, fixed, grid, scorers, early, labels, kinds)


def _features(draw: Draw, family: Family) -> str:
    """Draw a kind of features; seldom one that the family cannot take."""
    if draw.chance(0.04):
        return draw.one(FEATURES)
    wanted = ["dense", "missing", "categories", *(["sparse", "sparse"] if "sparse" in family.can else [])]
    other_library = family.path.startswith(("lightgbm.", "catboost."))
    return draw.one([name for name in wanted if not (name == "categories" and other_library)])


def _labels(seed: int, draw: Draw, family: Family) -> tuple[str, tuple[Any, ...]]:
    if family.task == "numbers":
        return "numbers", ()
    many = "multi:" in str(family.fixed.get("objective")) and draw.chance(0.9)
    kinds = [name for name, labels in LABELS.items() if not many or len(labels) > 2]
    kind = kinds[seed % len(kinds)]  # in turn, as the families
    labels = LABELS[kind]
    return kind, labels[: draw.one([size for size in (2, 3, 4) if len(labels) >= size > (2 if many else 1)])]


def _parameters(
    draw: Draw, family: Family, steps: Sequence[Step], labels: tuple[Any, ...]
) -> tuple[dict[str, Written], dict[str, Sequence[Written]]]:
    """Draw what is fixed and what varies, each value with its text."""
    prefix = f"{MODEL}__" if steps else ""
    fixed = {f"{prefix}{name}": value for name, value in family.fixed.items()}
    knobs = {f"{prefix}{name}": values for name, values in family.knobs.items()}
    for step in steps:
        fixed |= {f"{step.name}__{name}": value for name, value in step.fixed.items()}
        knobs |= {f"{step.name}__{name}": values for name, values in step.knobs.items()}
    varied = _varied(draw, list(knobs), prefix)
    grid: dict[str, list[Any]] = {}
    for name in varied:
        room = _MOST_CANDIDATES // max(1, _size(grid))
        values = _by_class(draw, family, labels) if knobs[name] is CLASS_WEIGHT else knobs[name]
        grid[name] = draw.some(values, 2, min(3, room)) if room > 1 else [draw.one(values)]
    for name in [name for name in knobs if name not in varied and knobs[name] is not CLASS_WEIGHT]:
        if name not in fixed and draw.chance(0.2):
            fixed[name] = draw.one(knobs[name])
    if draw.chance(0.06):
        name, value = draw.one(list(family.bad.items()))
        grid[f"{prefix}{name}"] = [value, *grid.get(f"{prefix}{name}", [_that_works(family, name)])[:2]]
    fixed = {name: value for name, value in fixed.items() if name not in grid}
    return (
        {name: draw.written(value) for name, value in fixed.items()},
        {name: [draw.written(value) for value in values] for name, values in grid.items()},
    )


def _that_works(family: Family, name: str) -> Any:
    """Return a value that works, beside one that does not."""
    return next((value for value in family.knobs.get(name, [3]) if value != family.bad[name]), 3)


def _varied(draw: Draw, names: list[str], prefix: str) -> list[str]:
    """Draw one to three parameters to vary, one of the estimator's most important ones among them."""
    own = [name for name in names if name.startswith(prefix) or not prefix]
    first = [own[0]] if draw.chance(0.5) else [draw.one(own)]
    weighed = [name for name in own if name.endswith("class_weight") and draw.chance(0.4)]
    return list(dict.fromkeys([*first, *weighed, *draw.some(names, 0, 1)]))[:3]


def _size(grid: Mapping[str, Sequence[Any]]) -> int:
    size = 1
    for values in grid.values():
        size *= len(values)
    return size


def _by_class(draw: Draw, family: Family, labels: tuple[Any, ...]) -> list[Any]:
    """Weights by class: scikit-learn's own, and weights keyed by all of the labels or by one."""
    if family.keyed_by_code and not _are_codes(labels):
        return [None, "balanced"]
    every = {label: draw.one([1, 2, 5, 0.5]) for label in labels}
    return [draw.one([None, "balanced"]), every, {draw.one(labels): draw.one([8, 20])}]


def _are_codes(labels: Sequence[Any]) -> bool:
    return sorted(labels) == [*range(len(labels))]
