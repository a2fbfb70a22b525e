"""The runs of a sweep's candidates: one child each, written in as few requests as MLflow allows.

A candidate costs one ``create_run`` with all its tags, one ``log_batch`` per flush that has news of it, one
``set_terminated`` and, when the ranks are known, one more ``log_batch`` (``benchmarks/tracking_cost.py``). Nothing is
ever read back, so the thousandth child costs what the first did.

A child holds what is needed to rebuild its FoldScores: ``candidate.params`` (JSON, since MLflow's params are strings),
the split scores as metrics, and ``candidate.folds`` (fit seconds, score seconds and share by fold), a tag rather than
three more metrics per fold, which would crowd the metrics that a person chooses from. Where the sweep has a memory, the
tags ``candidate.cells`` say the same under the cells' addresses (``tracking.cells``), for sweeps on other machines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.utils.time import get_current_time_millis

from errors import TrackingError
from tracking import store
from tracking.cells import CURVES_FILE, SHARED, cell_tags, cells_of
from tracking.heading import CANDIDATE, KIND
from tracking.runs import EntryRun
from tuning.candidates import Candidate, as_json
from tuning.results.fold_score import FoldScore
from tuning.results.round_curves import mean_curve, steps
from tuning.results.standings import settle
from tuning.results.sweep_result import SweepResult

PARENT = "mlflow.parentRunId"
KEY = "candidate.key"
PARAMS = "candidate.params"
FOLDS = "candidate.folds"
WARNING = "candidate.warning"
STOPPED = "candidate.stopped"
ERROR = "candidate.error"
ERROR_FILE = "error.txt"
_NAME_LIMIT = 250


@dataclass
class _Child:
    """An open child: its run, and the folds that it has had so far."""

    run_id: str = ""
    scores: dict[int, FoldScore] = field(default_factory=dict)
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)


class ChildRuns:
    """The children of one sweep's run.

    Parameters
    ----------
    parent : EntryRun
    fixed : mapping of str to object
        Parameters that all candidates share; every child shows them beside its own.
    scorers : sequence of str
    n_folds : int
        A child that has had this many folds in full is complete and ends.
    settles : bool
        Whether the folds choose the number of rounds together: a child's scores are those at their common choice, so
        none is shown before it is known.
    """

    def __init__(
        self,
        parent: EntryRun,
        fixed: Mapping[str, Any],
        scorers: Sequence[str],
        n_folds: int,
        settles: bool = False,
    ) -> None:
        self._parent = parent
        self._client = parent.client
        self._fixed = fixed
        self._suffixes = suffixes(scorers)
        self._n_folds = n_folds
        self._settles = settles
        self._open: dict[Candidate, _Child] = {}
        self._ended: dict[Candidate, str] = {}

    def record(self, candidate: Candidate, scores: Sequence[FoldScore]) -> Mapping[str, float] | None:
        """Write the folds that a candidate has newly had; the first of them makes its run, the last one ends it.

        Returns
        -------
        mapping of str to float, or None
            The candidate's mean score by scorer where it is now complete, empty where it failed; else None.
        """
        known = self._open.get(candidate)
        child = known or _Child()
        child.scores |= {score.fold: score for score in scores}
        child.cells |= cells_of(scores)
        complete = len(child.scores) == self._n_folds and all(score.share == 1.0 for score in child.scores.values())
        metrics = self._split_metrics(() if self._settles else scores) | (self._judged(child) if complete else {})
        tags, params = _progress_tags(child), {}
        if known is None:  # tags that come with the run cost nothing, later ones a transaction
            child.run_id = self._create(candidate, scores[0], tags)
            self._open[candidate] = child
            tags, params = {}, {**self._fixed, **candidate.params}
        self._client.log_batch(child.run_id, store.as_metrics(metrics), store.as_params(params), store.as_tags(tags))
        if not complete:
            return None
        self._end(candidate, child)
        return {name: metrics[f"mean_test_{end}"] for name, end in self._suffixes.items() if not _errors(child)}

    def conclude(self, result: SweepResult) -> None:
        """End the children of candidates that were stopped early, and write what only the whole sweep knows: ranks."""
        for candidate in list(self._open):
            self._stop(candidate, result.fold_scores[candidate])
        table = result.cv_results()
        names = [f"rank_test_{suffix}" for suffix in self._suffixes.values()]
        failed = set(result.failed)
        for place, candidate in enumerate(result.candidates):
            if candidate in self._ended and candidate not in failed:
                known = {name: table[name][place] for name in names}
                self._client.log_batch(self._ended[candidate], store.as_metrics(known))

    def close(self, status: str) -> None:
        """End the children that are still open as `status`, as far as the store lets us.

        They are open because something has broken the sweep off, and that is the error worth showing.
        """
        while self._open:
            _, child = self._open.popitem()
            with suppress(MlflowException, TrackingError):
                self._client.set_terminated(child.run_id, status)

    def _create(self, candidate: Candidate, first: FoldScore, progress: Mapping[str, str]) -> str:
        started = get_current_time_millis() - round(1000 * (first.fit_seconds + first.score_seconds))
        tags = self._parent.inherited_tags() | {
            PARENT: self._parent.run_id,
            KIND: CANDIDATE,
            KEY: candidate.key,
            PARAMS: store.text(as_json(candidate.params), store.TAG_LIMIT),
            **progress,
        }
        name = store.text(candidate.name, _NAME_LIMIT)
        run = self._client.create_run(self._parent.experiment_id, start_time=started, tags=tags, run_name=name)
        return str(run.info.run_id)

    def _stop(self, candidate: Candidate, scores: Sequence[FoldScore]) -> None:
        """End a child that the strategy or the budget has stopped: KILLED, so that FINISHED means all folds in full."""
        child = self._open[candidate]
        in_full = sum(score.share == 1.0 for score in child.scores.values())
        words = f"after {in_full} of {self._n_folds} folds in full"
        metrics = self._split_metrics(scores if self._settles else ())
        self._client.log_batch(child.run_id, store.as_metrics(metrics), tags=store.as_tags({STOPPED: words}))
        self._end(candidate, child, "KILLED")

    def _end(self, candidate: Candidate, child: _Child, status: str = "FINISHED") -> None:
        errors = _errors(child)
        if errors:
            self._client.log_text(child.run_id, "\n".join(errors) + "\n", ERROR_FILE)
        if any(score.curves for score in child.scores.values()):
            self._client.log_text(child.run_id, _curves_table(child), CURVES_FILE)
            self._log_curves(child)
        self._client.set_terminated(child.run_id, "FAILED" if errors else status)
        self._ended[candidate] = child.run_id
        del self._open[candidate]

    def _log_curves(self, child: _Child) -> None:
        """Write the mean curve of each scorer as a metric whose steps are rounds, for MLflow's own charts."""
        scores = [score for _, score in sorted(child.scores.items())]
        _, chosen = settle(child.scores)
        for name, suffix in self._suffixes.items():
            curve = mean_curve(scores, name)
            metrics = [
                metric
                for step in steps(len(curve), chosen)
                for metric in store.as_metrics({f"test_{suffix}_by_round": curve[step - 1]}, step)
            ]
            if metrics:
                self._client.log_batch(child.run_id, metrics)

    def _split_metrics(self, scores: Sequence[FoldScore]) -> dict[str, float]:
        return {
            f"split{score.fold}_test_{suffix}": score.scores[name]
            for score in scores
            for name, suffix in self._suffixes.items()
            if name in score.scores
        }

    def _judged(self, child: _Child) -> dict[str, float]:
        """Means over the folds under scikit-learn's names; none of the scores where a fold failed."""
        settled, rounds = settle(child.scores)
        folds = list(settled.values())
        summary = self._split_metrics(folds if self._settles else ()) | {
            "mean_fit_time": float(np.mean([score.fit_seconds for score in folds])),
            "mean_score_time": float(np.mean([score.score_seconds for score in folds])),
        }
        for name, suffix in {} if _errors(child) else self._suffixes.items():
            splits = [score.scores[name] for score in folds]
            summary |= {f"mean_test_{suffix}": float(np.mean(splits)), f"std_test_{suffix}": float(np.std(splits))}
        return summary if rounds is None or _errors(child) else summary | {"rounds": rounds}


