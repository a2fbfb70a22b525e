"""From features to what a sweep takes: rows to learn from, and rows that it never sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entrypoints.data.kept_rows import KeptRows
from features import FeatureMatrix
from features.featurizer import Featurizer
from release.drift import Distribution
from tuning import Dataset
from tuning.linting import Finding

_EXAMPLE = np.arange(5)


@dataclass(frozen=True, eq=False)
class Rows:
    """All that a sweep learns from and is judged on, and what the run says of it.

    Attributes
    ----------
    train : Dataset
    holdout : Dataset or None
        Rows that no fold sees; None where nothing is held out.
    fingerprint : str
        Stands for the content and for what was asked of it.
    source : str
        Where it came from, in the person's words.
    example : csr_matrix or DataFrame of shape (n_rows, n_columns)
        A few training rows as they come from the source, before any encoding.
    schema : mapping of str to str
        Data types of the columns by name; empty where they all are the same.
    one_hot : bool
        Whether the categories in `example` are columns of their own in `train`.
    plain_names : bool
        Whether the columns of `train` have ``gridfold_model.plain_names`` in place of their own.
    name : str
        Of the data in the run's list of inputs.
    about : str
        What they are, in a few words.
    targets : sequence of str
        Names of the columns to predict, where they are several.
    featurizer : Featurizer or None
        Makes such rows of other devices; None for a table of one's own.
    learned : Distribution or None
        Of the training rows of a table, column by column; of devices it is made when it is needed.
    kept : KeptRows or None
        What the run keeps for promotions; None for devices, whose ids tell, and for a matrix.
    found : sequence of Finding
        What the audit has found.
    """

    train: Dataset
    holdout: Dataset | None
    fingerprint: str
    source: str
    example: Any
    schema: Mapping[str, str] = field(default_factory=dict)
    one_hot: bool = False
    plain_names: bool = False
    name: str = "features"
    about: str = ""
    targets: Sequence[str] = ()
    featurizer: Featurizer | None = None
    learned: Distribution | None = None
    kept: KeptRows | None = None
    found: Sequence[Finding] = ()

    @property
    def distribution(self) -> Distribution | None:
        """Of the training rows, for those who look how far new ones stand from them; None for a matrix."""
        if self.featurizer is None:
            return self.learned
        sets = self.featurizer.columns["set"].to_list()
        return Distribution.of_features(self.train.X, self.train.columns, sets)

    @property
    def columns(self) -> Sequence[str]:
        """Names of the columns of `example`; may be empty."""
        return list(self.schema) or self.train.columns


def featured_rows(matrix: FeatureMatrix, source: str, featurizer: Featurizer | None = None) -> Rows:
    """Put the two parts of `matrix`, made of the data at `source`, beside what the run says of them."""
    train, holdout = training_and_holdout(matrix)
    name = str(matrix.manifest["fingerprint"])
    return Rows(train, holdout, name, source, first_rows(train.X), featurizer=featurizer)


def training_and_holdout(matrix: FeatureMatrix) -> tuple[Dataset, Dataset | None]:
    """Split `matrix` as its rows say; the second part is None where nothing is held out.

    Labels become codes over all of the matrix's labels, so that both parts speak of the same classes.
    """
    classes, codes = np.unique(matrix.rows["label"].to_numpy().astype(str), return_inverse=True)

    def part(rows: NDArray[np.intp]) -> Dataset:
        names, keys = matrix.columns["name"].to_list(), matrix.rows["device_id"].to_numpy()
        return Dataset(matrix.X[rows], codes[rows], classes=classes, columns=names, ids=keys[rows])

    return part(matrix.train_rows), part(matrix.holdout_rows) if len(matrix.holdout_rows) else None


def first_rows(X: Any) -> Any:
    """Return the few rows that are shown beside a model."""
    return Dataset(X, np.empty(X.shape[0])).rows(_EXAMPLE[: X.shape[0]]).X
