"""A folder's tables are known by the content of its files."""

from __future__ import annotations

import hashlib
import os
import subprocess
import zipfile

import pytest

from errors import SourceError
from sources import Silence, digests, ingest
from sources import folder as folder_module
from sources.folder import FolderSource
from sources.schema import TABLES
from tests.sources.conftest import SEVEN_FILES


@pytest.fixture
def ingested(folder, cache):
    """Ingest the folder, as a new process would."""
    return lambda: ingest(FolderSource(folder), cache, Silence())


@pytest.fixture
def hashed(monkeypatch):
    """The names of the files that are hashed from now on."""
    names = []

    def sha256_of(path):
        names.append(path.name)
        return digests.sha256_of(path)

    monkeypatch.setattr(folder_module, "sha256_of", sha256_of)
    return names


def test_the_manifest_states_what_sha256sum_and_wc_state(folder, ingested):
    manifest = ingested().manifest
    for name in TABLES:
        file = folder / f"{name}.csv"
        stated = subprocess.run(["sha256sum", file], check=True, capture_output=True, text=True).stdout.split()[0]
        assert manifest.tables[name].sha256 == stated
        assert manifest.tables[name].rows == SEVEN_FILES[name].count("\n") - 1
        assert manifest.tables[name].input == file.name
    assert manifest.source == str(folder)


@pytest.mark.parametrize("name", TABLES)
def test_a_change_to_any_file_makes_other_tables(folder, ingested, name):
    before = ingested()
    file = folder / f"{name}.csv"
    file.write_text(file.read_text() + file.read_text().splitlines()[-1] + "\n")
    after = ingested()
    assert not after.reused
    assert after.fingerprint != before.fingerprint


def test_a_change_that_keeps_size_and_date_is_noticed(folder, ingested):
    before = ingested()
    file = folder / "app_events.csv"
    status = file.stat()
    file.write_text(file.read_text().replace(",1,0", ",1,1"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert file.stat().st_size == status.st_size
    assert ingested().fingerprint != before.fingerprint


def test_an_unchanged_folder_is_reused_without_reading_it(ingested, hashed):
    first = ingested()
    assert sorted(hashed) == sorted(f"{name}.csv" for name in TABLES)
    hashed.clear()
    again = ingested()
    assert again.reused
    assert again.path == first.path
    assert hashed == []


def test_only_touched_files_are_hashed_again(folder, ingested, hashed):
    ingested()
    hashed.clear()
    os.utime(folder / "events.csv")
    assert ingested().reused
    assert hashed == ["events.csv"]


def test_the_same_files_elsewhere_are_the_same_tables(folder, ingested, cache, tmp_path):
    first = ingested()
    folder.rename(tmp_path / "moved")
    moved = ingest(FolderSource(tmp_path / "moved"), cache, Silence())
    assert moved.reused
    assert moved.path == first.path


def test_zipped_files_give_the_same_tables(folder, ingested):
    plain = ingested()
    for name in TABLES:
        with zipfile.ZipFile(folder / f"{name}.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(folder / f"{name}.csv", f"{name}.csv")
        (folder / f"{name}.csv").unlink()
    zipped = ingested()
    assert zipped.manifest.rows == plain.manifest.rows
    for name in TABLES:
        assert zipped.scan(name).collect().equals(plain.scan(name).collect())
        packed = hashlib.sha256((folder / f"{name}.csv.zip").read_bytes()).hexdigest()
        assert zipped.manifest.tables[name].sha256 == packed
    assert sorted(path.name for path in zipped.path.iterdir()) == sorted(
        ["manifest.json", *(f"{name}.parquet" for name in TABLES)]
    )


def test_where_both_are_there_the_plain_file_counts(folder, ingested):
    (folder / "events.csv.zip").write_bytes(b"not even an archive")
    assert ingested().manifest.tables["events"].input == "events.csv"


@pytest.mark.parametrize("name", TABLES)
def test_a_missing_file_is_named(folder, ingested, name):
    (folder / f"{name}.csv").unlink()
    with pytest.raises(SourceError, match=rf"^{folder}: {name}\.csv or {name}\.csv\.zip is missing\. Put the seven"):
        ingested()


def test_a_missing_folder_is_named(tmp_path, cache):
    with pytest.raises(SourceError, match="nowhere: there is no such folder"):
        FolderSource(tmp_path / "nowhere").identity(cache)


def test_a_bad_row_is_reported_with_the_file_s_path(folder, ingested):
    (folder / "events.csv").write_text(SEVEN_FILES["events"].replace("2016-05-01 00:55:25", "yesterday"))
    with pytest.raises(SourceError) as caught:
        ingested()
    assert str(caught.value).startswith(f"{folder}/events.csv: line 2: timestamp 'yesterday' is not")


def test_a_bad_row_in_an_archive_is_reported_with_the_archive_s_path(folder, ingested):
    with zipfile.ZipFile(folder / "gender_age_test.csv.zip", "w") as archive:
        archive.writestr("gender_age_test.csv", "device_id\n1\nx\n")
    (folder / "gender_age_test.csv").unlink()
    with pytest.raises(SourceError, match=rf"^{folder}/gender_age_test\.csv\.zip: line 3: device_id 'x'"):
        ingested()


def test_a_file_that_changes_while_it_is_read_is_noticed(folder, cache):
    class Meddles(Silence):
        def step(self, title, total, unit):
            (folder / "events.csv").write_text(SEVEN_FILES["events"] + "3,7,2016-05-01 00:00:00,0,0\n")
            return super().step(title, total, unit)

    with pytest.raises(SourceError, match=r"events\.csv: the file changed while it was read"):
        ingest(FolderSource(folder), cache, Meddles())
    assert not list(cache.root.glob("tables/*"))
