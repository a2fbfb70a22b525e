"""Choose among a finished sweep's candidates once more: by what it has kept, without fitting any fold again."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.model_selection import FixedThresholdClassifier

import tuning
from entrypoints.choosing.kept_sweep import Fetched, fetch
from entrypoints.choosing.limits import Limits, within_limits
from entrypoints.command.entry import entrypoint
from entrypoints.parameters import ChooseParams
from entrypoints.results.model_card import log_card
from entrypoints.results.outcome import fitted_model, promotion
from entrypoints.results.summary import what_next
from entrypoints.terminal.results import Row, show_facts, show_lines, where_to_look
from entrypoints.terminal.stages import stages
from entrypoints.terminal.tally import number
from errors import SpecError
from tracking import EntryRun, registry
from tracking.heading import CHOICE, KIND
from tracking.links import links_of
from tracking.registry import RegisteredModel
from tracking.swept import CHOSEN_FROM
from tuning import SweepResult
from tuning.candidates import as_json
from tuning.kept.ensemble import Ensemble, assemble, choose_ensemble
from tuning.kept.threshold import choose_threshold
from tuning.scoring import Scorers
from tuning.spec.refit import BEST, RefitSpec
from tuning.spec.scoring import Metric, metric_of


@dataclass
class Choice:
    """What was chosen.

    Attributes
    ----------
    result : SweepResult
        Of the comparison; its winner is the choice.
    model : object
        Refitted on all training rows.
    said : list of Row
        What there is to say of it.
    metrics : dict of str to float
    ensemble : Ensemble or None
        Where it is one of several candidates, and no winner.
    """

    result: SweepResult
    model: Any
    said: list[Row] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    ensemble: Ensemble | None = None

    @property
    def name(self) -> str:
        """What a person reads."""
        if self.ensemble is None:
            return self.result.best.name
        return f"a weighted mean of {len(self.ensemble.members):,} candidates"

    @property
    def splits(self) -> Sequence[float]:
        """The score on each fold."""
        if self.ensemble is not None:
            return self.ensemble.splits
        splits: list[float] = self.result.split_scores()[self.result.best_index].tolist()
        return splits

    @property
    def score(self) -> str:
        """The score over the folds, in words."""
        splits = np.array(self.splits)
        return f"{self.result.refit_scorer} {number(float(splits.mean()))} ± {number(float(splits.std()))}"


@entrypoint("choose")
def choose(params: ChooseParams, run: EntryRun) -> None:
    """Choose another winner of a finished sweep, refit it, and register it as challenger."""
    _check(params)
    swept = fetch(run, params.run)
    name = params.model_name or swept.params.registered_name
    registry.check_model_name(name)
    metric = _metric(params.scorer, swept)
    run.set_tags({KIND: CHOICE, CHOSEN_FROM: params.run})
    known = set(ChooseParams.model_fields)
    run.log_params({each: value for each, value in swept.params.model_dump().items() if each not in known})
    with stages("choice") as begin:
        begin("comparing the candidates")
        choice = _chosen(params, swept, metric)
        begin("scoring the hold-out")
        scores = _on_holdout(choice.model, swept, metric)
        begin("recording the model")
        fitted = replace(fitted_model(choice.model, swept.rows), decides=params.rule == "threshold")
        if swept.rows.kept is not None:
            swept.rows.kept.log(run)  # promotions judge on what the model's own run has kept
        model = registry.register(run, registry.log(run, fitted), name)
    _record(params, run, swept, choice, scores, model)
    rows = _rows_of(choice, scores, model)
    run.set_note(_note(params, rows, model))
    show_facts("chosen", rows)
    show_lines([*where_to_look(links_of(run))[::2], *what_next(swept.params, model)])


def _check(params: ChooseParams) -> None:
    limited = params.max_latency_ms or params.max_size_mb
    if params.rule == "threshold" and limited:
        raise SpecError("-P rule=threshold decides for the sweep's winner, whatever its size. Leave the limits out.")
    if params.rule == "ensemble" and limited:
        raise SpecError("-P rule=ensemble is as large and slow as its members together. Leave the limits out.")


def _metric(scorer: str, swept: Fetched) -> Metric:
    """Read a scorer as a spec has it; the sweep's deciding one where nothing is said."""
    if not scorer:
        return swept.spec.deciding
    own = {metric.name: metric for metric in swept.spec.metrics}
    if scorer in own:
        return own[scorer]
    return metric_of(scorer, f"-P scorer={scorer}")


