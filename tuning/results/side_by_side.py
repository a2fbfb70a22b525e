"""Sweeps side by side: who is best, by how much where that can be said, what they have in common, and what differed.

Scores of two sweeps are compared fold by fold where both had the same folds: the same rows, by their targets, in the
same parts. Where they had not, a difference of means says as much about the rows as about the models, so none is given.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errors import GridfoldError
from tuning.candidates import as_json
from tuning.naming import short_value
from tuning.results.statistics import Difference, paired_difference


@dataclass(frozen=True, eq=False)
class Swept:
    """What is left of a sweep when it has ended.

    Attributes
    ----------
    label : str
        ``A``, ``B``: short, to be told apart in a table.
    run_id, title : str
    scorer : str
        The one that chose the winner.
    target : str
        What was to be predicted, and a digest of the labels to choose from.
    folds : str
        Stands for the folds; empty where the run does not say.
    test_share : float
        Rows tested on over rows trained on.
    seconds : float
        From the run's beginning to its end.
    table : DataFrame
        As scikit-learn's ``cv_results_``.
    params : sequence of mapping
        Of each candidate, what the spec fixes for all included.
    best : int
        The winner's row.
    about : mapping of str to mapping of str to str
        What may differ from other sweeps, by kind and name.
    """

    label: str
    run_id: str
    title: str
    scorer: str
    target: str
    folds: str
    test_share: float
    seconds: float
    table: pd.DataFrame
    params: Sequence[Mapping[str, Any]]
    best: int
    about: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """Of the table."""
        return [str(name) for name in self.table.columns]

    @property
    def scorers(self) -> list[str]:
        """Names of all scorers of the table; the deciding one where it has no name there."""
        names = [column.removeprefix("mean_test_") for column in self.columns if column.startswith("mean_test_")]
        return [self.scorer] if names == ["score"] else names

    def splits(self, scorer: str, row: int | None = None) -> NDArray[np.float64]:
        """Scores by fold of the winner, or of another row."""
        ending = f"_test_{'score' if 'mean_test_score' in self.table else scorer}"
        columns = [name for name in self.columns if name.startswith("split") and name.endswith(ending)]
        columns.sort(key=lambda name: int(name.removeprefix("split").removesuffix(ending)))
        scores: NDArray[np.float64] = self.table[columns].to_numpy(np.float64)[self.best if row is None else row]
        return scores

    @property
    def name(self) -> str:
        """The winner's parameters, those that vary in the sweep."""
        varied = [name for name in self.columns if name.startswith("param_")]
        values = {name.removeprefix("param_"): self.table[name].iloc[self.best] for name in varied}
        return " ".join(f"{name}={short_value(value)}" for name, value in values.items() if not pd.isna(value))

    @property
    def fit_seconds(self) -> float:
        """Of all fits and their scoring, one after the other."""
        times = self.table[["mean_fit_time", "mean_score_time"]].sum(axis=1)
        return float((times * len(self.splits(self.scorer))).sum())

    @property
    def keys(self) -> dict[str, int]:
        """The row of each candidate, by its estimator and all its parameters."""
        estimator = self.about.get("spec", {}).get("estimator", "")
        return {as_json([estimator, dict(params)]): row for row, params in enumerate(self.params)}


@dataclass(frozen=True)
class Shared:
    """What two sweeps have in common.

    Attributes
    ----------
    first, second : str
        Their labels.
    candidates : int
        In both.
    difference : float or None
        The largest of a score on a fold of those; None where the folds differ, or there is none.
    """

    first: str
    second: str
    candidates: int
    difference: float | None


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Sweeps, the best first.

    Attributes
    ----------
    scorer : str
        What they are compared by.
    sweeps : sequence of Swept
    behind : mapping of str to Difference
        How much better the best one's winner is, by label, where the folds agree.
    why_not : mapping of str to str
        Why nothing is said of others.
    shared : sequence of Shared
    differs : mapping of str to mapping of str to str
        What is not the same in all, by kind and name: what each has.
    """

    scorer: str
    sweeps: Sequence[Swept]
    behind: Mapping[str, Difference]
    why_not: Mapping[str, str]
    shared: Sequence[Shared]
    differs: Mapping[tuple[str, str], Mapping[str, str]]


def side_by_side(sweeps: Sequence[Swept]) -> SideBySide:
    """Compare `sweeps` with the best of them.

    Raises
    ------
    GridfoldError
        They predict different things, or no scorer is in all.
    """
    first = sweeps[0]
    for other in sweeps[1:]:
        if other.target != first.target:
            raise GridfoldError(
                f"-P runs: {first.run_id} predicts {first.target}, {other.run_id} predicts {other.target}. Sweeps of "
                "other targets cannot be compared: leave one out."
            )
    scorer = _common_scorer(sweeps)
    ranked = sorted(sweeps, key=lambda each: -_mean(each, scorer))
    best = ranked[0]
    behind, why_not = {}, {}
    for each in ranked[1:]:
        if reason := _not_paired(best, each):
            why_not[each.label] = reason
        else:
            behind[each.label] = paired_difference(
                best.splits(scorer).tolist(), each.splits(scorer).tolist(), best.test_share
            )
    shared = [_shared(*pair, scorer) for pair in combinations(ranked, 2)]
    return SideBySide(scorer, ranked, behind, why_not, shared, _differing(ranked))


def _common_scorer(sweeps: Sequence[Swept]) -> str:
    wanted = [sweeps[0].scorer, *sweeps[0].scorers]
    found = next((name for name in wanted if all(name in each.scorers for each in sweeps)), None)
    if found is None:
        found_in = "; ".join(f"{each.run_id} has {', '.join(each.scorers)}" for each in sweeps)
        raise GridfoldError(
            f"-P runs: no scorer is in all of them ({found_in}). Compare sweeps that have one in common."
        )
    return found


def _mean(sweep: Swept, scorer: str) -> float:
    mean = float(sweep.splits(scorer).mean())
    return -math.inf if math.isnan(mean) else mean


def _not_paired(first: Swept, second: Swept) -> str:
    """Say why two sweeps cannot be paired fold by fold; empty where they can."""
    if not first.folds or not second.folds:
        return f"the run of {(second if first.folds else first).label} does not say which folds it had"
    return "" if first.folds == second.folds else f"its folds are not those of {first.label}"


def _shared(first: Swept, second: Swept, scorer: str) -> Shared:
    ours, theirs = first.keys, second.keys
    common = [key for key in ours if key in theirs]
    difference = None
    if common and not _not_paired(first, second):
        gaps = [np.abs(first.splits(scorer, ours[key]) - second.splits(scorer, theirs[key])) for key in common]
        known = np.concatenate(gaps)
        known = known[np.isfinite(known)]
        difference = float(known.max()) if known.size else None
    return Shared(first.label, second.label, len(common), difference)


def _differing(sweeps: Sequence[Swept]) -> dict[tuple[str, str], dict[str, str]]:
    names = dict.fromkeys((kind, name) for each in sweeps for kind, facts in each.about.items() for name in facts)
    values_of = {key: {each.label: each.about.get(key[0], {}).get(key[1], "") for each in sweeps} for key in names}
    return {key: values for key, values in values_of.items() if len(set(values.values())) > 1}
