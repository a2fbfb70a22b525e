"""What it costs that no fit can harm another: our workers beside joblib's processes, and beside an executor's threads.

    python -m benchmarks.isolation --pairs 7
    python -m benchmarks.isolation --only short-fits

Both run the same fits of the same plan by the same function, each in a fresh process: imports, starting workers and
all. The plain ones do without what the engine does for a fit that crashes, hangs, leaks or is to stop. Ratios are of
ours to the plain, medians over pairs that take turns in going first.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.family_cases import CASES
from benchmarks.family_contenders import asked
from benchmarks.measuring import Cost, median, run_module, table, timed
from tuning import Fit, FoldScore, Workload
from tuning.engines import LocalEngine
from tuning.fitting import run_fit
from tuning.learners import learner_for
from tuning.learners.keeper import FoldKeeper
from tuning.plan import plan_fits
from tuning.strategies import Proposal

OURS, PLAIN = "ours", "plain"
Found = list[list[FoldScore]]


def by_engine(workload: Workload, proposals: Sequence[Proposal], cores: int) -> Found:
    """As the loop runs them."""
    engine = LocalEngine(cores)
    engine.open(workload)
    found = [future.result() for future in [engine.submit(fit) for fit in plan_fits(workload, proposals, cores)]]
    engine.close()
    return found


def plainly(workload: Workload, proposals: Sequence[Proposal], cores: int) -> Found:
    """In the threads or processes that a program of a few lines would have."""
    fits = plan_fits(workload, proposals, cores)
    if learner_for(workload.estimator).place(workload.estimator, workload.data.n_values) == "threads":
        return _in_threads(workload, fits, cores)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "workload"
        joblib.dump(workload, file)
        found: Found = joblib.Parallel(cores)(joblib.delayed(_fit_of)(file, fit) for fit in fits)
    return found


def _in_threads(workload: Workload, fits: Sequence[Fit], cores: int) -> Found:
    keeper = FoldKeeper(workload, threads=True)
    for fit in fits:
        keeper.expect(fit)

    def run(fit: Fit) -> list[FoldScore]:
        with keeper.in_use(fit):
            return run_fit(workload, fit, keeper)

    with threadpool_limits(1), ThreadPoolExecutor(cores, initializer=threadpool_limits, initargs=(1,)) as threads:
        return list(threads.map(run, fits))


@cache
def _opened(file: Path) -> FoldKeeper:
    threadpool_limits(1)
    return FoldKeeper(joblib.load(file, mmap_mode="r"))


def _fit_of(file: Path, fit: Fit) -> list[FoldScore]:
    keeper = _opened(file)
    return run_fit(keeper.workload, fit, keeper)


def one_run(name: str, case: str, size: float, cores: int) -> None:
    """Do it, and print the sum of all scores, which is the same for both."""
    given = asked(CASES[case], *CASES[case].table(size))
    contender = by_engine if name == OURS else plainly
    timed(lambda: sum(sum(each.scores.values()) for found in contender(*given, cores) for each in found))


def compare(case: str, size: float, cores: int, pairs: int) -> list[str]:
    found: dict[str, list[Cost]] = {OURS: [], PLAIN: []}
    for number in range(pairs):
        for name in sorted(found, reverse=bool(number % 2)):
            cost = run_module("benchmarks.isolation", ["--run", name, case, str(size), str(cores)])
            if isinstance(cost, str):
                raise SystemExit(f"{case}: {name}: {cost}")
            found[name].append(cost)
            print(f"{case}: {name}: {cost.seconds:.2f} s, {cost.cpu_seconds:.2f} s of processors", flush=True)
    both = list(zip(found[OURS], found[PLAIN], strict=True))
    if any(not np.isclose(ours.answer, plain.answer, rtol=1e-9) for ours, plain in both):
        raise SystemExit(f"{case}: the scores differ")
    return [
        case,
        f"{median(ours.seconds for ours, _ in both):.2f}",
        f"{median(plain.seconds for _, plain in both):.2f}",
        f"{median(ours.seconds / plain.seconds for ours, plain in both):.3f}",
        f"{median(ours.cpu_seconds / plain.cpu_seconds for ours, plain in both):.3f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--size", type=float, default=1.0, help="share of the rows")
    parser.add_argument("--only", default="short-fits,steps-logistic,lightgbm,steps-xgboost", help="families")
    parser.add_argument("--run", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        name, case, size, cores = options.run
        one_run(name, case, float(size), int(cores))
        return
    rows = [compare(case, options.size, options.cores, options.pairs) for case in options.only.split(",")]
    print("\n" + table(["", "ours, s", "plain, s", "ours / plain", "of processors' time"], rows))


if __name__ == "__main__":
    from benchmarks import isolation  # by this name joblib's processes find what they are to run

    isolation.main()
