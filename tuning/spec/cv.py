"""How the training rows are split: one of six kinds, told apart by their keys.

| written | the splitter of scikit-learn's |
| --- | --- |
| ``{folds: 5, shuffle: true, seed: 0}`` | StratifiedKFold, KFold; with groups StratifiedGroupKFold, GroupKFold |
| ``{folds: 5, repeats: 3, seed: 0}`` | RepeatedStratifiedKFold, RepeatedKFold; with groups as those would repeat them |
| ``{folds: 5, by: time, gap: 7, column: DATE}`` | TimeSeriesSplit over the rows in the column's order |
| ``{column: FOLD}`` | PredefinedSplit |
| ``{leave: group}`` | LeaveOneGroupOut |
| ``{class: sklearn.model_selection.ShuffleSplit, n_splits: 5}`` | any |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from errors import SpecError
from tuning.spec.messages import problem
from tuning.spec.objects import build
from tuning.spec.part import SpecPart

Kind = Literal["folds", "repeats", "time", "column", "leave", "splitter"]

_KEYS: Mapping[Kind, frozenset[str]] = {
    "folds": frozenset({"folds", "shuffle", "seed"}),
    "repeats": frozenset({"folds", "repeats", "seed"}),
    "time": frozenset({"folds", "by", "gap", "column"}),
    "column": frozenset({"column"}),
    "leave": frozenset({"leave"}),
    "splitter": frozenset({"splitter"}),
}


class CvSpec(SpecPart):
    """How the training rows are split.

    Attributes
    ----------
    folds : int
        At least 2. Classification folds are stratified; rows of one group, where there are groups, stay together.
    shuffle : bool
        Files are seldom in random order, so on by default.
    seed : int
        Of the shuffle.
    repeats : int or None
        How often the rows are shuffled and split anew.
    by : "time" or None
        Each fold is tested on the rows that come next, and trains on all before them.
    gap : int
        Rows left out between the two, by time.
    column : str or None
        With ``by``, what the rows are ordered by; alone, the fold that each row is tested in, -1 for rows that are
        trained on always.
    leave : "group" or None
        Each group is tested on once.
    splitter : mapping or None
        A splitter as an object: ``class`` and its parameters.
    """

    folds: int = Field(default=5, ge=2, strict=True)
    shuffle: bool = Field(default=True, strict=True)
    seed: int = Field(default=0, ge=0, strict=True)
    repeats: int | None = Field(default=None, ge=1, strict=True)
    by: Literal["time"] | None = None
    gap: int = Field(default=0, ge=0, strict=True)
    column: str | None = Field(default=None, min_length=1)
    leave: Literal["group"] | None = None
    splitter: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _objects_are_splitters(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"splitter": {"class": given}}
        if isinstance(given, Mapping) and "class" in given:
            return {"splitter": dict(given)}
        if isinstance(given, Mapping) and isinstance(given.get("splitter"), str):
            raise problem(f"a splitter is written as an object. Write {{class: {given['splitter']}, ...}}", "splitter")
        return given

    @model_validator(mode="after")
    def _keys_go_together(self) -> CvSpec:
        for name in sorted(self.model_fields_set - _KEYS[self.kind]):
            if getattr(self, name) != type(self).model_fields[name].default:
                raise problem(f"{name} does not go with {self._chosen_by}. Remove one of the two", name)
        if self.kind == "splitter":
            try:
                splitter_of(self)
            except SpecError as error:
                raise problem(str(error).removesuffix("."), "class") from error
        return self

    @property
    def kind(self) -> Kind:
        """Which of the ways to split it is."""
        if self.splitter is not None:
            return "splitter"
        if self.leave is not None:
            return "leave"
        if self.by is not None:
            return "time"
        if self.column is not None:
            return "column"
        return "folds" if self.repeats is None else "repeats"

    @property
    def _chosen_by(self) -> str:
        words = {"time": "by: time", "leave": "leave: group", "splitter": "class"}
        return words.get(self.kind, self.kind)

    @property
    def n_folds(self) -> int | None:
        """How many folds there will be; None where the data or a splitter decides."""
        if self.kind in ("folds", "time"):
            return self.folds
        return None if self.repeats is None else self.folds * self.repeats


def splitter_of(cv: CvSpec) -> Any:
    """Build the splitter that `cv` names as an object.

    Raises
    ------
    SpecError
        There is no such splitter, or it does not take these parameters.
    """
    splitter = build(dict(cv.splitter or {}))
    if not (callable(getattr(splitter, "split", None)) and callable(getattr(splitter, "get_n_splits", None))):
        path = (cv.splitter or {}).get("class")
        raise SpecError(f"'{path}' is not a splitter of scikit-learn's kind. Name a class with split and get_n_splits.")
    return splitter
