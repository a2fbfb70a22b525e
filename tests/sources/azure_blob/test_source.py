"""The seven tables come from a container; what has not changed is not fetched again."""

from __future__ import annotations

import shutil
import zipfile

import pytest
from polars.testing import assert_frame_equal

from errors import SourceError
from sources import Silence, ingest, source_from
from sources.schema import TABLES

pytestmark = pytest.mark.usefixtures("connected")


@pytest.fixture
def ingested(container, cache):
    """Ingest from a path of the container, as a new process would."""

    def ingested(path=""):
        address = f"wasbs://{container.container_name}@devstoreaccount1.blob.core.windows.net/{path}"
        return ingest(source_from(address, scale=1.0, seed=0, leak=False), cache, Silence())

    return ingested


@pytest.fixture
def requests_of(azurite, container):
    """Call something, and return what the server was asked about this test's container meanwhile."""

    def requests_of(call):
        before = len(azurite.requests())
        call()
        return [request for request in azurite.requests()[before:] if container.container_name in request.path]

    return requests_of


def test_tables_from_blobs_equal_those_from_the_same_files(folder, upload, ingested, cache):
    upload(folder)
    from_folder = ingest(source_from(str(folder), scale=1.0, seed=0, leak=False), cache, Silence())
    from_blobs = ingested()
    for name in TABLES:
        assert_frame_equal(from_blobs.scan(name).collect(), from_folder.scan(name).collect())
    for name, record in from_folder.manifest.tables.items():
        assert from_blobs.manifest.tables[name] == record


def test_a_blob_may_be_zipped_and_lie_under_a_path(folder, upload, ingested):
    with zipfile.ZipFile(folder / "events.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "events.csv", "events.csv")
    (folder / "events.csv").unlink()
    upload(folder, "2016/may/")
    tables = ingested("2016/may")
    assert tables.manifest.rows["events"] == 2
    assert tables.manifest.tables["events"].input == "events.csv.zip"


def test_a_second_ingest_lists_the_blobs_once_and_downloads_nothing(folder, upload, ingested, requests_of):
    upload(folder)
    first = ingested()
    again = []
    requests = requests_of(lambda: again.append(ingested()))
    assert [(request.method, "comp=list" in request.path) for request in requests] == [("GET", True)]
    assert again[0].reused
    assert again[0].path == first.path


def test_tables_made_anew_from_unchanged_blobs_download_nothing(folder, upload, ingested, requests_of, cache):
    upload(folder)
    ingested()
    shutil.rmtree(cache.root / "tables")
    again = []
    requests = requests_of(lambda: again.append(ingested()))
    assert len(requests) == 1
    assert not again[0].reused


def test_only_the_blob_that_changed_is_downloaded_again(folder, upload, ingested, requests_of, container):
    upload(folder)
    first = ingested()
    longer = (folder / "app_labels.csv").read_bytes() + b"5927333115845830913,704\n"
    container.upload_blob("app_labels.csv", longer, overwrite=True)
    again = []
    requests = requests_of(lambda: again.append(ingested()))
    fetched = [request for request in requests if "comp=list" not in request.path]
    assert [request.path.rsplit("/")[-1] for request in fetched] == ["app_labels.csv"]
    assert again[0].manifest.rows["app_labels"] == first.manifest.rows["app_labels"] + 1
    assert again[0].fingerprint != first.fingerprint


def test_a_missing_blob_is_named(folder, upload, ingested, container):
    (folder / "events.csv").unlink()
    upload(folder)
    with pytest.raises(
        SourceError, match=rf"^wasbs://{container.container_name}@.*events\.csv or events\.csv\.zip is "
    ):
        ingested()


def test_a_bad_row_in_a_blob_is_reported_with_the_blob_s_address(folder, upload, ingested, container):
    (folder / "gender_age_test.csv").write_text("device_id\n1.5\n")
    upload(folder)
    with pytest.raises(SourceError) as caught:
        ingested()
    assert str(caught.value).startswith(
        f"wasbs://{container.container_name}@devstoreaccount1.blob.core.windows.net/gender_age_test.csv: "
        "line 2: device_id '1.5' is not a whole number"
    )
