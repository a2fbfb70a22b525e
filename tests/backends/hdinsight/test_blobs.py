"""The shelf in a storage account, on Azurite."""

import pytest

from backends.failures import BackendError, ConnectionLostError
from backends.guest import shelves
from backends.hdinsight.blobs import BlobShelf
from backends.hdinsight.settings import Storage
from tests.backends.hdinsight.conftest import CONTAINER
from tests.services.azurite import ACCOUNT, KEY


def storage(container=CONTAINER, account=ACCOUNT):
    return Storage.parse(f"wasbs://{container}@{account}.blob.core.windows.net/gridfold")


@pytest.fixture
def shelf(container, azurite, monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", azurite.connection_string)
    for name in list(container.list_blob_names()):
        container.delete_blob(name)
    return BlobShelf(storage())


def test_files_are_put_replaced_listed_and_removed(shelf, container, tmp_path):
    large = tmp_path / "large"
    large.write_bytes(b"x" * 5_000_000)
    container.upload_blob("gridfolder/not-ours", b"")
    shelf.put("a/one", b"1")
    shelf.put("a/one", b"2")
    shelf.put("b", large)
    assert shelf.get("a/one") == b"2"
    assert shelf.get("a") is None
    assert len(shelf.get("b")) == 5_000_000
    assert shelf.names("") == ["a/one", "b"]
    assert shelf.names("a/") == ["a/one"]
    shelf.remove("a/")
    shelf.remove("a/")
    assert shelf.names("") == ["b"]
    shelf.remove("")
    assert list(container.list_blob_names()) == ["gridfolder/not-ours"]


def test_the_driver_uses_the_same_shelf_with_a_signature_alone(shelf, monkeypatch):
    monkeypatch.delenv("AZURE_STORAGE_CONNECTION_STRING")
    signed = shelf.signed()
    assert KEY not in signed["signature"]
    blobs = shelves.Blobs(signed["address"], signed["signature"])
    blobs.put("jobs/r 1/log/000001", b"text")
    assert shelf.get("jobs/r 1/log/000001") == b"text"
    assert blobs.get("jobs/r 1/log/000001") == b"text"
    assert blobs.get("jobs/absent") is None
    blobs.remove("jobs/r 1/log/000001")
    blobs.remove("jobs/r 1/log/000001")
    assert shelf.names("") == []


def test_an_account_key_works_as_well(shelf, azurite, monkeypatch):
    monkeypatch.delenv("AZURE_STORAGE_CONNECTION_STRING")
    monkeypatch.setenv("AZURE_STORAGE_ACCESS_KEY", KEY)
    monkeypatch.setenv("AZURE_STORAGE_BLOB_ENDPOINT", azurite.endpoint)
    other = BlobShelf(storage())
    other.put("x", b"1")
    assert shelf.get("x") == b"1"
    shelves.Blobs(**other.signed()).put("y", b"2")
    assert shelf.names("") == ["x", "y"]


@pytest.mark.parametrize(
    ("changes", "place", "sentence"),
    [
        ({"AZURE_STORAGE_CONNECTION_STRING": "nonsense"}, storage(), "is not a connection string of a storage account"),
        ({}, storage(account="other"), f"AZURE_STORAGE_CONNECTION_STRING opens the account '{ACCOUNT}', not 'other'"),
        ({}, storage(container="absent"), "the account has no such container. 'storage' names the cluster's own"),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": "", "AZURE_STORAGE_ACCESS_KEY": KEY.replace("E", "F")},
            storage(),
            "the storage account refused AZURE_STORAGE_ACCESS_KEY (",
        ),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": "", "AZURE_STORAGE_ACCESS_KEY": "no base64"},
            storage(),
            "the storage account refused AZURE_STORAGE_ACCESS_KEY",
        ),
    ],
)
def test_bad_credentials_and_containers_are_one_line(shelf, azurite, monkeypatch, changes, place, sentence):
    monkeypatch.setenv("AZURE_STORAGE_BLOB_ENDPOINT", azurite.endpoint)
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BackendError) as caught:
        BlobShelf(place)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert KEY.replace("E", "F") not in str(caught.value)


def test_an_account_that_does_not_answer_is_a_lost_connection(shelf, monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", "")
    monkeypatch.setenv("AZURE_STORAGE_ACCESS_KEY", KEY)
    monkeypatch.setenv("AZURE_STORAGE_BLOB_ENDPOINT", f"http://127.0.0.1:9/{ACCOUNT}")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(ConnectionLostError, match="the storage account does not answer"):
        BlobShelf(storage())
