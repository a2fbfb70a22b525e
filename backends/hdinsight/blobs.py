"""The shared folder of a cluster: a folder of its storage, opened the way MLflow opens an Azure account.

Blob requests and not the cluster's Hadoop, which from here could only be asked through the cluster. The driver sends
blob requests as well, with a signature for this container that runs out: the account's key stays on this machine.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.identity import DefaultAzureCredential
from azure.storage.blob import (
    BlobServiceClient,
    ContainerSasPermissions,
    ExponentialRetry,
    generate_container_sas,
)

from backends.failures import BackendError, ConnectionLostError
from backends.hdinsight.settings import Storage

CONNECTION_STRING = "AZURE_STORAGE_CONNECTION_STRING"
ACCESS_KEY = "AZURE_STORAGE_ACCESS_KEY"
ENDPOINT = "AZURE_STORAGE_BLOB_ENDPOINT"
LONGEST_JOB = timedelta(days=7)
"""Azure signs for no longer with a signed-in user's identity."""

_AT_ONCE = 8
_RETRIED = (408, 429)


class BlobFolder:
    """A SharedFolder in Azure Blob Storage.

    Parameters
    ----------
    storage : Storage
        The container exists; the folder need not.

    Raises
    ------
    BackendError
        One line: no credentials, wrong ones, those of another account, or no such container.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._service, self._opened_with = _open(storage)
        if self._service.account_name != storage.account:
            raise BackendError(
                f"{self.place}: {self._opened_with} opens the account '{self._service.account_name}', not "
                f"'{storage.account}'. Set it to that account's, or correct 'storage'."
            )
        self._container = self._service.get_container_client(storage.container)
        with self._refusals():
            self._container.get_container_properties()

    @property
    def place(self) -> str:
        """The container as a person calls it."""
        return f"{self._storage.container}@{self._storage.account}"

    def put(self, name: str, content: bytes | Path) -> None:
        """Write a file."""
        with self._refusals():
            if isinstance(content, bytes):
                self._container.upload_blob(self._blob(name), content, overwrite=True)
                return
            with content.open("rb") as file:
                self._container.upload_blob(self._blob(name), file, overwrite=True, max_concurrency=_AT_ONCE)

    def get(self, name: str) -> bytes | None:
        """Return a file's content, None where there is none."""
        with self._refusals():
            try:
                content: bytes = self._container.download_blob(self._blob(name)).readall()
            except ResourceNotFoundError as error:
                if _code(error) == "ContainerNotFound":
                    raise
                return None
        return content

    def names(self, prefix: str) -> list[str]:
        """Return the names of all files that begin with `prefix`, in order."""
        top = len(self._blob(""))
        with self._refusals():
            return sorted(name[top:] for name in self._container.list_blob_names(name_starts_with=self._blob(prefix)))

    def remove(self, prefix: str) -> None:
        """Remove all files whose names begin with `prefix`, and then, where folders are things, the folders."""
        found = sorted(self.names(prefix), key=lambda name: -name.count("/"))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _, level in groupby(found, key=lambda name: name.count("/")):
                list(pool.map(self._remove_one, level))

    def signed(self) -> dict[str, str]:
        """Return address and signature with which the driver reaches this folder, and can do no more than it must."""
        now = datetime.now(UTC)
        expiry = now + LONGEST_JOB
        with self._refusals():
            key: dict[str, Any] = (
                {"account_key": self._service.credential.account_key}
                if hasattr(self._service.credential, "account_key")
                else {"user_delegation_key": self._service.get_user_delegation_key(now - timedelta(minutes=5), expiry)}
            )
            signature = generate_container_sas(
                self._storage.account,
                self._storage.container,
                permission=ContainerSasPermissions(read=True, write=True, delete=True, create=True),
                expiry=expiry,
                **key,
            )
        return {"address": f"{self._container.url.partition('?')[0]}/{self._storage.path}", "signature": signature}

    def _blob(self, name: str) -> str:
        return f"{self._storage.path}/{name}"

    def _remove_one(self, name: str) -> None:
        with self._refusals():
            try:
                self._container.delete_blob(self._blob(name))
            except ResourceNotFoundError:
                return

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Turn the SDK's errors into one line; their own text may hold a signature."""
        try:
            yield
        except (AzureError, ValueError) as error:
            raise self._explained(error) from None

    def _explained(self, error: Exception) -> BackendError:
        code, status = _code(error), getattr(error, "status_code", None)
        if code in ("ContainerNotFound", "InvalidResourceName", "OutOfRangeInput"):
            return BackendError(
                f"{self.place}: the account has no such container. 'storage' names the cluster's own container "
                "(portal: the cluster's page, Storage accounts)."
            )
        if isinstance(error, ClientAuthenticationError | ValueError) or status in (401, 403):
            return BackendError(
                f"{self.place}: the storage account refused {self._opened_with}{f' ({code})' if code else ''}. "
                f"Set {CONNECTION_STRING} or {ACCESS_KEY}, or run 'az login' as someone with the role Storage Blob "
                "Data Contributor."
            )
        if isinstance(error, ServiceRequestError | ServiceResponseError) or status in _RETRIED or (status or 0) >= 500:
            return ConnectionLostError(
                f"{self.place}: the storage account does not answer. Check its name and network."
            )
        reason = code or (error.reason if isinstance(error, HttpResponseError) else type(error).__name__)
        return BackendError(f"{self.place}: the storage account answered {status or ''} {reason}.")


def _open(storage: Storage) -> tuple[BlobServiceClient, str]:
    """Return the account and, in a person's words, what opened it; no request is made yet."""
    options = {
        "retry_policy": ExponentialRetry(initial_backoff=1, increment_base=2, random_jitter_range=1),
        "connection_timeout": 10,
        "read_timeout": 60,
    }
    endpoint = os.environ.get(ENDPOINT) or storage.endpoint
    if connection_string := os.environ.get(CONNECTION_STRING):
        try:
            return BlobServiceClient.from_connection_string(connection_string, **options), CONNECTION_STRING
        except ValueError:
            raise BackendError(
                f"{CONNECTION_STRING} is not a connection string of a storage account. "
                "Copy it anew from the account's access keys."
            ) from None
    if key := os.environ.get(ACCESS_KEY):
        return BlobServiceClient(endpoint, AzureNamedKeyCredential(storage.account, key), **options), ACCESS_KEY
    logger = logging.getLogger("azure.identity")  # where nobody is signed in it says so in twenty lines
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.ERROR)
    return BlobServiceClient(endpoint, DefaultAzureCredential(), **options), "the signed-in identity"


def _code(error: Exception) -> str:
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")