def suffixes(scorers: Sequence[str]) -> dict[str, str]:
    """Return what a scorer's columns end in, as GridSearchCV has it: ``score`` for an only one, else its name."""
    return {scorers[0]: "score"} if len(scorers) == 1 else {name: name for name in scorers}


def _progress_tags(child: _Child) -> dict[str, str]:
    scores = sorted(child.scores.items())
    folds = {fold: (round(s.fit_seconds, 3), round(s.score_seconds, 3), s.share) for fold, s in scores}
    tags = {FOLDS: json.dumps(folds), **cell_tags(child.cells)}
    if shared := dict.fromkeys(score.shared for _, score in scores if score.shared):
        tags[SHARED] = " | ".join(shared)
    if errors := _errors(child):
        tags[ERROR] = errors[0]
    if warnings := [f"fold {fold}: {score.warning}" for fold, score in scores if score.warning]:
        tags[WARNING] = warnings[0]
    return tags


def _curves_table(child: _Child) -> str:
    """Return the test scores after each boosting round, as CSV with a column per fold and scorer."""
    columns = {
        f"split{fold}_{scorer}": pd.Series(curve)
        for fold, score in sorted(child.scores.items())
        for scorer, curve in score.curves.items()
    }
    table = pd.DataFrame(columns)
    table.index = pd.RangeIndex(1, len(table) + 1, name="rounds")
    return str(table.to_csv())


def _errors(child: _Child) -> list[str]:
    return [f"fold {fold}: {score.error}" for fold, score in sorted(child.scores.items()) if score.error]
