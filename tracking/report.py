"""What a sweep leaves on its own run once it has ended: the result as text, table and a note to read.

The texts are made here from a SweepResult alone, so that they can be read and tested without a store; the functions
called ``log_...`` write. The table is the first thing written: whatever fails after it can be made again from it.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from tracking.children import KEY, suffixes
from tracking.heading import mark_score
from tracking.runs import EntryRun
from tuning.results.significance import difference_columns
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec

RESULTS_FILE = "sweeping_results.txt"
TABLE_FILE = "cv_results.csv"
PLOTS_FOLDER = "plots"
_TOP = 5


def log_result(run: EntryRun, spec: SweepSpec, result: SweepResult) -> None:
    """Write the result on the sweep's own run: the tables first, then params, metrics and the note.

    Raises
    ------
    TrackingError
        The store refuses.
    """
    for name, text in files_of(spec, result).items():
        run.log_text(text, name)
    run.log_metrics(metrics(result))
    run.log_metrics(best_metrics(result), step=len(result.candidates))  # where the live record has left off
    run.set_tags({f"best.{KEY}": result.best.key})
    run.log_best_params({**spec.fixed, **result.best.params})
    mark_score(run, result.best_score)


def log_correction(run: EntryRun, spec: SweepSpec, result: SweepResult) -> None:
    """Write the winner's corrected score beside its score, where it is known."""
    if result.corrected is not None:
        run.log_text(sweeping_results(spec, result), RESULTS_FILE)
        run.log_metrics({f"corrected_{result.corrected.scorer}": result.corrected.score})


def log_refit(run: EntryRun, what: str, scores: Mapping[str, float]) -> None:
    """Write the refitted winner's score by scorer on `what`: the ``holdout``, or the rows of the ``train``ing."""
    run.log_metrics({f"{what}_{name}": float(score) for name, score in scores.items()})


def files_of(spec: SweepSpec, result: SweepResult) -> dict[str, str]:
    """Return what each file of the result holds, by its name."""
    table = pd.DataFrame(result.cv_results() | difference_columns(result))
    return {RESULTS_FILE: sweeping_results(spec, result), TABLE_FILE: table.to_csv(index=False)}


def metrics(result: SweepResult) -> dict[str, float]:
    """Return the sweep's figures: the winner's score under the name that the published reference has, and counts."""
    return {
        **{name: float(result.split_scores(name)[result.best_index].mean()) for name in result.scorers},
        **({"best_rounds": result.rounds[result.best]} if result.best in result.rounds else {}),
        "candidates": len(result.candidates),
        "fits": result.n_fits,
        "reused": result.n_reused,
        "failed": len(result.failed),
        **_verified(result),
    }


def _verified(result: SweepResult) -> dict[str, float]:
    done = result.verification
    return {"verified": done.cells, "verify_difference": done.difference} if done.cells else {}


def best_metrics(result: SweepResult) -> dict[str, float]:
    """Return the winner's scores under the names that the live record follows, ``best_<scorer>``."""
    return {f"best_{name}": float(result.split_scores(name)[result.best_index].mean()) for name in result.scorers}


def sweeping_results(spec: SweepSpec, result: SweepResult) -> str:
    """Return one line per candidate in order of proposal, in the format of scikit-learn's old ``grid_scores_``.

    Several scorers make a block each, the one that chose the winner first.
    """
    names = sorted(result.scorers, key=lambda name: name != result.refit_scorer)
    blocks = "\n".join(_block(name, spec, result) for name in names)
    found = result.corrected
    if found is None:
        return blocks
    return f"{blocks}corrected: {found.score:.5f}, 95%: {found.low:.5f} to {found.high:.5f}, scorer: {found.scorer}\n"


def _block(scorer: str, spec: SweepSpec, result: SweepResult) -> str:
    table, suffix = result.cv_results(), suffixes(result.scorers)[scorer]
    lines = [f"metric =  {scorer}"]  # two blanks, as in the published file
    columns = table[f"mean_test_{suffix}"], table[f"std_test_{suffix}"]
    for candidate, mean, std in zip(result.candidates, *columns, strict=True):
        lines.append(f"mean: {mean:.5f}, std: {std:.5f}, params: { {**spec.fixed, **candidate.params}!r}")
    return "\n".join(lines) + "\n"
