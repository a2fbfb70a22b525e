"""The shared folder as the driver sees it: where orders lie, and where log and ending go."""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress


class Folder:
    """A shared folder that is mounted here."""

    def __init__(self, path: str) -> None:
        self._path = path

    def get(self, name: str) -> bytes | None:
        """Return a file's content, None where there is none."""
        try:
            with open(os.path.join(self._path, name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def put(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        path = os.path.join(self._path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".part", "wb") as file:
            file.write(content)
        try:
            os.replace(path + ".part", path)
        except OSError:  # a mounted object store that cannot rename, where a file appears when it is closed
            with open(path, "wb") as file:
                file.write(content)
            self.remove(name + ".part")

    def remove(self, name: str) -> None:
        """Remove a file, unless it is gone."""
        with suppress(FileNotFoundError):
            os.remove(os.path.join(self._path, name))


class Blobs:
    """A shared folder of Azure blobs. Plain requests: Azure's library may be what is missing here.

    Parameters
    ----------
    address : str
        Of the shared folder, ``https://ACCOUNT.blob.core.windows.net/CONTAINER/gridfold``.
    signature : str
        A shared access signature for it.
    """

    def __init__(self, address: str, signature: str) -> None:
        self._address = address
        self._signature = signature

    def get(self, name: str) -> bytes | None:
        """Return a file's content, None where there is none."""
        return self._ask("GET", name)

    def put(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        self._ask("PUT", name, content)

    def remove(self, name: str) -> None:
        """Remove a file, unless it is gone."""
        self._ask("DELETE", name)

    def _ask(self, method: str, name: str, content: bytes | None = None) -> bytes | None:
        """Send a request, again after a pause where that may help."""
        url = f"{self._address}/{urllib.parse.quote(name)}?{self._signature}"
        headers = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2020-10-02"}
        request = urllib.request.Request(url, data=content, method=method, headers=headers)
        for pause in (1, 2, 4, 8, None):
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    found: bytes = answer.read()
                    return found
            except urllib.error.HTTPError as error:
                if error.code == 404:
                    return None
                trouble = f"it answered {error.code}"
                if error.code not in (408, 429) and error.code < 500:
                    break
            except (OSError, http.client.HTTPException) as error:
                trouble = type(error).__name__
            if pause:
                time.sleep(pause)
        raise OSError(f"the storage account does not do {method} of {name}: {trouble}")


def open_place(argument: str) -> Folder | Blobs:
    """Return the shared folder that the command line names."""
    if os.path.isdir(argument):
        return Folder(argument)
    with open(argument, encoding="utf-8") as file:
        opened = json.load(file)
    return Blobs(opened["address"], opened["signature"])