def _chosen(params: ChooseParams, swept: Fetched, metric: Metric) -> Choice:
    if params.rule == "threshold":
        return _with_threshold(params, swept, metric)
    if params.rule == "ensemble":
        return _ensemble(params, swept, metric)
    rule = _rule(params, swept)
    limits = Limits(params.max_latency_ms, params.max_size_mb)
    result, model, said, metrics = within_limits(swept, metric, rule, limits, params.cores)
    return Choice(result, model, said, metrics)


def _rule(params: ChooseParams, swept: Fetched) -> RefitSpec:
    if params.rule == "best":
        return BEST
    simplest = swept.spec.rule.simplest
    if not simplest and any(each.size is None for each in swept.candidates.file.judged):
        raise SpecError(
            "-P rule=one_standard_error: nobody can know which of these models is simpler before it is fitted. Say by "
            "which parameters in the spec, refit: {rule: one_standard_error, simplest: {NAME: low}}, and sweep again."
        )
    return RefitSpec(rule="one_standard_error", simplest=simplest)


def _with_threshold(params: ChooseParams, swept: Fetched, metric: Metric) -> Choice:
    kept = swept.candidates
    winner = kept.file.winner
    found = choose_threshold(kept, winner, metric)
    others = {each.candidate for each in kept.file.judged} - {winner.candidate}
    result = kept.by(swept.spec.deciding, BEST, others)
    fitted = swept.refit(result, params.cores)
    model = FixedThresholdClassifier(
        fitted, threshold=found.value, pos_label=fitted.classes_[1], response_method="predict_proba"
    )
    model.estimator_ = fitted
    at, unseen, half = (sum(each) / len(each) for each in (found.splits, found.unseen, found.at_half))
    positive = swept.rows.train.classes[1] if swept.rows.train.classes is not None else ""
    said = [
        ("decides", f"'{positive}' from a probability of {number(found.value)}"),
        ("at it", f"{metric.name} {number(at)} over the folds, {number(half)} at 0.5"),
        ("unseen", f"{metric.name} {number(unseen)}: each fold at the threshold that the others choose"),
    ]
    return Choice(
        result, model, said, {"threshold": found.value, f"threshold_{metric.name}": at, f"unseen_{metric.name}": unseen}
    )


def _ensemble(params: ChooseParams, swept: Fetched, metric: Metric) -> Choice:
    result = swept.candidates.by(metric, BEST)
    found = choose_ensemble(swept.candidates, metric, result)
    fitted = [swept.refit(result, params.cores, member) for member in found.members]
    model = assemble(fitted, list(found.weights.values()), swept.rows.train.classes)
    unseen = sum(found.unseen) / len(found.unseen)
    said = [
        ("unseen", f"{metric.name} {number(unseen)}: each fold by the ensemble that the others choose"),
        ("alone", f"{metric.name} {number(result.best_score)}: the best of its members, {result.best.name}"),
        *[("", f"{weight:.3f} x {member.name}") for member, weight in found.weights.items()],
    ]
    metrics = {f"unseen_{metric.name}": unseen, f"alone_{metric.name}": result.best_score}
    return Choice(result, model, said, metrics | {"members": len(fitted)}, found)


