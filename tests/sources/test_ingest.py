"""Tables appear in the cache whole, once, or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from cache import Cache
from errors import CacheError, SourceError
from sources import Manifest, Silence, ingest, source_from
from sources.schema import TABLES

ROOT = Path(__file__).parents[2]


def small(seed=0):
    return source_from("synthetic", scale=0.001, seed=seed, leak=False)


def test_seven_typed_tables_and_a_manifest_are_left(cache, synthetic_tables):
    tables = ingest(small(), cache, Silence())
    assert sorted(path.name for path in tables.path.iterdir()) == sorted(
        ["manifest.json", *(f"{name}.parquet" for name in TABLES)]
    )
    for name, table in TABLES.items():
        assert dict(tables.scan(name).collect_schema()) == dict(table.columns)
        assert tables.scan(name).collect().equals(synthetic_tables[name])
        assert tables.manifest.rows[name] == synthetic_tables[name].height


def test_the_manifest_stands_on_disk_as_it_is_given(cache):
    tables = ingest(small(), cache, Silence())
    on_disk = Manifest.model_validate_json((tables.path / "manifest.json").read_text())
    assert on_disk == tables.manifest
    assert tables.fingerprint == tables.path.name


def test_a_second_ingest_reuses_the_first(cache):
    first = ingest(small(), cache, Silence())
    assert not first.reused
    again = ingest(small(), cache, Silence())
    assert again.reused
    assert (again.path, again.manifest) == (first.path, first.manifest)


def test_other_code_in_this_room_makes_other_tables(cache, monkeypatch):
    first = ingest(small(), cache, Silence())
    monkeypatch.setattr(sys.modules["sources.ingest"], "code_digest", lambda *packages: "edited")
    again = ingest(small(), cache, Silence())
    assert not again.reused
    assert again.fingerprint != first.fingerprint


def test_a_failed_ingest_leaves_nothing(folder, cache):
    (folder / "events.csv").write_text("event_id\n")
    with pytest.raises(SourceError):
        ingest(source_from(str(folder), scale=1.0, seed=0, leak=False), cache, Silence())
    assert not [path for path in cache.root.rglob("*") if path.is_file()]


KILLED = """
import os, signal, sys
from pathlib import Path
import sources.generated
from cache import Cache
from sources import Silence, ingest, source_from
generate = sources.generated.generate
def dying(*arguments):
    for number, item in enumerate(generate(*arguments)):
        if number == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        yield item
sources.generated.generate = dying
ingest(source_from("synthetic", scale=0.001, seed=0, leak=False), Cache(Path(sys.argv[1])), Silence())
"""


def test_a_killed_ingest_is_never_taken_for_whole_and_the_next_clears_up_after_it(cache):
    process = subprocess.run([sys.executable, "-c", KILLED, str(cache.root)], cwd=ROOT, check=False)
    assert process.returncode == -signal.SIGKILL
    assert not list(cache.root.glob("tables/*"))
    assert list(cache.root.glob(".ingest-*"))
    assert not ingest(small(), cache, Silence()).reused
    assert not list(cache.root.glob(".ingest-*"))


def test_a_full_disk_is_one_line_and_leaves_no_table(mounted):
    cache = Cache(mounted / "cache")
    with pytest.raises(CacheError, match=rf"^{cache.root}: the disk is full \(\d+ MiB free\)\. Free some space"):
        ingest(small(), cache, Silence())
    assert not [path for path in mounted.rglob("*") if path.is_file()]


def test_a_full_disk_while_reading_csv_is_not_blamed_on_the_file(mounted, synthetic_folder):
    source = source_from(str(synthetic_folder), scale=1.0, seed=0, leak=False)
    with pytest.raises(CacheError, match="the disk is full"):
        ingest(source, Cache(mounted / "cache"), Silence())


def test_a_read_only_disk_is_one_line(mounted):
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    cache = Cache(mounted / "cache")
    with pytest.raises(CacheError, match=rf"^{cache.root}: the folder cannot be written \(read-only file system\)\."):
        ingest(small(), cache, Silence())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_of_someone_else_is_one_line(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(CacheError, match=r"the folder cannot be written \(permission denied\)"):
        ingest(small(), Cache(tmp_path / "cache"), Silence())


def test_a_scan_is_lazy_and_typed(cache):
    tables = ingest(small(), cache, Silence())
    assert isinstance(tables.scan("events"), pl.LazyFrame)
    assert tables.scan("events").select(pl.col("timestamp").min()).collect().item().year == 2016
