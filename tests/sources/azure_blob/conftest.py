"""A container of its own for each test, in the emulator that all share."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from sources.azure_blob.account import ACCESS_KEY, CONNECTION_STRING, ENDPOINT
from tests.services.azurite import Azurite


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have an account of their own, and its credentials in the environment."""
    for name in (CONNECTION_STRING, ACCESS_KEY, ENDPOINT):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def container(azurite: Azurite) -> Iterator[ContainerClient]:
    """An empty container."""
    service = BlobServiceClient.from_connection_string(azurite.connection_string)
    container = service.create_container(f"data-{uuid.uuid4().hex}")
    yield container
    container.delete_container()


@pytest.fixture
def connected(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a person with a connection string."""
    monkeypatch.setenv(CONNECTION_STRING, azurite.connection_string)


@pytest.fixture
def upload(container: ContainerClient) -> Callable[[Path, str], None]:
    """A function that uploads a folder's files under a path of the container."""

    def upload(folder: Path, path: str = "") -> None:
        for file in folder.iterdir():
            container.upload_blob(f"{path}{file.name}", file.read_bytes(), overwrite=True)

    return upload