def _composition(swept: Fetched, ensemble: Ensemble) -> str:
    """Return the members as a table: weight, name, all parameters."""
    rows = [
        f"| {weight:.6g} | {member.name} | `{as_json({**swept.spec.fixed, **member.params})}` |"
        for member, weight in ensemble.weights.items()
    ]
    return "\n".join(["| weight | candidate | parameters |", "| ---: | --- | --- |", *rows])


def _on_holdout(model: Any, swept: Fetched, metric: Metric) -> dict[str, float]:
    """Score the model on the hold-out by the sweep's scorers and the asked one, each that can."""
    held = swept.rows.holdout
    if held is None:
        return {}
    metrics = {each.name: each for each in (*swept.spec.metrics, metric)}
    scores: dict[str, float] = {}
    for name, each in metrics.items():
        with suppress(Exception), warnings.catch_warnings():  # a scorer that cannot judge these rows gives no score
            warnings.simplefilter("ignore")  # the mean of probabilities sums to 1 to single precision
            scores |= tuning.score(model, held, Scorers({name: each.build()}, name))
    return scores


def _record(
    params: ChooseParams,
    run: EntryRun,
    swept: Fetched,
    choice: Choice,
    scores: dict[str, float],
    model: RegisteredModel,
) -> None:
    result = choice.result
    run.log_metrics(
        {f"best_{result.refit_scorer}": float(np.mean(choice.splits)), **choice.metrics}
        | {f"holdout_{name}": value for name, value in scores.items()}
    )
    instead: dict[str, Any] = {}
    if choice.ensemble is None:
        run.log_best_params({**swept.spec.fixed, **result.best.params})
    else:
        composition = _composition(swept, choice.ensemble)
        run.log_text(f"{composition}\n", "ensemble.md")
        instead = {"estimator": choice.name.capitalize(), "params": {}}
    run.entitle(f"chosen by {params.rule} {result.refit_scorer} {np.mean(choice.splits):.5g}")
    how = ", ".join(f"{label} {text}" for label, text in choice.said if label)
    how = f"  \n{how}." if how else ""
    how += f"\n\n{composition}" if choice.ensemble else ""
    instead |= {"cross_validation": _how_good(params, choice) + how, "command": _command(params)}
    log_card(swept.params, run, swept.spec, swept.rows, result, scores, choice.model, model, instead)


def _how_good(params: ChooseParams, choice: Choice) -> str:
    result, splits = choice.result, np.array(choice.splits)
    of = f"Chosen by `{params.rule}` among {len(result.candidates):,} candidates of the sweep `{params.run}`"
    score = f"{result.refit_scorer} {splits.mean():.5f} ± {splits.std():.5f} over {result.n_folds} folds"
    return f"{of}: {score}."


def _command(params: ChooseParams) -> str:
    """Return the line that makes the same choice again."""
    given: Mapping[str, Any] = params.model_dump(exclude={"debug", "cores"}, exclude_defaults=True)
    words = [f"-P {shlex.quote(f'{name}={value}')}" for name, value in given.items()]
    return " ".join(["mlflow run . -e choose --env-manager local", *words])


def _rows_of(choice: Choice, scores: dict[str, float], model: RegisteredModel) -> list[Row]:
    result = choice.result
    return [
        ("chosen", choice.name),
        ("score", f"{choice.score} over {result.n_folds} folds, {len(result.candidates):,} candidates compared"),
        *choice.said,
        ("hold-out", ", ".join(f"{name} {number(value)}" for name, value in scores.items()) or "none"),
        ("model", f"{model.name} version {model.version}, alias {model.alias}"),
    ]


def _note(params: ChooseParams, rows: list[Row], model: RegisteredModel) -> str:
    lines = [f"- {label} {text}" for label, text in rows]
    return "\n".join(
        [f"Chosen by `{params.rule}` from the sweep `{params.run}`.", "", *lines, "", promotion(model.name)]
    )


if __name__ == "__main__":
    choose.main()
