"""How the twelve groups differ in what they buy and run.

A taste is a row of twelve log-odds, one a group. Most of it lies along a few smooth curves over gender and age, as in
people, so that neighbouring groups are hard to tell apart and a model learns what an app says from few owners; the rest
is noise of the group's own. Drawing twelve free numbers instead would make every group as far from its neighbour as
from any other, which no real audience is.
"""

from __future__ import annotations

import numpy as np

_GENDER = np.repeat([-1.0, 1.0], 6)
_AGE = np.log([20, 25, 27.5, 30.5, 37, 48, 20, 24.5, 27.5, 30, 35, 46])
_OWN = 0.35


def _curves() -> np.ndarray:
    """Curves over the groups, shape (4, 12): gender, age, middle age, and age's other meaning for the other gender."""
    age = (_AGE - _AGE.mean()) / _AGE.std()
    middle = age**2 - np.polyval(np.polyfit(age, age**2, 1), age)
    return np.stack([_GENDER, age, middle / middle.std(), _GENDER * age])


def draw_tastes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Tastes with mean 0 and variance near 1 over the groups.

    Returns
    -------
    ndarray of shape (count, 12)
    """
    weights = rng.normal(size=(count, 4)) * [0.7, 0.7, 0.35, 0.35]
    own = rng.normal(size=(count, len(_GENDER)))
    # einsum, not BLAS: its sums are the same on every machine
    smooth = np.einsum("ic,cg->ig", weights, _curves())
    return np.asarray((smooth + _OWN * own) / np.hypot(1.05, _OWN))


def choices_by_group(popularity: np.ndarray, tastes: np.ndarray) -> np.ndarray:
    """Cumulative probability of each choice in each group.

    Parameters
    ----------
    popularity : ndarray of shape (n,)
        Of each choice in all groups together, up to a factor.
    tastes : ndarray of shape (n, 12)
        Log-odds.

    Returns
    -------
    ndarray of shape (12, n)
        Each row ascends to exactly 1.
    """
    weights = popularity[:, None] * np.exp(tastes - np.log(np.exp(tastes).mean(axis=1, keepdims=True)))
    cumulative = np.cumsum(weights.T, axis=1)
    return np.asarray(cumulative / cumulative[:, -1:])


def draw_choices(rng: np.random.Generator, cumulative: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """One choice for each entry of `groups`.

    Parameters
    ----------
    cumulative : ndarray of shape (12, n)
        From `choices_by_group`.
    groups : ndarray of shape (m,)
        Group codes, 0 to 11.

    Returns
    -------
    ndarray of shape (m,), int64
    """
    chance = rng.random(len(groups))
    chosen = np.empty(len(groups), np.int64)
    for group, row in enumerate(cumulative):
        mine = groups == group
        chosen[mine] = np.searchsorted(row, chance[mine], side="right")
    return chosen
