"""From the one word or address that a person types for ``data`` to the source it names."""

from __future__ import annotations

import os
from pathlib import Path

from errors import SourceError, did_you_mean
from sources import generated
from sources.azure_blob.address import FORM, SCHEME, Address
from sources.base import Source
from sources.folder import FolderSource
from sources.generated import GeneratedSource

_FORMS = f"'{generated.KIND}', a folder, or {FORM}"


def source_from(data: str, *, scale: float, seed: int, leak: bool) -> Source:
    """Return the source that `data` names.

    Parameters
    ----------
    data : str
        ``synthetic``, a folder, or ``wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/PATH``.
    scale, seed, leak
        For synthetic data only; see ``sources.generated.GeneratedSource``.

    Raises
    ------
    SourceError
        `data` is none of these.
    """
    if data == generated.KIND:
        return GeneratedSource(scale, seed, leak)
    if data.startswith(f"{SCHEME}://"):
        from sources.azure_blob.source import BlobSource

        return BlobSource(Address.parse(data))
    folder = Path(os.path.expanduser(data))
    if data and "://" not in data and folder.is_dir():
        return FolderSource(folder)
    hint = did_you_mean(data, [generated.KIND])
    raise SourceError(f"data: '{data}' is neither a known source nor a folder here. It must be {_FORMS}.{hint}")
