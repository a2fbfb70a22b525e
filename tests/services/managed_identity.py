"""The token endpoint that Azure gives a machine with a managed identity, on a free port.

It answers as App Service does, with a token of the form that Azurite (``--oauth basic``) takes: the claims must fit,
the signature is not looked at. By hand, until Ctrl-C:

    python tests/services/managed_identity.py
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_AUDIENCE = "https://storage.azure.com"
_ISSUER = "https://sts.windows.net/00000000-0000-0000-0000-000000000000/"
_LIFETIME = 3600


@dataclass(frozen=True)
class ManagedIdentity:
    """A running endpoint.

    Attributes
    ----------
    endpoint, header : str
        What goes into IDENTITY_ENDPOINT and IDENTITY_HEADER.
    asked_for : list of str
        The path and query of every request so far.
    """

    endpoint: str
    header: str
    asked_for: list[str]


@contextmanager
def running() -> Iterator[ManagedIdentity]:
    """Serve tokens for the length of the block."""
    header, asked_for = secrets.token_hex(8), []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked_for.append(self.path)
            allowed = self.headers.get("X-IDENTITY-HEADER") == header
            answer = json.dumps(_token() if allowed else {"error": "invalid_request"}).encode()
            self.send_response(200 if allowed else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield ManagedIdentity(f"http://127.0.0.1:{server.server_port}/token", header, asked_for)
    finally:
        server.shutdown()
        server.server_close()


def _token() -> dict[str, str]:
    now = int(time.time())
    claims = {"aud": _AUDIENCE, "iss": _ISSUER, "iat": now - 60, "nbf": now - 60, "exp": now + _LIFETIME}
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    jwt = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    expires = str(now + _LIFETIME)
    return {"access_token": f"{jwt}.c2ln", "expires_on": expires, "resource": _AUDIENCE, "token_type": "Bearer"}


if __name__ == "__main__":
    with running() as identity:
        print(f"export IDENTITY_ENDPOINT={identity.endpoint} IDENTITY_HEADER={identity.header}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()
