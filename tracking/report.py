"""What a sweep leaves on its own run once it has ended: the result as text, table and a note to read.

The texts are made here from a SweepResult alone, so that they can be read and tested without a store; the functions
called ``log_...`` write. The table is the first thing written: whatever fails after it can be made again from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from tracking.children import KEY, suffixes
from tracking.heading import estimator_name, mark_score
from tracking.runs import EntryRun
from tracking.significance import difference_columns, verdict
from tuning.results.judged import best_first, full_means, left_out_words
from tuning.results.sweep_result import SweepResult
from tuning.results.varied import varied
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
    run.set_note(note(spec, result))
    mark_score(run, result.best_score)


def log_holdout(run: EntryRun, spec: SweepSpec, result: SweepResult, holdout: Mapping[str, float]) -> None:
    """Add the refitted winner's score by scorer on rows that no fold saw, to the metrics and to the note."""
    run.log_metrics({f"holdout_{name}": float(score) for name, score in holdout.items()})
    run.set_note(note(spec, result, holdout))


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


def _verified_words(result: SweepResult) -> str:
    done = result.verification
    if done.disagreement:
        return f"**Not verified**: {done.disagreement}."
    if not done.cells:
        return ""
    return f"Verified: {done.cells:,} fits repeated alone, the largest difference of a score {done.difference:g}."


def best_metrics(result: SweepResult) -> dict[str, float]:
    """Return the winner's scores under the names that the live record follows, ``best_<scorer>``."""
    return {f"best_{name}": float(result.split_scores(name)[result.best_index].mean()) for name in result.scorers}


def sweeping_results(spec: SweepSpec, result: SweepResult) -> str:
    """Return one line per candidate in order of proposal, in the format of scikit-learn's old ``grid_scores_``.

    Several scorers make a block each, the one that chose the winner first.
    """
    names = sorted(result.scorers, key=lambda name: name != result.refit_scorer)
    return "\n".join(_block(name, spec, result) for name in names)


def note(spec: SweepSpec, result: SweepResult, holdout: Mapping[str, float] = {}) -> str:
    """Return the Markdown that the run's page opens with: what was swept, what won and by how much."""
    candidates = f"{len(result.candidates):,} candidates × {result.n_folds} folds"
    missing = left_out_words(result)
    paragraphs = [
        f"### {estimator_name(spec)}: {candidates} by `{result.refit_scorer}`",
        f"**Best** `{result.best.name}`: **{result.best_score:.5f}** ± {result.best_std:.5f}"
        f" (mean and standard deviation over the folds){_holdout_words(result, holdout)}.",
        verdict(result),
        f"Not compared: {missing}; their runs say why." if missing else "",
        "  \n".join(result.approximations),
        _verified_words(result),
        _top_table(result),
        f"Swept: {_varied_words(result)}.  \nFixed: {_words(spec.fixed) or 'nothing'}.",
    ]
    return "\n\n".join(filter(None, paragraphs)) + "\n"


def _block(scorer: str, spec: SweepSpec, result: SweepResult) -> str:
    table, suffix = result.cv_results(), suffixes(result.scorers)[scorer]
    lines = [f"metric =  {scorer}"]  # two blanks, as in the published file
    columns = table[f"mean_test_{suffix}"], table[f"std_test_{suffix}"]
    for candidate, mean, std in zip(result.candidates, *columns, strict=True):
        lines.append(f"mean: {mean:.5f}, std: {std:.5f}, params: { {**spec.fixed, **candidate.params}!r}")
    return "\n".join(lines) + "\n"


def _holdout_words(result: SweepResult, holdout: Mapping[str, float]) -> str:
    score = holdout.get(result.refit_scorer)
    return "" if score is None else f"; refitted on all training rows, **{score:.5f}** on the hold-out"


def _top_table(result: SweepResult) -> str:
    means, stds = full_means(result), result.split_scores().std(axis=1)
    order = best_first(means)[:_TOP].tolist()
    seconds = result.cv_results()["mean_fit_time"]
    lines = ["| | candidate | mean | std | fit, s |", "|-:|:-|-:|-:|-:|"]
    for rank, place in enumerate(order, start=1):
        name = result.candidates[place].name
        lines.append(f"| {rank} | `{name}` | {means[place]:.5f} | {stds[place]:.5f} | {seconds[place]:.1f} |")
    return "\n".join(lines)


def _varied_words(result: SweepResult) -> str:
    return (
        "; ".join(f"`{name}` in {_values(values)}" for name, values in varied(result.candidates).items()) or "nothing"
    )


def _values(values: list[Any]) -> str:
    shown = ", ".join(str(value) for value in values[:8])
    return shown if len(values) <= 8 else f"{shown} … ({len(values):,} values)"


def _words(params: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}={value}`" for name, value in params.items())
