"""What is made of a sweep once its last fit has ended, in the order of what it would cost to lose.

The table comes first, on disk and then in the run; the refit, the hold-out's scores, the model, its registration, plots
and the card follow, each of which may fail. A step that fails takes nothing else away: what does not depend on it is
made all the same, and the sweep closes with one line that names what is missing and how to get it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

import tuning
from cache import Cache
from entrypoints.data.rows import Rows
from entrypoints.parameters import SweepParams
from entrypoints.results.illustrations import Illustrations
from entrypoints.results.missing import Missing
from entrypoints.results.model_card import log_card
from entrypoints.results.out_of_fold import log_predictions
from entrypoints.terminal.results import Row
from entrypoints.terminal.stages import stages
from errors import TrackingError
from report.sweep_note import SweepNote
from report.timeline import Span
from tracking import EntryRun, FittedModel, registry, report
from tracking.links import REPORT_FILE, Links
from tracking.registry import RegisteredModel
from tuning import FoldScore, SweepResult, SweepSpec
from tuning.control import Watched
from tuning.kept.predictions import KeptPredictions
from tuning.verification import raise_disagreement

RESULTS = "results"
_MOST_TRAINED = 10_000


class KeptResult:
    """An observer that writes the result to disk as soon as there is one, before anyone else does anything with it.

    Attributes
    ----------
    result : SweepResult or None
        None until the sweep has ended.
    folder : Path
        Where its files are.
    """

    def __init__(self, run: EntryRun, missing: Missing) -> None:
        self.result: SweepResult | None = None
        self._cache, self._run_id, self._missing = Cache.from_environment(), run.run_id, missing
        self.folder: Path = self._cache.path(RESULTS, run.run_id)

    def started(self, spec: SweepSpec, n_candidates: int | None, n_folds: int) -> None:
        """Remember what was asked."""
        self._spec = spec

    def scored(self, scores: list[FoldScore]) -> None:
        """Nothing: the result is whole or it is none."""

    def ended(self, result: SweepResult) -> None:
        """Write the result's files, whole or not at all."""
        self.result = result
        with (
            self._missing.unless("no copy of it could be kept on disk"),
            self._cache.publish(RESULTS, self._run_id) as folder,
        ):
            for name, text in report.files_of(self._spec, result).items():
                (folder / name).write_text(text, encoding="utf-8")


