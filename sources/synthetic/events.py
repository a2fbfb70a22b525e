"""Events: when and where each device was seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sources.synthetic.people import People
from sources.synthetic.sizes import apportion

_SPREAD = 1.65  # of the logarithm of a device's events; with the real mean of 53 the median is 14
_MIDNIGHT = np.datetime64("2016-05-01T00:00:00", "s")
_HOUR, _DAY = 3600, 86_400
_WEEK = 7 * _DAY
_HOURS = (
    26, 17, 12, 10, 11, 18, 32, 46, 54, 58, 66, 59, 56, 54, 52, 51, 52, 53, 54, 57, 61, 67, 57, 40,
)  # fmt: skip
_DAYS = (98, 101, 104, 103, 102, 101, 97)
_CITIES = (
    (116.4, 39.9), (121.5, 31.2), (113.3, 23.1), (114.1, 22.6), (104.1, 30.7), (120.2, 30.3), (114.3, 30.6),
    (108.9, 34.3), (118.8, 32.1), (106.6, 29.6), (113.7, 34.8), (117.0, 36.7), (123.4, 41.8), (126.6, 45.8),
    (119.3, 26.1), (102.7, 25.0),
)  # fmt: skip


@dataclass(frozen=True)
class Sightings:
    """Whose each event is; an event's id is its place plus 1.

    Attributes
    ----------
    owner : ndarray of shape (n_events,), int64
        Place in ``people.active``.
    with_apps : ndarray of shape (n_with_apps,), int64
        The events that have rows in app_events, ascending.
    """

    owner: np.ndarray
    with_apps: np.ndarray


def draw_sightings(rng: np.random.Generator, people: People) -> Sightings:
    """Long-tailed numbers of events, at least one for each active device, in random order."""
    sizes = people.sizes
    weights = np.exp(_SPREAD * rng.normal(size=len(people.active)))
    counts = apportion(sizes.events, weights, least=1)
    owner = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    return Sightings(owner, np.sort(_choose(rng, owner, sizes.events_with_apps)))


def _choose(rng: np.random.Generator, owner: np.ndarray, count: int) -> np.ndarray:
    """Return exactly `count` events, more from some owners than from others, in no order."""
    habit = rng.random(owner.max() + 1)
    return np.argpartition(rng.random(len(owner)) + 0.7 * habit[owner], count - 1)[:count]


def events_table(rng: np.random.Generator, people: People, sightings: Sightings) -> pl.DataFrame:
    """Columns of events, event_id ascending from 1."""
    owner = sightings.owner
    longitude, latitude = _places(rng, people, owner)
    return pl.DataFrame(
        {
            "event_id": np.arange(1, len(owner) + 1),
            "device_id": people.device_id[people.active][owner],
            "timestamp": _times(rng, people, len(owner)),
            "longitude": longitude,
            "latitude": latitude,
        }
    )


def _times(rng: np.random.Generator, people: People, count: int) -> np.ndarray:
    """Times to the second, shape (count,): one week with its hours, and a few minutes on either side."""
    cells = np.cumsum(np.outer(_DAYS, _HOURS))
    hour = np.searchsorted(cells / cells[-1], rng.random(count), side="right")
    second = hour * _HOUR + rng.integers(0, _HOUR, count)
    outside = rng.choice(count, people.sizes.early + people.sizes.late, replace=False)
    early, late = np.split(outside, [people.sizes.early])
    second[early] = -rng.integers(1, 600, len(early))
    second[late] = _WEEK + rng.integers(0, 60, len(late))
    return np.asarray(_MIDNIGHT + second.astype("timedelta64[s]")).astype("datetime64[us]")


def _places(rng: np.random.Generator, people: People, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude to a hundredth of a degree, each of shape (n_events,); exactly 0 where unknown."""
    home = np.array(_CITIES)[rng.integers(0, len(_CITIES), len(people.active))]
    home += rng.normal(scale=0.8, size=home.shape)
    place = home[owner] + rng.normal(scale=0.05, size=(len(owner), 2))
    place[_choose(rng, owner, people.sizes.events_nowhere)] = 0
    longitude, latitude = np.round(place, 2).T
    return longitude, latitude
