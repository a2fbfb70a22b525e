"""The seven tables of one seed, in memory or as files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl

from errors import SourceError
from sources.schema import TABLES
from sources.synthetic.app_events import app_events_table
from sources.synthetic.apps import LABELS_USED, app_labels_table, apps_in_the_world, label_categories_table, label_ids
from sources.synthetic.events import draw_sightings, events_table
from sources.synthetic.people import draw_people, test_table, train_table
from sources.synthetic.phones import phone_table, phones_on_sale
from sources.synthetic.sizes import Sizes

_WORLD = 20160501
_ROWS_A_WRITE = 1_000_000
_TIMESTAMP = "%Y-%m-%d %H:%M:%S"


def generate(scale: float, seed: int, leak: bool = False) -> Iterator[tuple[str, pl.DataFrame]]:
    """Make the tables one after the other, so that a caller who drops each before the next holds one at a time.

    Parameters
    ----------
    scale : float
        Share of the real number of devices, from 0.001 to 1. Brands, apps and labels are the same at any scale.
    seed : int
        Not negative.
    leak : bool
        Let neighbouring rows of gender_age_train share their group as often as in the real file.

    Returns
    -------
    iterator of (name, DataFrame)
        In the order and types of `sources.schema.TABLES`.

    Raises
    ------
    SourceError
        On the call, before the first table: `scale` or `seed` is out of range.
    """
    sizes = Sizes.at(scale)
    if seed < 0:
        raise SourceError(f"synthetic data: seed is {seed}, but must be 0 or greater.")
    tables = _tables(sizes, seed, leak)
    return ((name, frame.select(pl.col(c).cast(t) for c, t in TABLES[name].columns.items())) for name, frame in tables)


def _tables(sizes: Sizes, seed: int, leak: bool) -> Iterator[tuple[str, pl.DataFrame]]:
    phones_stream, apps_stream, labels_stream, app_labels_stream = np.random.default_rng(_WORLD).spawn(4)
    people_stream, *streams = np.random.default_rng(seed).spawn(6)
    people = draw_people(people_stream, sizes)
    yield "gender_age_train", train_table(streams[0], people, leak)
    yield "gender_age_test", test_table(people)
    yield "phone_brand_device_model", phone_table(streams[1], people, phones_on_sale(phones_stream))
    sightings = draw_sightings(streams[2], people)
    yield "events", events_table(streams[3], people, sightings)
    apps = apps_in_the_world(apps_stream)
    yield "app_events", app_events_table(streams[4], people, sightings, apps)
    labels = label_ids(labels_stream)
    used = np.sort(labels_stream.permutation(labels)[:LABELS_USED])
    yield "app_labels", app_labels_table(app_labels_stream, apps, labels_stream.permutation(used))
    yield "label_categories", label_categories_table(labels)


def write_csv(folder: Path, scale: float, seed: int, leak: bool = False, zipped: bool = False) -> None:
    """Write the tables as the real files are: ``NAME.csv``, or ``NAME.csv.zip`` with that one file in it.

    Raises
    ------
    SourceError
        As `generate` does; nothing is written then.
    """
    tables = generate(scale, seed, leak)
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tables:
        if zipped:
            archive = zipfile.ZipFile(folder / f"{name}.csv.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1)
            with archive, archive.open(f"{name}.csv", "w", force_zip64=True) as member:
                _write(frame, member)
        else:
            with (folder / f"{name}.csv").open("wb") as file:
                _write(frame, file)


def _write(frame: pl.DataFrame, file: IO[bytes]) -> None:
    """Write `frame` in pieces: Polars would hold the whole text of a zipped table in memory."""
    for start in range(0, max(frame.height, 1), _ROWS_A_WRITE):
        piece = frame.slice(start, _ROWS_A_WRITE)
        piece.write_csv(file, include_header=start == 0, datetime_format=_TIMESTAMP)
