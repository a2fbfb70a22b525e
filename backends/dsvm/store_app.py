"""MLflow's server for the user's own store, as a job elsewhere must see it.

A store on this machine keeps its artifacts in folders of this machine, and tells every client so; a client in a
container would write them into its own. So paths of the store's own artifact folders become ``mlflow-artifacts:``
addresses on the way out, which the client sends back through this server, and paths again on the way in: in the store
everything looks as after a local run. Only those folders, and only the tracking and registry API, are served.

Run by ``backends.dsvm.store``; not by hand.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote

from mlflow import server
from mlflow.tracking import MlflowClient

from backends.reach import local_path

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_SCHEME = "mlflow-artifacts:"
_PATHS = {"artifact_uri", "artifact_location", "source", "storage_location"}  # keys whose values are such addresses
_ARTIFACTS = re.compile(r"/api/2\.0/mlflow-artifacts/artifacts(?:/(?P<path>.*))?")
_SERVED = re.compile(r"/(health|version|api/\d\.\d/mlflow/.*)|" + _ARTIFACTS.pattern)


class Folders:
    """The folders in which the store's experiments keep their artifacts."""

    def __init__(self, tracking_uri: str) -> None:
        self._client = MlflowClient(tracking_uri)
        self._known: set[Path] = set()

    def have(self, path: Path) -> bool:
        """Whether `path` lies in one of them; a path that leads out of it again does not."""
        if ".." in path.parts:
            return False
        if not self._holds(path):
            self._known = {
                folder.resolve()
                for experiment in self._client.search_experiments()
                if (folder := local_path(experiment.artifact_location)) is not None
            }
        return self._holds(path)

    def _holds(self, path: Path) -> bool:
        real = path.resolve()
        return any(real.is_relative_to(folder) for folder in self._known)


class Translator:
    """An ASGI application around MLflow's."""

    def __init__(self, app: App, folders: Folders) -> None:
        self._app = app
        self._folders = folders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        artifact = _ARTIFACTS.fullmatch(path)
        if not _SERVED.fullmatch(path) or (artifact and not self._may_have(artifact["path"], scope)):
            await _refuse(send)
        elif artifact:
            await self._app(scope, receive, send)
        else:
            await self._translated(scope, receive, send)

    def _may_have(self, path: str | None, scope: Scope) -> bool:
        listed = parse_qs(scope["query_string"].decode()).get("path", [""])[0]
        return self._folders.have(Path("/", unquote(path or listed)))

    async def _translated(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _whole(receive)
        body = _rewritten(body, self._inward)
        sized = {**scope, "headers": _with_length(scope["headers"], len(body))}
        parts: list[bytes] = []
        start: Message = {}

        async def receive_body() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send_later(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                answer = _rewritten(b"".join(parts), self._outward)
                await send({**start, "headers": _with_length(start["headers"], len(answer))})
                await send({"type": "http.response.body", "body": answer})

        await self._app(sized, receive_body, send_later)

    def _outward(self, address: str) -> str:
        folder = local_path(address)
        if folder is None or not self._folders.have(folder):
            return address
        return f"{_SCHEME}{PurePosixPath(folder)}"

    def _inward(self, address: str) -> str:
        if not address.startswith(_SCHEME):
            return address
        path = Path("/" + address.removeprefix(_SCHEME).lstrip("/"))
        return str(path) if self._folders.have(path) else address


def _rewritten(body: bytes, change: Callable[[str], str]) -> bytes:
    """Return a JSON body with every address in it changed; anything else as it is."""
    try:
        content = json.loads(body)
    except ValueError:
        return body
    changed = _walk(content, change)
    return json.dumps(changed).encode() if changed != content else body


def _walk(content: Any, change: Callable[[str], str]) -> Any:
    if isinstance(content, dict):
        return {
            key: change(value) if key in _PATHS and isinstance(value, str) else _walk(value, change)
            for key, value in content.items()
        }
    if isinstance(content, list):
        return [_walk(value, change) for value in content]
    return content


def _with_length(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    return [*kept, (b"content-length", str(length).encode())]


async def _whole(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def _refuse(send: Send) -> None:
    body = json.dumps({"error_code": "PERMISSION_DENIED", "message": "not served through the tunnel"}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _end_with_parent() -> None:
    """End when stdin does: whoever started this is gone, and nobody else will stop it."""
    sys.stdin.buffer.read()
    os._exit(0)


def main(socket: str) -> None:
    """Serve the store that MLFLOW_TRACKING_URI names at a socket file until stdin ends."""
    tracking_uri = os.environ["MLFLOW_TRACKING_URI"]
    os.environ |= {
        server.BACKEND_STORE_URI_ENV_VAR: tracking_uri,
        server.ARTIFACT_ROOT_ENV_VAR: str(Path("mlruns").absolute()),
        server.ARTIFACTS_DESTINATION_ENV_VAR: "/",
        server.SERVE_ARTIFACTS_ENV_VAR: "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import uvicorn
    from mlflow.server.fastapi_app import app

    uvicorn.run(Translator(app, Folders(tracking_uri)), uds=socket, log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
