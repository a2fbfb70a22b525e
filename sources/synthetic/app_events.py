"""App events: which of a device's apps each of its events lists.

A device has a list of apps, drawn by its owner's group. Each app is on an event's list at a rate of its own, and the
device's most popular one always, so that no event comes out empty. Rows are made in bounded chunks of events, each from
a random stream of its own: threads share them out, and the result does not depend on how many there are.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl

from sources.schema import TABLES
from sources.synthetic.apps import IN_USE, Apps
from sources.synthetic.events import Sightings
from sources.synthetic.people import People
from sources.synthetic.tastes import draw_choices

_DRAWS = 62.0  # of apps a device, repeats dropped; weighted by events, which makes 33 different ones
_LIST_SPREAD = 0.45
_ACTIVE = 0.3925
_EVENTS_A_CHUNK = 100_000
_THREADS = 2


@dataclass(frozen=True)
class Lists:
    """Apps on each active device, one list after the other.

    Attributes
    ----------
    start : ndarray of shape (n_active + 1,), int64
        Bounds of each device's list.
    app : ndarray of shape (n,), int32
        Place in `Apps`, ascending within a list.
    rate : ndarray of shape (n,), float32
        Share of the device's events with apps that list this one.
    """

    start: np.ndarray
    app: np.ndarray
    rate: np.ndarray


def app_events_table(rng: np.random.Generator, people: People, sightings: Sightings, apps: Apps) -> pl.DataFrame:
    """Columns of app_events, by event_id ascending."""
    lists = _draw_lists(rng, people, sightings, apps)
    bounds = range(0, len(sightings.with_apps), _EVENTS_A_CHUNK)
    chunks = [sightings.with_apps[start : start + _EVENTS_A_CHUNK] for start in bounds]

    def rows(chunk: np.ndarray, own: np.random.Generator) -> pl.DataFrame:
        return _rows(own, chunk, sightings.owner[chunk], lists, apps)

    with ThreadPoolExecutor(_THREADS) as threads:
        return pl.concat(threads.map(rows, chunks, rng.spawn(len(chunks))), rechunk=False)


def _draw_lists(rng: np.random.Generator, people: People, sightings: Sightings, apps: Apps) -> Lists:
    events = np.bincount(sightings.owner[sightings.with_apps], minlength=len(people.active))
    length = np.exp(_LIST_SPREAD * rng.normal(size=len(events)))
    mean = (length * events).sum() / events.sum()
    draws = np.maximum(np.round(length * (_DRAWS / mean)), 3).astype(np.int64)
    owner = np.repeat(np.arange(len(events)), draws)
    pair = np.unique(owner * IN_USE + draw_choices(rng, apps.chances, people.group[people.active][owner]))
    owner, app = pair // IN_USE, pair % IN_USE
    start = np.searchsorted(owner, np.arange(len(events) + 1))
    rate = _rates(rng, events[owner], start[:-1], people.sizes.app_events)
    return Lists(start, app.astype(np.int32), rate)


def _rates(rng: np.random.Generator, events: np.ndarray, always: np.ndarray, target: int) -> np.ndarray:
    """Rates, shape (n,), that make `target` rows on average, given the `events` with apps behind each.

    A power of a uniform number stays between 0 and 1 whatever the power, which bisection finds.
    """
    chance = rng.random(len(events))
    chance[always] = 1
    low, high = 0.0, 8.0
    for _ in range(30):
        power = (low + high) / 2
        rate = chance**power
        low, high = (power, high) if (rate * events).sum() > target else (low, power)
    return rate.astype(np.float32)


def _rows(rng: np.random.Generator, event: np.ndarray, owner: np.ndarray, lists: Lists, apps: Apps) -> pl.DataFrame:
    start = lists.start[owner]
    length = lists.start[owner + 1] - start
    before = np.cumsum(length) - length
    entry = np.arange(length.sum()) + np.repeat(start - before, length)
    listed = rng.random(len(entry), np.float32) < lists.rate[entry]
    event_id = np.repeat(event + 1, length)[listed]
    columns = {
        "event_id": event_id,
        "app_id": apps.app_id[lists.app[entry[listed]]],
        "is_installed": np.ones(len(event_id), np.int8),
        "is_active": (rng.random(len(event_id), np.float32) < _ACTIVE).astype(np.int8),
    }
    return pl.DataFrame(columns, schema=dict(TABLES["app_events"].columns))
