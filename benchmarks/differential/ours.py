"""The sweep by us, the way that a command goes: a spec from its file, rows from theirs, the loop and an engine."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import numpy as np

import tuning
from benchmarks.differential.cases import Case
from benchmarks.differential.peer import Judged
from entrypoints.data.own import own_rows
from entrypoints.parameters import SweepParams
from errors import FitError, GridfoldError
from tuning import Fit, FoldScore, SweepResult, SweepSpec, Workload
from tuning.engines.ledger import Ledger
from tuning.fitting import run_fit
from tuning.learners.keeper import FoldKeeper


class RefusedError(Exception):
    """The sweep was refused before the first fit; its text is the line that a person reads."""


class AllFailedError(Exception):
    """The sweep has no winner."""


class InProcess:
    """An engine that runs a fit when it is submitted: processes cost more than these fits do."""

    name = "in process"
    workers = 1
    began: Callable[[Fit], None] | None = None

    def __init__(self) -> None:
        self.ledger = Ledger()

    def open(self, workload: Workload) -> None:
        """Keep the workload."""
        self._workload, self._keeper = workload, FoldKeeper(workload)

    def submit(self, fit: Fit) -> Future[list[FoldScore]]:
        """Run one fit."""
        future: Future[list[FoldScore]] = Future()
        try:
            future.set_result(run_fit(self._workload, fit, self._keeper))
        except Exception as error:
            future.set_exception(error)
        return future

    def give_up(self, reason: str) -> None:
        """Nothing: a fit has ended before the loop looks at the clock."""

    def close(self, cancel: bool = False) -> None:
        """Nothing runs any more."""


class _Seen:
    """An observer that knows whether fits have run."""

    fits = 0

    def started(self, spec: SweepSpec, n_candidates: int | None, n_folds: int) -> None:
        """Nothing has run."""

    def scored(self, scores: list[FoldScore]) -> None:
        """Count."""
        self.fits += 1

    def ended(self, result: SweepResult) -> None:
        """Nothing to do."""


def sweep(case: Case, folder: Path, local: bool) -> Judged:
    """Sweep `case` over its files in `folder`.

    Parameters
    ----------
    case : Case
    folder : Path
    local : bool
        On the local engine, in threads and processes; else in this process.

    Raises
    ------
    RefusedError, AllFailedError
    """
    path = folder / "case.yaml"
    path.write_text(case.yaml, encoding="utf-8")
    seen = _Seen()
    try:
        spec = SweepSpec.load(path)
        params = SweepParams.model_validate({**case.table.write(folder), "holdout": 0.0, "space": str(path)})
        spec, rows = own_rows(params, spec)
        if local:
            with tuning.open_engine("local", 1) as engine:
                result = tuning.sweep(spec, rows.train, engine, [seen])
        else:
            result = tuning.sweep(spec, rows.train, InProcess(), [seen])
    except FitError as error:
        raise AllFailedError(str(error)) from error
    except GridfoldError as error:
        if seen.fits:
            raise
        raise RefusedError(str(error).replace(str(folder), "")) from error
    rounds = [result.rounds.get(candidate) for candidate in result.candidates] if case.early_stopping else []
    return Judged({scorer: np.asarray(result.split_scores(scorer)) for scorer in case.scorers}, rounds)
