"""Random sweeps beside GridSearchCV on the same folds: how many are equal, and what the others are.

    python -m benchmarks.differential --specs 2000 --seed 0
    python -m benchmarks.differential --case 17

The first prints a table of outcomes and the seeds of whatever differs; the second shows one case whole. One case in
twenty runs on the local engine, the others in this process.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import multiprocessing
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.differential.cases import KNOWN, Case, random_case
from benchmarks.differential.compare import Kind, Outcome, compare, outcome_of
from benchmarks.differential.peer import Judged
from benchmarks.measuring import table

_MOST_SEEDS = 12

Found = Sequence[tuple[Case, Outcome]]


def run(seeds: Sequence[int], jobs: int) -> Found:
    with concurrent.futures.ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        outcomes = pool.map(outcome_of, seeds, chunksize=5)
        return [(random_case(seed), _told(seed, outcome)) for seed, outcome in zip(seeds, outcomes, strict=True)]


def _told(seed: int, outcome: Outcome) -> Outcome:
    if not outcome.kind.is_right:
        print(f"{seed}: {outcome.kind}: {outcome.line[:160]}", file=sys.stderr, flush=True)
    return outcome


def report(found: Found, seconds: float) -> str:
    counts = Counter(outcome.kind for _, outcome in found)
    rows = [[str(kind), str(counts[kind])] for kind in Kind]
    in_vain = sum(outcome.kind is Kind.REFUSED and outcome.theirs_works for _, outcome in found)
    rows.insert(3, ["  of them GridSearchCV can do", str(in_vain)])
    rows += [["specs", str(len(found))], ["seconds", f"{seconds:.0f}"]]
    return "\n\n".join([table(["outcome", ""], rows), *_parts(found)])


def _parts(found: Found) -> list[str]:
    parts = []
    lines: dict[str, list[Outcome]] = {}
    for _, outcome in found:
        if outcome.kind is Kind.REFUSED:
            lines.setdefault(_kind_of_line(outcome.line), []).append(outcome)
    refusals = [
        [line, str(len(outcomes)), str(sum(outcome.theirs_works for outcome in outcomes))]
        for line, outcomes in sorted(lines.items(), key=lambda item: -len(item[1]))
    ]
    if refusals:
        parts.append(table(["refused", "", "GridSearchCV can"], refusals))
    wrong = [(case, outcome) for case, outcome in found if not outcome.kind.is_right]
    if wrong:
        parts.append(
            table(
                ["known kind", "specs", "alone", "wrong", "largest difference", "of them lost scores", "seeds"],
                [_known(k, found) for k in KNOWN],
            )
        )
        others = [(case, outcome) for case, outcome in wrong if not case.known]
        parts.append(f"wrong, and of no known kind: {len(others)}\n" + "\n".join(_line(*pair) for pair in others))
    return parts


def _known(kind: str, found: Found) -> list[str]:
    """Count the cases of a known kind; of those that are of no other: the wrong ones, how wrong, how many lost some."""
    of_it = [case for case, _ in found if kind in case.known]
    alone = [(case, outcome) for case, outcome in found if list(case.known) == [kind]]
    wrong = [(case, outcome) for case, outcome in alone if not outcome.kind.is_right]
    largest = max((outcome.difference.largest for _, outcome in wrong), default=0.0)
    lost = sum(outcome.difference.lost > 0 or outcome.kind is not Kind.DIFFERENT for _, outcome in wrong)
    seeds = ", ".join(str(case.seed) for case, _ in wrong[:_MOST_SEEDS]) + (" ..." if len(wrong) > _MOST_SEEDS else "")
    return [kind, str(len(of_it)), str(len(alone)), str(len(wrong)), f"{largest:.3g}", str(lost), seeds]


def _line(case: Case, outcome: Outcome) -> str:
    what = f"{case.kinds['family']}, {case.kinds['steps']}, {case.kinds['features']}, {case.kinds['labels']}"
    return f"  {case.seed}: {outcome.kind} by {outcome.difference.largest:.3g} ({what}): {outcome.line[:200]}"


def _kind_of_line(line: str) -> str:
    """Leave out of a refusal what is its case's own: names, numbers, the file."""
    line = re.sub(r"^\S+\.(yaml|csv|parquet|npz): ", "", line)
    line = re.sub(r"'[^']*'(, '[^']*')*", "'...'", line)
    return re.sub(r"\d+(\.\d+)?", "N", line)[:110]


def show(case: Case, outcome: Outcome) -> str:
    kinds = "\n".join(f"{axis:>15}: {kind}" for axis, kind in case.kinds.items())
    head = case.table.frame.head() if case.table.matrix is None else case.table.matrix[:5].toarray().round(3)
    sides: Mapping[str, Judged | str] = {"ours": outcome.ours, "theirs": outcome.theirs}
    parts = [f"{name}:\n{_side(side)}" for name, side in sides.items()]
    verdict = f"{outcome.kind}, largest difference {outcome.difference.largest:.3g} ({outcome.line})"
    return "\n\n".join(
        [kinds, f"known kinds: {', '.join(case.known) or 'none'}", case.yaml, str(head), *parts, verdict]
    )


def _side(side: Judged | str) -> str:
    if isinstance(side, str):
        return side
    with np.printoptions(precision=8, suppress=True, linewidth=120):
        scores = [f"{scorer}\n{values}" for scorer, values in side.scores.items()]
    return "\n".join([*scores, *([f"rounds {side.rounds}"] if side.rounds else [])])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--specs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0, help="of the first spec; the others follow")
    parser.add_argument("--jobs", type=int, default=2, help="specs side by side")
    parser.add_argument("--case", type=int, help="show the case of this seed whole")
    parser.add_argument("--local", action="store_true", help="with --case, on the local engine")
    options = parser.parse_args()
    if options.case is not None:
        case = random_case(options.case)
        print(show(case, compare(case, options.local)))
        return 0
    begun = time.perf_counter()
    found = run(range(options.seed, options.seed + options.specs), options.jobs)
    print(report(found, time.perf_counter() - begun))
    return int(any(not outcome.kind.is_right for _, outcome in found))


if __name__ == "__main__":
    sys.exit(main())
