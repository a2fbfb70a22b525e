"""How the storage account is reached and with whose permission.

The order is that of MLflow's own Azure store, so that whoever can log artifacts to an account can read data from it:
a connection string, an account key, else whatever azure-identity finds (environment, workload or managed identity,
``az login``). Secrets are read from the environment where they are used and kept nowhere.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from typing import Any

from azure.core.credentials import AzureNamedKeyCredential
from azure.identity import DefaultAzureCredential
from azure.storage.blob import BlobServiceClient, ContainerClient, ExponentialRetry

from errors import SourceError
from sources.azure_blob.address import Address

CONNECTION_STRING = "AZURE_STORAGE_CONNECTION_STRING"
ACCESS_KEY = "AZURE_STORAGE_ACCESS_KEY"
ENDPOINT = "AZURE_STORAGE_BLOB_ENDPOINT"
"""Where the account is if not at its public address: a private endpoint, or an emulator."""

# The SDK waits 15 seconds before it tries again the first time, too long for a person who watches.
_TRANSPORT = {"connection_timeout": 10, "read_timeout": 60}


@dataclass(frozen=True)
class Account:
    """A container, and what opened it.

    Attributes
    ----------
    container : ContainerClient
    opened_with : str
        The credential in a person's words, without its value.
    """

    container: ContainerClient
    opened_with: str


def open_container(address: Address) -> Account:
    """Return the container of `address`; no request is made yet.

    Raises
    ------
    SourceError
        The connection string is malformed, or the endpoint is not one that a token may be sent to.
    """
    options = {
        "retry_policy": ExponentialRetry(initial_backoff=1, increment_base=2, random_jitter_range=1),
        **_TRANSPORT,
    }
    service, opened_with = _service(address, options)
    return Account(service.get_container_client(address.container), opened_with)


def _service(address: Address, options: dict[str, Any]) -> tuple[BlobServiceClient, str]:
    endpoint = os.environ.get(ENDPOINT) or address.endpoint
    if connection_string := os.environ.get(CONNECTION_STRING):
        try:
            return BlobServiceClient.from_connection_string(connection_string, **options), CONNECTION_STRING
        except ValueError:
            raise SourceError(
                f"{CONNECTION_STRING} is not a connection string of a storage account. "
                "Copy it anew from the account's access keys."
            ) from None
    if key := os.environ.get(ACCESS_KEY):
        return BlobServiceClient(endpoint, AzureNamedKeyCredential(address.account, key), **options), ACCESS_KEY
    if not endpoint.startswith("https://"):
        raise SourceError(f"{ENDPOINT}: '{endpoint}' must begin with https:// unless {ACCESS_KEY} is set.")
    return BlobServiceClient(endpoint, _default_credential(), **options), "DefaultAzureCredential"


def _default_credential() -> DefaultAzureCredential:
    """Whatever this machine is signed in with.

    Where it is not, azure-identity warns with some twenty lines on each way that it tried, before the one line that we
    raise; they stay available to whoever sets the logger's level.
    """
    logger = logging.getLogger("azure.identity")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.ERROR)
    return DefaultAzureCredential()