class Outcome:
    """What is made of a result: ``conclude`` makes all that can be made, and notes the rest in `missing`.

    Attributes
    ----------
    scores : dict of str to float
        The refitted winner's on the hold-out, by scorer; empty where there are none.
    model : RegisteredModel or None
    kept : list of Row
        What there is to say of the predictions that were kept.
    """

    def __init__(
        self,
        params: SweepParams,
        run: EntryRun,
        spec: SweepSpec,
        rows: Rows,
        missing: Missing,
        note: SweepNote,
        spans: Sequence[Span] = (),
        predictions: KeptPredictions | None = None,
    ) -> None:
        self._params, self._run, self._spec, self._rows, self._missing = params, run, spec, rows, missing
        self.scores: dict[str, float] = {}
        self.model: RegisteredModel | None = None
        self.kept: list[Row] = []
        self._predictions = predictions
        self._illustrations = Illustrations(params, run, spec, rows, missing, spans)
        self._note = note
        self._noted: dict[str, Any] = {}

    def conclude(self, result: SweepResult, kept: KeptResult) -> SweepResult:
        """Record `result`, then refit, judge, log and register the winner; return it with all that is known by then."""
        with stages("winner") as begin:
            begin("recording the result")
            self._record(result, kept)
            if self._predictions is not None:
                begin("keeping out-of-fold predictions")
                result = self._keep(result, self._predictions)
            raise_disagreement(result)  # such a result is kept to be looked into, and makes no model
            begin("refitting on all training rows")
            lost = "the hold-out's scores and the model are" if self._rows.holdout else "the model is"
            cure = "mend that and run the command again, or fit the parameters in the table yourself"
            with self._missing.unless(f"the winner could not be refitted, so {lost} missing", cure):
                rounds = result.rounds.get(result.best)
                watched = Watched(begin.at_round)
                winner = tuning.refit(self._spec, result.best, self._rows.train, self._params.cores, rounds, watched)
                begin("scoring the hold-out")
                self._judge(winner, result)
                trained = self._on_its_own_rows(winner)
                self._illustrations.of_winner(winner, result, self.scores, trained)
                self._tell(result, holdout=self.scores, trained=trained)
                begin("keeping the hold-out")
                self._keep_rows()
                begin("recording the model")
                self._register(winner)
                self._describe(winner, result)
                if self.model is not None:
                    self._tell(result, then=[promotion(self.model.name)])
        return result

    def reported(self, links: Links) -> list[tuple[str, str]]:
        """Return where the report is, if there is one."""
        with suppress(TrackingError):
            if self._run.has_artifact(self._run.run_id, REPORT_FILE):
                return [("report", links.report)]
        return []

    def _record(self, result: SweepResult, kept: KeptResult) -> None:
        try:
            report.log_result(self._run, self._spec, result)
        except Exception as error:  # the store's refusal, most likely; the files are on disk
            self._missing.table = f"in {kept.folder}"
            self._missing.add("the run does not hold all of it", error)
        self._illustrations.of_result(result)
        self._tell(result)

    def _keep(self, result: SweepResult, predictions: KeptPredictions) -> SweepResult:
        """Record the predictions that were kept, and return the result with what they say of the winner's score."""
        with self._missing.unless("the run does not hold the out-of-fold predictions"):
            result, self.kept = log_predictions(self._run, self._spec, result, predictions, self._rows)
            report.log_correction(self._run, self._spec, result)
        return result

    def _tell(self, result: SweepResult, **news: Any) -> None:
        """Write the run's note again, with what is new."""
        self._noted |= news
        self._noted["pictures"] = [picture.name for picture in self._illustrations.album.drawn]
        self._noted["page"] = self._illustrations.page
        with self._missing.unless("the run's note is not up to date"):
            self._note.write(result, audited=self._rows.found, **self._noted)

    def _on_its_own_rows(self, winner: Any) -> dict[str, float]:
        """Score the winner on rows that it has learned from: all, or as many as tell as much."""
        train = self._rows.train
        some = train.rows(np.linspace(0, train.n_rows - 1, min(train.n_rows, _MOST_TRAINED), dtype=np.intp))
        try:
            scores = dict(tuning.score(winner, some, tuning.Scorers.of(self._spec)))
        except Exception:  # of a scorer that cannot judge these rows: nobody has asked for it
            return {}
        with self._missing.unless("the run does not hold the winner's score on its training rows"):
            report.log_refit(self._run, "train", scores)
        return scores

    def _judge(self, winner: Any, result: SweepResult) -> None:
        """Score the winner on the hold-out, by each scorer that can."""
        held = self._rows.holdout
        if held is None:
            return
        scorers = tuning.Scorers.of(self._spec)
        try:
            self.scores |= tuning.score(winner, held, scorers)
        except Exception:  # of some scorer: those that can judge the hold-out do, and the others say why not
            for name in self._spec.scorers:
                with self._missing.unless(f"there is no holdout_{name}", _why(self._rows)):
                    self.scores |= tuning.score(winner, held, scorers.only(name))
        with self._missing.unless("the run does not hold the hold-out's scores"):
            report.log_refit(self._run, "holdout", self.scores)

    def _keep_rows(self) -> None:
        """Keep what promotions judge on."""
        if self._rows.kept is not None:
            with self._missing.unless("the run does not hold the held-out rows, which promote needs"):
                self._rows.kept.log(self._run)

    def _register(self, winner: Any) -> None:
        cure = "the parameters are in the table, to fit yourself; mend that and run the command again for the model"
        with self._missing.unless("the model could not be stored", cure):
            stored = registry.log(self._run, fitted_model(winner, self._rows))
            name = self._params.registered_name
            cure = f"it is stored: mlflow.register_model('{stored.uri}', '{name}')"
            with self._missing.unless("the model is not registered", cure):
                self.model = registry.register(self._run, stored, name)

    def _describe(self, winner: Any, result: SweepResult) -> None:
        if self.model is None:
            return
        with self._missing.unless("the model has no card"):
            log_card(self._params, self._run, self._spec, self._rows, result, self.scores, winner, self.model)


def fitted_model(estimator: object, rows: Rows) -> FittedModel:
    """Put the names of classes and columns, and a few rows, beside the estimator."""
    classes = None if rows.train.classes is None else rows.train.classes.tolist()
    learned = rows.distribution
    return FittedModel(
        estimator,
        rows.example,
        classes,
        rows.columns,
        rows.one_hot,
        rows.featurizer,
        rows.plain_names,
        rows.targets,
        learned=learned.as_json() if learned else None,
    )


def promotion(name: str) -> str:
    """Say how a registered winner becomes the champion."""
    command = f"mlflow run . -e promote --env-manager local -P model={name}"
    return f"Promote it: `{command}` makes it champion if it passes the gates."


def _why(rows: Rows) -> str:
    """Say which class the hold-out lacks, if it is that, and what helps."""
    held, classes = rows.holdout, rows.train.classes
    if held is None or classes is None or len(present := np.unique(held.y)) == len(classes):
        return "use another share of rows (-P holdout) or another scorer"
    lacking = next(str(name) for place, name in enumerate(classes) if place not in present and name not in present)
    return (
        f"the hold-out has no row of class '{lacking}': use a larger share (-P holdout), more rows of it, or holdout=0"
    )
