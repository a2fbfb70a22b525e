"""From a finished sweep to the card of the version that it has registered."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from entrypoints.data.rows import Rows
from entrypoints.parameters import SweepParams
from entrypoints.planning.asked_spec import kept_as
from features.feature_sets import BRAND_MODEL
from release import card
from release.card import Card, Predictions
from release.judging import calibration
from release.pictures import draw_calibration
from tracking import EntryRun, registry
from tracking.registry import RegisteredModel
from tuning import SweepResult, SweepSpec

FOLDER = "model_card"
_HOW_IT_RAN = {"debug", "engine", "master", "cores", "plan", "record_wait"}  # whatever they are, the model is the same
_OF_DEVICES = {"data", "scale", "leak", "feature_sets", "min_devices"}  # which a table of one's own knows nothing of
_LISTED = 10


def log_card(
    params: SweepParams,
    run: EntryRun,
    spec: SweepSpec,
    rows: Rows,
    result: SweepResult,
    scores: Mapping[str, float],
    winner: Any,
    model: RegisteredModel,
    instead: Mapping[str, Any] = {},
) -> None:
    """Write the card as the version's description, and whole, with its picture, as an artifact of the run.

    What it says of a sweep's winner may be said otherwise, by the names of the card's fields: `instead`.
    """
    written = Card(
        model=f"{model.name} version {model.version}",
        estimator=_name_of(winner),
        params={**spec.fixed, **result.best.params},
        data=rows.source,
        fingerprint=rows.fingerprint,
        rows=(rows.train.n_rows, rows.holdout.n_rows if rows.holdout else 0),
        cross_validation=_cross_validation(result),
        features=important(winner, rows),
        command=command(params, run),
        code=run.commit,
        limits=card.PERSONAL if rows.featurizer else card.OTHERS,
        holdout_scores=scores,
        predictions=_predictions(winner, rows),
        kind="group" if rows.featurizer else "class",
        roles=_roles(params) if params.features else "",
        columns={} if rows.featurizer else rows.schema,
    )
    written = replace(written, **instead)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / card.FILE).write_text(card.markdown(written), encoding="utf-8")
        if written.predictions:
            found = calibration(written.predictions.probabilities, written.predictions.codes)
            draw_calibration(found, folder / card.PICTURE)
        run.log_folder(folder, FOLDER)
    registry.describe(run, model, card.description(written))


def command(params: SweepParams, run: EntryRun) -> str:
    """Return the line that makes the model of `run` again, whatever the defaults and the spec's file are by then."""
    left_out = _HOW_IT_RAN | (_OF_DEVICES if params.features else set())
    asked = {**params.model_dump(exclude=left_out), "space": kept_as(params.space, run)}
    given = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in asked.items()}
    words = [f"-P {shlex.quote(f'{name}={value}')}" for name, value in given.items() if value]
    return " ".join(["mlflow run . -e sweep --env-manager local", *words])


def _roles(params: SweepParams) -> str:
    """Say which column of a table is what."""
    words = [f"It predicts `{params.target}`"]
    words += [f"rows that agree in `{params.groups}` stay together"] if params.groups else []
    words += [f"`{params.weights}` says how much a row counts"] if params.weights else []
    return f"{'; '.join(words)}."


def important(winner: Any, rows: Rows) -> dict[str, float]:
    """Return the features of most importance by the estimator's own measure, each as a share of all."""
    last = winner.steps[-1][1] if hasattr(winner, "steps") else winner
    weights = getattr(last, "feature_importances_", None)
    if weights is None and hasattr(last, "coef_"):
        weights = np.abs(np.atleast_2d(last.coef_)).mean(axis=0)
    names = rows.train.columns
    if weights is None or len(weights) != len(names) or not np.sum(weights):
        return {}
    shares = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    return {names[place]: float(shares[place]) for place in np.argsort(-shares)[:_LISTED] if shares[place] > 0}


def _name_of(winner: Any) -> str:
    """Return the class's name; of a pipeline the classes of its steps."""
    steps = [step for _, step in getattr(winner, "steps", [("", winner)])]
    return " → ".join(type(step).__name__ for step in steps)


def _cross_validation(result: SweepResult) -> str:
    return (
        f"{result.refit_scorer} {result.best_score:.5f} ± {result.best_std:.5f}"
        f" (mean and standard deviation over {result.n_folds} folds)"
    )


def _predictions(winner: Any, rows: Rows) -> Predictions | None:
    held = rows.holdout
    if held is None or held.classes is None or not hasattr(winner, "predict_proba"):
        return None
    probabilities = np.asarray(winner.predict_proba(held.X), dtype=np.float64)
    return Predictions(probabilities, held.y, [str(label) for label in held.classes], _slices(rows))


def _slices(rows: Rows) -> dict[str, Any]:
    """Return devices with and without events, and those of the commonest brands, as the columns show them."""
    if rows.featurizer is None or rows.holdout is None:
        return {}
    X, sets = rows.holdout.X.tocsc(), rows.featurizer.columns["set"].to_numpy()
    of_events = np.flatnonzero(sets != BRAND_MODEL)
    slices = {}
    if len(of_events):
        active = np.diff(X[:, of_events].tocsr().indptr) > 0
        slices = {"with events": active, "without events": ~active}
    brands = [place for place, name in enumerate(rows.train.columns) if name.startswith("brand=")]
    for place in sorted(brands, key=lambda place: -X[:, [place]].nnz)[:5]:
        slices[rows.train.columns[place]] = X[:, [place]].toarray().ravel() > 0
    return slices
