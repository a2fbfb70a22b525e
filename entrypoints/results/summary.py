"""The last thing that a sweep prints: what won, by how much, why others failed, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping

from entrypoints.parameters import SweepParams
from entrypoints.terminal.results import Row
from entrypoints.terminal.tally import number
from tracking.registry import RegisteredModel
from tuning import SweepResult
from tuning.results.failures import reasons
from tuning.results.significance import beaten

_MOST_REASONS = 3


def summary(result: SweepResult, holdout: Mapping[str, float], model: RegisteredModel | None) -> list[Row]:
    """Return what came of a sweep, a label and a text each.

    Parameters
    ----------
    result : SweepResult
    holdout : mapping of str to float
        The refitted winner's score by scorer; empty where nothing was held out.
    model : RegisteredModel or None
        None where there is none to be had.
    """
    rows = [
        ("best", result.best.name),
        ("score", _score(result)),
        *_corrected(result),
        ("verdict", beaten(result) or "no other candidate to compare it with"),
        ("hold-out", ", ".join(f"{name} {number(value)}" for name, value in holdout.items()) or "none"),
        *_failed(result),
    ]
    if result.n_reused:
        rows.insert(0, ("reused", f"{result.n_reused:,} fits of earlier sweeps; {result.n_fits or 'none'} fitted now"))
    if done := result.verification.cells:
        largest = f"largest difference {result.verification.difference:g}"
        rows.append(("verified", f"{done:,} fits repeated alone, {largest}"))
    rows.append(("model", f"{model.name} version {model.version}, alias {model.alias}" if model else "none"))
    if model and model.pickled_because:
        rows.append(("", f"pickled, since {model.pickled_because}"))
    return rows


def what_next(params: SweepParams, model: RegisteredModel | None) -> list[Row]:
    """Return commands that make something of the model."""
    if model is None:
        return []
    serve = f"mlflow models serve --env-manager local -m {model.uri}"
    ours = "mlflow run . --env-manager local"
    named = "NEW_ROWS" if params.features else params.data
    data = "" if named == "synthetic" else f" -P data={named}"
    return [
        ("next", f"{ours} -e score -P model={model.uri}{data}"),
        ("", f"{ours} -e promote -P model={model.name}"),
        ("", serve),
    ]


def _score(result: SweepResult) -> str:
    n_folds = result.split_scores().shape[1]
    return f"{result.refit_scorer} {number(result.best_score)} ± {number(result.best_std)} over {n_folds} folds"


def _corrected(result: SweepResult) -> list[Row]:
    """Say what the winner's score is without what choosing it has added."""
    found = result.corrected
    if found is None:
        return []
    spread = f"95%: {number(found.low)} to {number(found.high)}"
    how = f"corrected for choosing the best of {found.candidates:,}, by {found.draws:,} bootstrap draws"
    return [("corrected", f"{found.scorer} {number(found.score)} ({spread}), {how}")]


def _failed(result: SweepResult) -> list[Row]:
    """Say how many failed, and the messages that explain most of them."""
    if not result.failed:
        return []
    why = reasons(result)
    rows = [("failed", f"{len(result.failed):,} of {len(result.candidates):,} candidates")]
    rows += [("", str(reason)) for reason in why[:_MOST_REASONS]]
    return [*rows, ("", f"and {len(why) - _MOST_REASONS:,} other messages")] if len(why) > _MOST_REASONS else rows
