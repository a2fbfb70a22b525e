"""One run of one contender on one case of ``benchmarks.families``.

    python -m benchmarks.family_contenders NAME CASE SIZE CORES

prints its split scores. Each contender imports what it needs when it runs, as a user's own program would.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.family_cases import CASES, FOLDS, Case
from benchmarks.measuring import timed

if TYPE_CHECKING:
    from tuning import Workload
    from tuning.strategies import Proposal

Rows = NDArray[Any]
Scores = list[list[float]]


def asked(case: Case, X: Rows, y: Rows) -> tuple[Workload, list[Proposal]]:
    """What the loop would plan and run for `case`."""
    from sklearn.model_selection import ParameterGrid

    from tuning import Candidate, Dataset, Fold, Scorers, Workload
    from tuning.strategies import Proposal

    folds = tuple(Fold(place, train, test) for place, (train, test) in enumerate(_folds(X, y)))
    workload = Workload(case.estimator(), Scorers.named(case.scoring), Dataset(X, y, np.unique(y)), folds)
    return workload, [Proposal(Candidate(params)) for params in ParameterGrid(dict(case.grid))]


def gridfold(case: Case, X: Rows, y: Rows, cores: int) -> Scores:
    """Ours, as the loop runs it, with nothing watching."""
    from tuning.engines import LocalEngine
    from tuning.plan import plan_fits

    workload, proposals = asked(case, X, y)
    table = np.full((len(proposals), FOLDS), np.nan)
    places = {proposal.candidate: place for place, proposal in enumerate(proposals)}
    engine = LocalEngine(cores)
    engine.open(workload)
    fits = plan_fits(workload, proposals, engine.workers)
    for future in [engine.submit(fit) for fit in fits]:
        for score in future.result():
            table[places[score.candidate], score.fold] = score.scores[case.scoring]
    engine.close()
    scores: Scores = table.tolist()
    return scores


def grid_search_cv(case: Case, X: Rows, y: Rows, cores: int) -> Scores:
    """scikit-learn, in joblib's processes."""
    from sklearn.model_selection import GridSearchCV

    return _searched(GridSearchCV, case, X, y, n_jobs=cores)


def dask_ml(case: Case, X: Rows, y: Rows, cores: int) -> Scores:
    """dask-ml's GridSearchCV, which merges equal steps, on dask's processes."""
    import dask
    from dask_ml.model_selection import GridSearchCV as DaskGridSearchCV

    with dask.config.set(scheduler="processes", num_workers=cores):
        return _searched(DaskGridSearchCV, case, X, y)


def floor(case: Case, X: Rows, y: Rows, cores: int) -> None:
    """Measure what has to be fitted, by plain calls on as many workers; nothing is cut or scored."""
    from joblib import Parallel, delayed
    from sklearn.base import clone
    from sklearn.model_selection import ParameterGrid

    estimator = case.estimator()
    prefer = "threads" if case.threads else "processes"
    Parallel(cores, prefer=prefer)(
        delayed(_least)(case.least, clone(estimator).set_params(**params), X, y, train, test)
        for params in ParameterGrid(dict(case.floor_grid))
        for train, test in _folds(X, y)
    )


CONTENDERS: Mapping[str, Callable[[Case, Rows, Rows, int], Any]] = {
    "gridfold": gridfold,
    "GridSearchCV": grid_search_cv,
    "floor": floor,
    "dask-ml": dask_ml,
}


def _least(least: Callable[..., Any] | None, estimator: Any, X: Rows, y: Rows, train: Rows, test: Rows) -> None:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        if least is None:
            estimator.fit(X[train], y[train])
        else:
            least(estimator, X[train], y[train], X[test])


def _searched(kind: Any, case: Case, X: Rows, y: Rows, **options: Any) -> Scores:
    grid = {name: list(values) for name, values in case.grid.items()}
    search = kind(case.estimator(), grid, scoring=case.scoring, cv=_folds(X, y), refit=False, **options)
    table = search.fit(X, y).cv_results_
    scores: Scores = np.array([table[f"split{fold}_test_score"] for fold in range(FOLDS)]).T.tolist()
    return scores


def _folds(X: Rows, y: Rows) -> list[tuple[Rows, Rows]]:
    from sklearn.model_selection import StratifiedKFold

    return list(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(X, y))


def main(arguments: Sequence[str]) -> None:
    name, case, size, cores = arguments
    X, y = CASES[case].table(float(size))
    timed(lambda: CONTENDERS[name](CASES[case], X, y, int(cores)))


if __name__ == "__main__":
    main(sys.argv[1:])
