"""The live record of a search in a program of the user's own: of scikit-learn's kind, or of a spec.

The parent is the run that the program has open, which stays open, or one of our own. A record is worth less than the
search: where the store refuses, that is said in a warning, once, and the search goes on.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import mlflow
import pandas as pd
from mlflow.tracking.context.registry import resolve_tags
from mlflow.tracking.fluent import _get_experiment_id

from errors import TrackingError
from tracking import store
from tracking.heading import KIND, SWEEP, mark_score
from tracking.recorder import SweepRecorder
from tracking.runs import EntryRun
from tuning.candidates import Candidate
from tuning.naming import Names
from tuning.results.fold_score import FoldScore
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec

TABLE = "cv_results.csv"
_WAIT = 30.0  # the table is in the program's memory


@contextmanager
def parent_run(name: str) -> Iterator[EntryRun]:
    """Give the run that the program has open, and leave it open; else one called `name`, ended with the block.

    Raises
    ------
    TrackingError
        The store cannot be reached.
    """
    client = store.connect(whole_process=False)
    active = mlflow.active_run()
    open_run = active.info.run_id if active else os.environ.get("MLFLOW_RUN_ID")
    if open_run:
        with store.refusals(f"open the run {open_run}"):
            run = client.get_run(open_run)
        yield EntryRun(client, run)
        return
    with store.refusals(f"create the run '{name}'"):
        tags = resolve_tags({"mlflow.source.name": Path(sys.argv[0]).name or name})
        made = client.create_run(_get_experiment_id(), tags=tags, run_name=name)
    with EntryRun(client, made) as own:
        own.is_ours_to_name = True
        yield own


@contextmanager
def sweep_record(name: str) -> Iterator[tuple[EntryRun, SweepRecorder]]:
    """Give the parent of a sweep, and what records its candidates below it."""
    with parent_run(name) as run, SweepRecorder(run, _WAIT) as recorder:
        yield run, recorder


class _Safely:
    """Writes until the store refuses; the first refusal is warned of, and what comes after it is dropped."""

    def __init__(self) -> None:
        self._refused = False

    def __call__(self, write: Callable[[], None]) -> None:
        if self._refused:
            return
        try:
            write()
        except TrackingError as error:
            self._refused = True
            warn_of(error)


class Dispensable:
    """An observer like another, whose refusals by the store end nothing; the first of them is warned of.

    Parameters
    ----------
    recorder : SweepRecorder
    """

    def __init__(self, recorder: SweepRecorder) -> None:
        self._recorder = recorder
        self._safely = _Safely()

    def started(self, spec: SweepSpec, n_candidates: int | None, n_folds: int) -> None:
        """Open the record."""
        self._recorder.started(spec, n_candidates, n_folds)

    def scored(self, scores: list[FoldScore]) -> None:
        """Record these scores, if the store still takes any."""
        self._safely(lambda: self._recorder.scored(scores))

    def ended(self, result: SweepResult) -> None:
        """Conclude the record."""
        self._safely(lambda: self._recorder.ended(result))


def warn_of(error: TrackingError) -> None:
    """Say that a search has no record, or not all of it."""
    warnings.warn(f"The search goes on without its record. {error}", stacklevel=3)


class SearchRecord:
    """Observes one search of scikit-learn's kind; use it as a ``with`` block around its ``fit``.

    Its runs are made when the first scores come: until then the search may still refuse what it was given, and only
    scores tell the scorers' names.

    Parameters
    ----------
    search : object
    """

    def __init__(self, search: Any) -> None:
        self._search = search
        self._scores: dict[Candidate, dict[int, FoldScore]] = {}
        self._n_folds = 0
        self._names: Names | None = None
        self._began = time.perf_counter()
        self._context: Any = None
        self._run: EntryRun | None = None
        self._recorder: SweepRecorder | None = None
        self._safely = _Safely()

    def scored(self, outcomes: list[Any], n_candidates: int, n_folds: int) -> None:
        """Record what has just ended."""
        self._n_folds = n_folds
        for outcome in outcomes:
            self._scores.setdefault(outcome.candidate, {})[outcome.fold] = outcome
        self._names = self._names or _names(self._search, n_candidates)
        self._safely(lambda: self._write(outcomes))

    def ended(self, search: Any) -> None:
        """Record the winner and the table."""
        self._safely(lambda: self._conclude(search))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._context is not None:
            with suppress(TrackingError):
                self._context.__exit__(kind, error, at)

    def _write(self, outcomes: list[Any]) -> None:
        if self._recorder is None:
            self._begin()
        assert self._recorder is not None
        assert self._names is not None
        named = [self._names.named(outcome.candidate, outcome.candidate.number + 1) for outcome in outcomes]
        self._recorder.scored([replace(each, candidate=name) for each, name in zip(outcomes, named, strict=True)])

    def _begin(self) -> None:
        estimator = type(self._search.estimator).__name__
        context = sweep_record(f"{type(self._search).__name__} {estimator}")
        self._run, self._recorder = context.__enter__()
        self._context = context
        self._run.set_tags({KIND: SWEEP})
        self._run.entitle(self._run.name)
        names = next((tuple(each.scores) for each in self._each_score() if each.scores), ("score",))
        self._scorers = names
        self._deciding = self._search.refit if self._search.refit in names else names[0]
        self._recorder.begin({}, names, self._deciding, self._n_folds)

    def _each_score(self) -> Iterator[FoldScore]:
        for folds in self._scores.values():
            yield from folds.values()

    def _conclude(self, search: Any) -> None:
        if self._recorder is None or self._run is None:
            return
        run, result = self._run, self._result()
        self._recorder.ended(result)
        run.log_metrics(
            {"candidates": len(result.candidates), "fits": result.n_fits, "failed": len(result.failed)}
            | ({f"best_{self._deciding}": search.best_score_} if hasattr(search, "best_score_") else {})
        )
        if hasattr(search, "best_params_"):
            run.log_best_params(search.best_params_)
        run.log_text(pd.DataFrame(search.cv_results_).to_csv(index=False), TABLE)
        run.set_tags({"gridfold.plan": getattr(search, "how_it_ran", "")})
        if hasattr(search, "best_score_"):
            mark_score(run, search.best_score_)

    def _result(self) -> SweepResult:
        scores = {each: [folds[fold] for fold in sorted(folds)] for each, folds in self._scores.items()}
        seconds = time.perf_counter() - self._began
        n_units = sum(len(folds) for folds in scores.values())
        return SweepResult(list(scores), scores, self._n_folds, self._scorers, self._deciding, n_units, seconds)


def _names(search: Any, n_candidates: int) -> Names:
    """Return what names the candidates of a search: what varies in them is what it was given lists or ranges of."""
    given = getattr(search, "param_grid", None) or getattr(search, "param_distributions", None) or {}
    grids = [given] if isinstance(given, Mapping) else list(given)
    listed = [{name: list(values) for name, values in grid.items() if not hasattr(values, "rvs")} for grid in grids]
    drawn = [name for grid in grids for name, values in grid.items() if hasattr(values, "rvs")]
    return Names(listed, drawn, n_candidates)
