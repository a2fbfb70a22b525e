"""The people: a device, a group and an age each, and the two device lists.

Files list them in random order. The real training file does not: neighbouring rows share their group more often than
chance has it, and whoever validates on unshuffled folds is flattered by that. ``leak`` reproduces it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sources.schema import GROUPS
from sources.synthetic.sizes import GROUP_DEVICES, Sizes, apportion

_SHARES = np.array([GROUP_DEVICES[group] for group in GROUPS]) / sum(GROUP_DEVICES.values())
_AGES = (
    (13, 23), (24, 26), (27, 28), (29, 32), (33, 42), (43, 75),
    (13, 22), (23, 26), (27, 28), (29, 31), (32, 38), (39, 75),
)  # fmt: skip
_NEIGHBOURS = 0.22  # of neighbouring training rows, how many share their group in the real file


@dataclass(frozen=True)
class People:
    """Everyone with a device: first those of the training list, then of the test list, then strangers.

    Attributes
    ----------
    device_id : ndarray of shape (n,), int64
        Over all of the signed 64-bit range.
    group : ndarray of shape (n,), int64
        Code of the group: its place in `sources.schema.GROUPS`.
    active : ndarray of shape (n_active,), int64
        Who has events, by place in this list, ascending.
    sizes : Sizes
    """

    device_id: np.ndarray
    group: np.ndarray
    active: np.ndarray
    sizes: Sizes


def draw_people(rng: np.random.Generator, sizes: Sizes) -> People:
    """Everyone, each group at its real share in every list."""
    lists = (sizes.train, sizes.test, sizes.strangers)
    group = np.concatenate([rng.permutation(np.repeat(np.arange(12), apportion(n, _SHARES))) for n in lists])
    actives = zip(
        (0, sizes.train, sizes.people), lists, (sizes.train_active, sizes.test_active, sizes.strangers), strict=True
    )
    active = [start + np.sort(rng.choice(n, k, replace=False)) for start, n, k in actives]
    return People(draw_ids(rng, len(group)), group, np.concatenate(active), sizes)


def draw_ids(rng: np.random.Generator, count: int) -> np.ndarray:
    """Different signed 64-bit integers, in random order: half are negative and 99.9% lie beyond 2**53."""
    limits = np.iinfo(np.int64)
    ids = np.unique(rng.integers(limits.min, limits.max, count + 16, dtype=np.int64))
    return rng.permutation(ids)[:count]


def train_table(rng: np.random.Generator, people: People, leak: bool) -> pl.DataFrame:
    """Columns of gender_age_train; `leak` changes the order of its rows and nothing else."""
    group = people.group[: people.sizes.train]
    youngest, eldest = np.array(_AGES).T
    # squared: ages crowd towards the middle of life, where the open-ended groups begin or end
    part = rng.random(len(group)) ** 2
    part = np.where(np.isin(group, (0, 6)), 1 - part, part)
    age = youngest[group] + np.floor(part * (eldest - youngest + 1)[group]).astype(np.int64)
    names = np.array(GROUPS)[group]
    order = _leaking_order(rng, group) if leak else np.arange(len(group))
    columns = {"device_id": people.device_id[: len(group)], "gender": names.astype("U1"), "age": age, "group": names}
    return pl.DataFrame({name: values[order] for name, values in columns.items()})


def _leaking_order(rng: np.random.Generator, group: np.ndarray) -> np.ndarray:
    """Order in which neighbours share their group as often as in the real file.

    Each group is cut into runs of random length, and the runs are shuffled. A row continues its run with probability q
    and meets its own group by chance otherwise, so q + (1 - q) * chance is the share wanted.
    """
    chance = float((_SHARES**2).sum())
    q = (_NEIGHBOURS - chance) / (1 - chance)
    together = np.argsort(group, kind="stable")
    starts = rng.random(len(group)) >= q
    starts[np.flatnonzero(np.diff(group[together], prepend=-1))] = True
    run = np.cumsum(starts) - 1
    return together[np.argsort(rng.permutation(run[-1] + 1)[run], kind="stable")]


def test_table(people: People) -> pl.DataFrame:
    """Columns of gender_age_test."""
    return pl.DataFrame({"device_id": people.device_id[people.sizes.train : people.sizes.people]})
