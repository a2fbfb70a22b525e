"""Which parameters matter: how much of the differences between scores each of them explains.

Functional analysis of variance on a random forest, after Hutter, Hoos and Leyton-Brown, "An Efficient Approach for
Assessing Hyperparameter Importance" (ICML 2014): a forest learns the score from the parameters, and a parameter's share
is the variance of the forest's mean over all other parameters, as a part of the whole variance. They integrate over the
whole space; we average over candidates that were tried, which also holds where the space is no box. The interval is the
bootstrap's, over candidates: twenty of them say little, and it shows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.ensemble import RandomForestRegressor

from report.picture import Picture
from report.scales import Scale, scales
from report.standing import JUDGED, WINNER, lower_limit, standing
from report.style import BLUE, GREY, figure, grid_lines, shortened
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec

FEWEST = 20
"""Candidates: of fewer nothing is said."""

TOGETHER = "(several together)"
_RESAMPLES = 25
_TREES = 12
_LARGEST = 1_000  # candidates that a forest learns from
_BACKGROUND = 60
_VALUES = 10
_LEAST_EXPLAINED = 0.1
_MOST_SHOWN = 15


def picture(result: SweepResult, spec: SweepSpec | None = None) -> Picture | None:
    """Draw each parameter's share; None below 20 candidates judged in full, or where a single one was varied."""
    axes_of = scales(result, spec)
    data = standing(result)
    judged = data["status"].isin([WINNER, JUDGED]) & data["mean"].notna()
    if len(axes_of) < 2 or judged.sum() < FEWEST or data.loc[judged, "mean"].nunique() < 2:
        return None
    places = np.flatnonzero(judged)
    X = np.column_stack([_encoded(scale, result, places) for scale in axes_of.values()])
    y = data.loc[judged, "mean"].clip(lower=lower_limit(data["mean"])).to_numpy()
    found, explained = importance(X, y, list(axes_of))
    caption = (
        f"Share of the differences in mean {result.refit_scorer} between {len(places):,} candidates that a parameter"
        " explains by itself, with a 95 % bootstrap interval (functional analysis of variance on a random forest,"
        f" Hutter et al. 2014). The forest explains {max(0.0, explained):.0%} of a candidate that it has not seen"
        + (": too little to trust the shares." if explained < _LEAST_EXPLAINED else ".")
    )
    return Picture("importance", "Which parameters matter?", caption, found, lambda: _drawn(found))


def importance(X: np.ndarray, y: np.ndarray, names: list[str], seed: int = 0) -> tuple[pd.DataFrame, float]:
    """Split the variance of `y` among the columns of `X`.

    Parameters
    ----------
    X : ndarray of shape (n_candidates, n_parameters)
    y : ndarray of shape (n_candidates,)
    names : list of str
        Of the columns.
    seed : int

    Returns
    -------
    found : DataFrame
        ``parameter``, ``share``, ``low`` and ``high``, the largest first, and what only several together explain.
    explained : float
        R² on the rows that a tree has not drawn.
    """
    draw = np.random.default_rng(seed)
    shares, explained = [], []
    for _ in range(_RESAMPLES):
        drawn = draw.integers(0, len(y), min(len(y), _LARGEST))
        left_out = np.setdiff1d(np.arange(len(y)), drawn)[:_LARGEST]
        forest = RandomForestRegressor(_TREES, random_state=int(draw.integers(2**31)), n_jobs=1)
        forest.fit(X[drawn], y[drawn])
        shares.append(_shares(forest, X[drawn], draw))
        residual = y[left_out] - forest.predict(X[left_out])
        explained.append(1 - float((residual**2).mean()) / float(y[left_out].var() or 1))
    of_all = np.array(shares)
    low, high = np.quantile(of_all, [0.025, 0.975], axis=0)
    found = pd.DataFrame({"parameter": [*names, TOGETHER], "share": of_all.mean(axis=0), "low": low, "high": high})
    order = [*np.argsort(-found["share"].to_numpy()[:-1], kind="stable"), len(names)]
    return found.iloc[order].reset_index(drop=True), float(np.median(explained))


def _shares(forest: Any, X: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Return the share of each column, and what is left: all in one prediction, which costs more than its rows."""
    background = X[draw.integers(0, len(X), min(len(X), _BACKGROUND))]
    grids = [np.quantile(X[:, column], np.linspace(0, 1, _VALUES), method="nearest") for column in range(X.shape[1])]
    asked = np.tile(background, (X.shape[1] * _VALUES, 1)).reshape(X.shape[1], _VALUES, len(background), X.shape[1])
    for column, grid in enumerate(grids):
        asked[column, :, :, column] = grid[:, None]
    means = forest.predict(asked.reshape(-1, X.shape[1])).reshape(X.shape[1], _VALUES, -1).mean(axis=2)
    whole = float(forest.predict(X).var())
    alone = np.clip(means.var(axis=1) / whole, 0, 1) if whole > 0 else np.zeros(X.shape[1])
    alone = alone / max(1.0, float(alone.sum()))
    return np.append(alone, 1 - alone.sum() if whole > 0 else 0.0)


def _encoded(scale: Scale, result: SweepResult, places: np.ndarray) -> np.ndarray:
    """Return a parameter's values as a tree may split them: by size, words after the numbers."""
    return np.array([scale.place(result.candidates[place].params.get(scale.name)) for place in places])


def _drawn(found: pd.DataFrame) -> Figure:
    shown = pd.concat([found.iloc[:-1].head(_MOST_SHOWN), found.iloc[-1:]])
    made = figure(0.7 + 0.26 * len(shown))
    axes = made.subplots()
    rows = np.arange(len(shown))
    colours = [BLUE] * (len(shown) - 1) + [GREY]
    axes.barh(rows, shown["share"], color=colours, alpha=0.55, height=0.6)
    axes.hlines(rows, shown["low"], shown["high"], color="black", lw=1.3)
    axes.set_yticks(rows, [shortened(name, 40) for name in shown["parameter"]])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_xlabel("share of the variance of the score")
    grid_lines(axes, "x")
    return made
