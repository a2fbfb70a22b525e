"""Livy's REST interface for batches, as far as it is needed, with its refusals turned into one line each.

Requests and not a client library: there is none that is kept, and of the interface we use five calls. What is asked
again is asked by urllib3, which reads both of HTTP's ways to say when.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from backends.cluster.job import LockedOutError
from backends.failures import BackendError, ConnectionLostError

_TIMEOUT = (10, 120)  # seconds to connect, and to answer
_BUSY = (429, 502, 503, 504)
_TRIES = 5
_LONGEST_PAUSE = 60.0
_PAGE = 100
_LOG_LINES = 200


class AnswerLostError(ConnectionLostError):
    """Whether Livy has done what was asked cannot be known from its answer."""


class _ForNow(Retry):
    """Repeats what was refused for now; of submissions, those that have certainly not been taken."""

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        return status_code == 429 or (status_code in _BUSY and method != "POST")

    def parse_retry_after(self, retry_after: str) -> float:
        return min(super().parse_retry_after(retry_after), _LONGEST_PAUSE)


class Livy:
    """Livy of one cluster.

    Parameters
    ----------
    url : str
        ``https://CLUSTER.azurehdinsight.net/livy``.
    user, password : str
        Of the cluster's login.
    names : (str, str)
        The environment variables that hold them, for messages.
    ca_bundle : Path, optional
        Certificates to trust beside the public ones.
    """

    def __init__(
        self, url: str, user: str, password: str, names: tuple[str, str], ca_bundle: Path | None = None
    ) -> None:
        self._url = url
        self._names = names
        self.place = (urlsplit(url).hostname or url).partition(".azurehdinsight.net")[0]
        self._session = requests.Session()
        self._session.trust_env = False  # a .netrc must not replace the password
        self._session.proxies = requests.utils.get_environ_proxies(url)
        self._session.auth = requests.auth.HTTPBasicAuth(user.encode(), password.encode())
        self._session.headers["X-Requested-By"] = user
        retries = _ForNow(_TRIES - 1, connect=0, read=0, other=0, backoff_factor=1, raise_on_status=False)
        self._session.mount(url, HTTPAdapter(max_retries=retries))
        self._session.verify = str(ca_bundle) if ca_bundle else True

    def close(self) -> None:
        """Close its connections."""
        self._session.close()

    def submit(self, request: Mapping[str, Any]) -> int:
        """Start a batch and return its id.

        Raises
        ------
        AnswerLostError
            It may have been started.
        BackendError
            It has not.
        """
        answer = self._ask("POST", "/batches", json=request)
        return int(answer.json()["id"])

    def batch(self, number: int) -> dict[str, Any] | None:
        """Return what Livy says of a batch, None where it has none of that number."""
        answer = self._ask("GET", f"/batches/{number}", absent_is_fine=True)
        return None if answer.status_code == 404 else dict(answer.json())

    def log(self, number: int) -> list[str]:
        """Return the last lines of what submitting the batch has said."""
        answer = self._ask("GET", f"/batches/{number}/log", params={"size": _LOG_LINES}, absent_is_fine=True)
        return [] if answer.status_code == 404 else list(answer.json().get("log", []))

    def batches(self) -> Iterator[dict[str, Any]]:
        """Yield all batches that Livy remembers."""
        start = 0
        while True:
            page = self._ask("GET", "/batches", params={"from": start, "size": _PAGE}).json()
            yield from page["sessions"]
            start += len(page["sessions"])
            if not page["sessions"] or start >= int(page["total"]):
                return

    def delete(self, number: int) -> None:
        """End a batch, and let Livy forget it; harmless where it has."""
        self._ask("DELETE", f"/batches/{number}", absent_is_fine=True)

    def _ask(self, method: str, path: str, absent_is_fine: bool = False, **options: Any) -> requests.Response:
        """Send a request, again where Livy asks for it and that is harmless."""
        try:
            answer = self._session.request(method, self._url + path, timeout=_TIMEOUT, allow_redirects=False, **options)
        except requests.RequestException as error:
            raise self._no_answer(error, method) from None
        if (answer.ok and answer.status_code < 300) or (absent_is_fine and answer.status_code == 404):
            return answer
        raise self._refusal(answer, method)

    def _no_answer(self, error: requests.RequestException, method: str) -> BackendError:
        if isinstance(error, requests.exceptions.SSLError):
            return BackendError(
                f"{self.place}: the certificate of {self._url} cannot be verified. Check the address; behind a gateway "
                "of your own, name its certificates as 'ca_bundle'."
            )
        never_sent = isinstance(error, requests.exceptions.ConnectTimeout) or "NewConnectionError" in str(error)
        kind = AnswerLostError if method == "POST" and not never_sent else ConnectionLostError
        return kind(
            f"{self.place}: no answer from {self._url}. Check the address and that the cluster exists "
            "(az hdinsight list), and the network."
        )

    def _refusal(self, answer: requests.Response, method: str) -> BackendError:
        status, said = answer.status_code, _message(answer)
        if status == 401:
            return LockedOutError(
                f"{self.place}: Livy does not accept the login. Set {self._names[0]} and {self._names[1]} to the "
                "cluster login's name and password (portal: the cluster's page, SSH + Cluster login)."
            )
        if status == 403:
            return LockedOutError(f"{self.place}: the login may not use Livy ({said}).")
        if status == 404 or 300 <= status < 400:
            return BackendError(f"{self.place}: there is no Livy at {self._url}; its address ends in /livy.")
        if status >= 500 or status in _BUSY:
            kind = AnswerLostError if method == "POST" and status != 429 else ConnectionLostError
            return kind(f"{self.place}: Livy answered {status} ({said}). Try again later.")
        return BackendError(f"{self.place}: Livy refuses the job: {status} {said}.")


def _message(answer: requests.Response) -> str:
    try:
        said = answer.json()["msg"]
    except (ValueError, KeyError, TypeError):
        said = answer.text if "<" not in answer.text else answer.reason
    return " ".join(str(said).split())[:300].rstrip(".")
