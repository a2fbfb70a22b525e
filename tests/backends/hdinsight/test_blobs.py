"""The shared folder in a storage account, on Azurite."""

import pytest

from backends.failures import BackendError, ConnectionLostError
from backends.guest import folders
from backends.hdinsight.blobs import BlobFolder
from backends.hdinsight.settings import Storage
from tests.backends.hdinsight.conftest import CONTAINER
from tests.services.azurite import ACCOUNT, KEY


def storage(container=CONTAINER, account=ACCOUNT):
    return Storage.parse(f"wasbs://{container}@{account}.blob.core.windows.net/gridfold")


@pytest.fixture
def shared(container, azurite, monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", azurite.connection_string)
    for name in list(container.list_blob_names()):
        container.delete_blob(name)
    return BlobFolder(storage())


def test_files_are_put_replaced_listed_and_removed(shared, container, tmp_path):
    large = tmp_path / "large"
    large.write_bytes(b"x" * 5_000_000)
    container.upload_blob("gridfolder/not-ours", b"")
    shared.put("a/one", b"1")
    shared.put("a/one", b"2")
    shared.put("b", large)
    assert shared.get("a/one") == b"2"
    assert shared.get("a") is None
    assert len(shared.get("b")) == 5_000_000
    assert shared.names("") == ["a/one", "b"]
    assert shared.names("a/") == ["a/one"]
    shared.remove("a/")
    shared.remove("a/")
    assert shared.names("") == ["b"]
    shared.remove("")
    assert list(container.list_blob_names()) == ["gridfolder/not-ours"]


def test_the_driver_uses_the_same_folder_with_a_signature_alone(shared, monkeypatch):
    monkeypatch.delenv("AZURE_STORAGE_CONNECTION_STRING")
    signed = shared.signed()
    assert KEY not in signed["signature"]
    blobs = folders.Blobs(signed["address"], signed["signature"])
    blobs.put("jobs/r 1/log/000001", b"text")
    assert shared.get("jobs/r 1/log/000001") == b"text"
    assert blobs.get("jobs/r 1/log/000001") == b"text"
    assert blobs.get("jobs/absent") is None
    blobs.remove("jobs/r 1/log/000001")
    blobs.remove("jobs/r 1/log/000001")
    assert shared.names("") == []


def test_an_account_key_works_as_well(shared, azurite, monkeypatch):
    monkeypatch.delenv("AZURE_STORAGE_CONNECTION_STRING")
    monkeypatch.setenv("AZURE_STORAGE_ACCESS_KEY", KEY)
    monkeypatch.setenv("AZURE_STORAGE_BLOB_ENDPOINT", azurite.endpoint)
    other = BlobFolder(storage())
    other.put("x", b"1")
    assert shared.get("x") == b"1"
    folders.Blobs(**other.signed()).put("y", b"2")
    assert shared.names("") == ["x", "y"]


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
def test_bad_credentials_and_containers_are_one_line(shared, azurite, monkeypatch, changes, place, sentence):
    monkeypatch.setenv("AZURE_STORAGE_BLOB_ENDPOINT", azurite.endpoint)
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BackendError) as caught:
        BlobFolder(place)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert KEY.replace("E", "F") not in str(caught.value)


def test_an_account_that_does_not_answer_is_a_lost_connection(shared, monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", "")
    monkeypatch.setenv("AZURE_STORAGE_ACCESS_KEY", KEY)
    monkeypatch.setenv("AZURE_STORAGE_BLOB_ENDPOINT", f"http://127.0.0.1:9/{ACCOUNT}")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(ConnectionLostError, match="the storage account does not answer"):
        BlobFolder(storage())
