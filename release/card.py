"""The model's card: what a version is, how good, for whom, what it is not for, and the command that makes it again.

Markdown of short sections, the most needed first: the registry keeps 5,000 characters of a description, so the last
sections may stand in the artifact only. The sections follow Mitchell et al., "Model Cards for Model Reporting" (2019).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from release.judging import Codes, Floats, bootstrap_mean, calibration, log_losses

_MOST_COLUMNS = 30
_GAP = "&emsp;"

FILE, PICTURE = "model_card.md", "calibration.png"

PERSONAL = """\
It guesses gender and age from a phone's brand and apps. That is personal, in many places specially protected, and wrong
for most single devices. Use it for shares over many devices. Do not use it to decide about a person (credit, insurance,
work, housing, prices), to show or withhold offers by gender or age where that is unlawful, to find minors, or without
the consent of those whose apps are read. It is better for some groups than for others; see the table. It learned from
Android phones in China in one week of May 2016, or from data made in their image, and knows of no other place or time.
"""
OTHERS = """\
gridfold does not know what the columns mean. If they describe people, say here whom a wrong prediction harms and what
the model must not be used for, before anyone relies on it."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What the model says of devices that it has not seen.

    Attributes
    ----------
    probabilities : ndarray of shape (n_rows, n_labels)
    codes : ndarray of shape (n_rows,)
        Columns of the true labels.
    labels : sequence of str, of length n_labels
    slices : mapping of str to ndarray of shape (n_rows,), bool
    """

    probabilities: Floats
    codes: Codes
    labels: Sequence[str]
    slices: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Card:
    """What a card tells.

    Attributes
    ----------
    model : str
        Name and version.
    estimator : str
    params : mapping of str to object
    data : str
        In the person's words.
    fingerprint : str
        Of the features.
    rows : tuple of int
        Learned from, held out.
    cross_validation : str
        Scorer, mean, spread and folds, in words.
    features : mapping of str to float
        The most important ones, with their shares of importance.
    command : str
        Makes the model again.
    code : str
        The commit that the command needs; empty where that is not known.
    limits : str
        What it should not be used for.
    holdout_scores : mapping of str to float
    predictions : Predictions or None
        Of the held-out rows; None where there are none, or no probabilities.
    kind : str
        What a label is.
    roles : str
        Which column of a table is what, in a sentence.
    columns : mapping of str to str
        Types of the columns of a table, by name.
    """

    model: str
    estimator: str
    params: Mapping[str, object]
    data: str
    fingerprint: str
    rows: tuple[int, int]
    cross_validation: str
    features: Mapping[str, float]
    command: str
    code: str = ""
    limits: str = OTHERS
    holdout_scores: Mapping[str, float] = field(default_factory=dict)
    predictions: Predictions | None = None
    kind: str = "group"
    roles: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


def markdown(card: Card) -> str:
    """Return the whole card."""
    return "\n\n".join(_sections(card)) + "\n"


def description(card: Card, limit: int = 5_000) -> str:
    """Return as many of the card's first sections as fit into `limit` characters, and where the rest is."""
    more = f"The rest is in `{FILE}`, an artifact of the sweep's run."
    kept: list[str] = []
    room = limit - len(more) - 4
    sections = list(_sections(card))
    for section in sections:
        room -= len(section) + 2
        if room < 0:
            return "\n\n".join([*kept, more]) + "\n"
        kept.append(section)
    return "\n\n".join(kept) + "\n"


def _sections(card: Card) -> Iterator[str]:
    params = ", ".join(f"`{name}={value}`" for name, value in card.params.items())
    yield f"# {card.model}\n\n{card.estimator}: {params or 'defaults'}."
    yield f"## Score\n\n{card.cross_validation}.  \n{_on_holdout(card)}"
    yield f"## Not to be used for\n\n{' '.join(card.limits.split())}"
    code = f"At commit `{card.code}`:\n\n" if card.code else ""
    yield f"## Made again by\n\n{code}```sh\n{card.command}\n```"
    learned, held = card.rows
    roles = f" {card.roles}" if card.roles else ""
    yield (
        f"## Data\n\n`{card.data}`, features `{card.fingerprint}`: {learned:,} rows to learn from, {held:,} held out."
        f"{roles}{_columns(card.columns)}"
    )
    if card.predictions:
        heading = "Groups" if card.kind == "group" else "Classes"
        yield f"## {heading}\n\n{_label_table(card.predictions, card.kind)}"
        if card.predictions.slices:
            yield f"## Slices\n\n{_slice_table(card.predictions)}"
    if card.features:
        rows = [[f"`{name}`", f"{share:.1%}"] for name, share in card.features.items()]
        yield f"## Features that matter\n\n{_table(['feature', 'share of importance'], rows)}"


def _on_holdout(card: Card) -> str:
    if not card.holdout_scores:
        return "No row was held out."
    scores = ", ".join(f"{name} {value:.5f}" for name, value in card.holdout_scores.items())
    if card.predictions is None:
        return f"On the hold-out: {scores}."
    interval = bootstrap_mean(log_losses(card.predictions.probabilities, card.predictions.codes))
    error = calibration(card.predictions.probabilities, card.predictions.codes).error
    return (
        f"On the hold-out: {scores}; log-loss {interval} (95% bootstrap interval); calibration error {error:.4f},"
        f" drawn in `{PICTURE}` beside the card."
    )


def _columns(columns: Mapping[str, str]) -> str:
    """Return the columns with their types, as many as one reads."""
    if not columns:
        return ""
    shown = ", ".join(f"`{name}` {kind}" for name, kind in list(columns.items())[:_MOST_COLUMNS])
    more = f" and {len(columns) - _MOST_COLUMNS:,} more" if len(columns) > _MOST_COLUMNS else ""
    return f"\n\n{len(columns):,} columns: {shown}{more}."


def _label_table(predictions: Predictions, kind: str) -> str:
    """Return a row a label: how many rows have it, what it was given on average, and their log-loss."""
    losses = log_losses(predictions.probabilities, predictions.codes)
    rows = []
    for code, label in enumerate(predictions.labels):
        members = predictions.codes == code
        loss = f"{losses[members].mean():.3f}" if members.any() else ""
        given = predictions.probabilities[:, code].mean()
        rows.append([f"{label}", f"{members.sum():,}", f"{members.mean():.3f}", f"{given:.3f}", loss])
    return _table([kind, "rows", "share", "predicted", "log-loss"], rows)


def _slice_table(predictions: Predictions) -> str:
    losses = log_losses(predictions.probabilities, predictions.codes)
    rows = [
        [name, f"{members.sum():,}", f"{losses[members].mean():.3f}"]
        for name, members in predictions.slices.items()
        if members.any()
    ]
    return _table(["devices", "rows", "log-loss"], rows)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table whose first column is text, with room between its cells, which MLflow does not give."""
    marks = ["---", *("---:" for _ in columns[1:])]
    head, *body = ([cells[0], *(f"{_GAP}{cell}" for cell in cells[1:])] for cells in (columns, *rows))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, marks, *body))
