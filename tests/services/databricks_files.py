"""The files of the stand-in's workspace: volumes by the Files API, the workspace's own by the Workspace API."""

from __future__ import annotations

import json
import re
import threading
from email import message_from_bytes
from pathlib import Path
from typing import Any

from tests.services.databricks_api import RefusedError, bad, known, missing


class Files:
    """Folders on this machine, and the answers of the two services about them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def real(self, path: str) -> Path:
        """Return where a path of the workspace is on this machine."""
        return self.folder / path.lstrip("/")

    def volume(self, method: str, path: str, query: dict[str, str], body: bytes) -> bytes | dict[str, Any]:
        what, name = re.fullmatch(r"/api/2\.0/fs/(files|directories)(/.*)", path).groups()  # type: ignore[union-attr]
        known(query, {"overwrite", "page_size", "page_token"})
        if not re.match(r"/Volumes/[^/]+/[^/]+/[^/]+", name) or not self.real("/".join(name.split("/")[:5])).is_dir():
            raise RefusedError(404, "NOT_FOUND", f"Volume of '{name}' does not exist.")
        place = self.real(name)
        match what, method:
            case "files", "PUT":
                return _put(place, body, query.get("overwrite") == "true")
            case "directories", "PUT":
                place.mkdir(parents=True, exist_ok=True)
            case "files", _ if not place.is_file():
                raise RefusedError(404, "NOT_FOUND", f"The file {name} being accessed is not found.")
            case "directories", _ if not place.is_dir():
                raise RefusedError(404, "NOT_FOUND", f"The directory being accessed is not found: {name}")
            case "files", "GET":
                return place.read_bytes()
            case "files", "DELETE":
                place.unlink()
            case "directories", "GET":
                entries = [(at.name, at.is_dir()) for at in sorted(place.iterdir()) if not at.name.startswith(".")]
                return {"contents": [{"name": n, "path": f"{name}/{n}", "is_directory": d} for n, d in entries]}
            case "directories", "DELETE":
                if any(place.iterdir()):
                    raise bad(f"The directory {name} is not empty.")
                place.rmdir()
        return b""

    def workspace(self, action: str, query: dict[str, str], body: bytes, kind: str) -> bytes | dict[str, Any]:
        parts = _form(body, kind) if kind.startswith("multipart/") else {}
        given = {name: part.decode() for name, part in parts.items() if name != "content"} or query or json.loads(body)
        known(given, {"path", "format", "overwrite", "direct_download", "recursive", "language", "content"})
        if not given["path"].startswith("/Users/"):
            raise bad(f"Path ({given['path']}) is not one of the workspace's.")
        place = self.real("/Workspace" + given["path"])
        if action == "mkdirs":
            place.mkdir(parents=True, exist_ok=True)
            return {}
        if action == "import":
            if not place.parent.is_dir():
                raise missing(f"The parent folder ({place.parent.name}) does not exist.")
            return _put(place, parts["content"], given.get("overwrite") == "true") or {}
        if not place.exists():
            raise missing(f"Path ({given['path']}) doesn't exist.")
        if action == "export":
            return place.read_bytes()
        if action == "list":
            kinds = {True: "DIRECTORY", False: "FILE"}
            entries = [(at.name, kinds[at.is_dir()]) for at in sorted(place.iterdir()) if not at.name.startswith(".")]
            return {"objects": [{"path": f"{given['path']}/{n}", "object_type": k} for n, k in entries]}
        if place.is_dir() and any(place.iterdir()) and not given.get("recursive"):
            raise RefusedError(400, "DIRECTORY_NOT_EMPTY", f"Folder ({given['path']}) is not empty")
        place.rmdir() if place.is_dir() else place.unlink()
        return {}


def _put(place: Path, content: bytes, overwrite: bool) -> bytes:
    if place.exists() and not overwrite:
        raise RefusedError(409, "RESOURCE_ALREADY_EXISTS", f"{place.name} already exists.")
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f".{place.name}.{threading.get_ident()}")
    part.write_bytes(content)
    part.replace(place)
    return b""


def _form(body: bytes, kind: str) -> dict[str, bytes]:
    message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    parts = message.get_payload()
    assert isinstance(parts, list)
    names = [str(part.get_param("name", header="content-disposition")) for part in parts]
    return {name: bytes(part.get_payload(decode=True)) for name, part in zip(names, parts, strict=True)}
