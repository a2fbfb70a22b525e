"""A case: one random sweep, written as a person would and as GridSearchCV takes it.

What a case is made of is drawn axis by axis (family, steps, grid, scorers, folds, weights, groups, labels, features);
``kinds`` keeps what was drawn, so that a test can count whether each kind comes often enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.differential.drawing import Draw, Object, Written
from benchmarks.differential.families import Family, family_of
from benchmarks.differential.folds import Cv, random_cv
from benchmarks.differential.parameters import MODEL, Parameters, are_codes, random_parameters
from benchmarks.differential.scorers import random_scorers
from benchmarks.differential.steps import ColumnsStep, Step, random_steps
from benchmarks.differential.tables import FEATURES, GROUPS, LABELS, Table, random_table

KNOWN = (
    "keyed by label",
    "works in place",
    "ids for probabilities",
    "no rounds",
    "YAML 1.1 numbers",
    "groups out of order",
)
"""Kinds of sweep that once ended in wrong numbers without a word."""

_UNROUTED = (".BaggingClassifier", ".BaggingRegressor", ".AdaBoostClassifier", ".AdaBoostRegressor",
             ".CalibratedClassifierCV", ".StackingClassifier", ".VotingRegressor", ".TransformedTargetRegressor",
             ".CatBoostClassifier", ".CatBoostRegressor")  # fmt: skip
# In a pipeline the peer's scores are weighed by metadata routing, which these have not, or not without more words.

_EARLY_STOPPING = "early_stopping: {patience: 50}"  # more than any case has rounds, so that the peer sees all of them


@dataclass(frozen=True, eq=False)
class Case:
    """One random sweep.

    Attributes
    ----------
    seed : int
    family : Family
    model : Written
        The last step, without its parameters.
    steps : sequence of Step
        Before the estimator; empty where it stands alone.
    table : Table
    cv : Cv
    parameters : Parameters
        What is fixed and what varies.
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
    model: Written
    steps: Sequence[Step]
    table: Table
    cv: Cv
    parameters: Parameters
    scorers: Sequence[str]
    early_stopping: bool
    labels: tuple[Any, ...]
    kinds: Mapping[str, str]

    @property
    def yaml(self) -> str:
        """The spec."""
        lines = [f"  - {step.name}: {step.text}" for step in self.steps]
        model = self.model.text
        lines = ["estimator:", *lines, f"  - {MODEL}: {model}"] if lines else [f"estimator: {model}"]
        lines += self.parameters.yaml
        if len(self.scorers) == 1:
            lines.append(f"scoring: {self.scorers[0]}")
        else:
            lines += [f"scoring: [{', '.join(sorted(self.scorers))}]", f"refit: {self.scorers[0]}"]
        lines.append(f"cv: {self.cv.text}")
        return "\n".join([*lines, *([_EARLY_STOPPING] if self.early_stopping else [])]) + "\n"

    @property
    def known(self) -> Sequence[str]:
        """Which of ``KNOWN`` it is one of."""
        values = self.parameters.values()
        found = [
            any(isinstance(value.value, Mapping) for value in values) and not are_codes(self.labels),
            any(step.works_in_place for step in self.steps),
            self.early_stopping
            and any(value.value == "multi:softmax" for value in self.parameters.values("objective")),
            self.family.path.startswith("xgboost.") and 0 in [v.value for v in self.parameters.values("n_estimators")],
            any(value.is_text_to_yaml_1_1 for value in values),
            self.kinds["groups"] in ("text", "numbers"),
        ]
        return [name for name, it_is in zip(KNOWN, found, strict=True) if it_is]


def random_case(seed: int) -> Case:
    """Draw the case of `seed`, always the same one where the same libraries are installed."""
    draw = Draw(seed)
    family = family_of(seed)
    features = _features(draw, family)
    steps = random_steps(draw, features, family)
    label_kind, labels = _labels(seed, draw, family)
    unrouted = bool(steps) and family.path.endswith(_UNROUTED)
    unweighable = unrouted or any(step.resamples or isinstance(step, ColumnsStep) for step in steps)
    weighted = not unweighable and draw.chance(0.3 if "weights" in family.can else 0.05)
    groups = draw.one(GROUPS) if draw.chance(0.25) else ""
    cv = random_cv(draw, family.task, bool(groups))
    table = random_table(draw, family.task, features, labels, weighted, groups, cv.kind)
    parameters = random_parameters(draw, family, steps, labels)
    early = family.stops_early and draw.chance(0.7 if "softmax" in family.name else 0.2)
    if early:
        parameters = parameters.stopped_early(draw, f"{MODEL}__" if steps else "")
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
        "grids": "several" if len(parameters.grids) > 1 else "one",
    }
    model = draw.written(Object(family.path, family.needs))
    model = model if family.needs else replace(model, text=family.path)
    return Case(seed, family, model, steps, table, cv, parameters, scorers, early, labels, kinds)


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
