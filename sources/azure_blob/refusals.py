"""What Azure says no with, in one line that says what to do.

The SDK's own messages run over several lines, and may quote a request's address with the signature in it, so none of
them is passed on, nor chained to ours; only its error code is.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceModifiedError,
    ServiceRequestError,
)

from errors import SourceError
from sources.azure_blob.account import ACCESS_KEY, CONNECTION_STRING, ENDPOINT
from sources.azure_blob.address import Address

_REMEDIES = {
    CONNECTION_STRING: f"Copy the connection string anew from the account's access keys, or unset {CONNECTION_STRING}.",
    ACCESS_KEY: f"Set {ACCESS_KEY} to a key of this account.",
    "DefaultAzureCredential": (
        f"Set {CONNECTION_STRING} or {ACCESS_KEY}, or sign in with 'az login' as someone with the role "
        "Storage Blob Data Reader."
    ),
}

# The second and third are for names that no container can have, such as one in capitals or of one letter.
_NO_SUCH_CONTAINER = ("ContainerNotFound", "InvalidResourceName", "OutOfRangeInput")


@contextmanager
def explained(address: Address, opened_with: str) -> Iterator[None]:
    """Turn the SDK's errors inside the block into a SourceError.

    Parameters
    ----------
    address : Address
        What was being read.
    opened_with : str
        The credential in use; see ``account.Account``.

    Raises
    ------
    SourceError
    """
    try:
        yield
    except (AzureError, binascii.Error) as error:
        raise SourceError(f"{address}: {_explain(error, address, opened_with)}") from None


def _explain(error: Exception, address: Address, opened_with: str) -> str:
    code = _code(error)
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if code in _NO_SUCH_CONTAINER:
        return f"the account has no container '{address.container}' ({opened_with} opened it). Check the address."
    if isinstance(error, ResourceModifiedError):
        return "a blob changed while it was downloaded. Run again once its upload is complete."
    if _is_about_credentials(error, status):
        return f"the account refused {opened_with}{f' ({code})' if code else ''}. {_REMEDIES[opened_with]}"
    if isinstance(error, HttpResponseError) and status:
        return f"the account answered {status} {code or error.reason}. Run again, or look at the account in the portal."
    if isinstance(error, ServiceRequestError):
        return f"the account cannot be reached. Check its name and the network; {ENDPOINT} may name a private endpoint."
    return "the connection broke off. Run again: what was downloaded is kept."


def _code(error: Exception) -> str:
    """Azure's word for what is wrong; the SDK gives it as an enum or as text."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _is_about_credentials(error: Exception, status: int | None) -> bool:
    malformed_key = isinstance(error, binascii.Error) or type(error).__name__ == "AzureSigningError"
    return malformed_key or isinstance(error, ClientAuthenticationError) or status in (401, 403)
