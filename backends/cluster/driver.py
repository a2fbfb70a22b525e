"""The Spark application's main file: runs a project's command, and leaves its log and its ending on the shelf.

One file with nothing but the standard library, because it is there before anything else is, and has to be able to say
what is missing. The command ``python -m MODULE ARGUMENTS`` runs in this process and not in one of its own: the way to
the cluster's Spark (its gateway, its session) belongs to this process.

    driver.py PLACE RUN_ID

PLACE is the shelf as the cluster sees it: a folder, or a JSON file with the ``address`` of a folder of Azure blobs and
the ``signature`` that opens it.
"""

from __future__ import annotations

import http.client
import importlib
import importlib.util
import json
import os
import re
import runpy
import select
import shlex
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import Any

UNREACHABLE = 97  # the exit code that says that the tracking server cannot be reached from here
INTERRUPTED = 130
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_TO_ANSWER = 15
_SECONDS_TO_END = 20
_LAST_TRIES = 5
_LEAST_SECRET = 4  # masking shorter values would garble the log and hide nothing


class Folder:
    """A shelf that is mounted here."""

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
    """A shelf of Azure blobs. Plain requests: Azure's library may be what is missing here.

    Parameters
    ----------
    address : str
        Of the shelf, ``https://ACCOUNT.blob.core.windows.net/CONTAINER/gridfold``.
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
    """Return the shelf that the command line names."""
    if os.path.isdir(argument):
        return Folder(argument)
    with open(argument, encoding="utf-8") as file:
        opened = json.load(file)
    return Blobs(opened["address"], opened["signature"])


class Log:
    """Copies what is written to stdout and stderr, by whatever language, to the shelf in numbered pieces.

    Parameters
    ----------
    place, prefix
        Where the pieces go.
    secrets : list of str
        Are shown as stars.

    Attributes
    ----------
    last_line : str
        That was not empty, without colours.
    """

    def __init__(self, place: Folder | Blobs, prefix: str, secrets: list[str]) -> None:
        self._place = place
        self._prefix = prefix
        self._words = sorted((word.encode() for word in secrets if len(word) >= _LEAST_SECRET), key=len, reverse=True)
        self._held = b""  # may be the beginning of a secret
        self._waiting = b""
        self._number = 0
        self._ended = threading.Event()
        self.last_line = ""

    def __enter__(self) -> Log:
        self._own = sys.stdout, sys.stderr
        for stream in self._own:
            stream.flush()
        self._kept = os.dup(1), os.dup(2)
        self._source, sink = os.pipe()
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        os.close(sink)
        # A notebook's own streams do not write to the descriptors.
        sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1, closefd=False) for number in (1, 2))
        self._thread = threading.Thread(target=self._copy, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = self._own
        for number, kept in zip((1, 2), self._kept, strict=True):
            os.dup2(kept, number)
        self._ended.set()  # not the pipe's end: something that the job has left running may hold it open
        self._thread.join()

    def _copy(self) -> None:
        put_at = time.monotonic()
        while True:
            ended = self._ended.is_set()
            readable, _, _ = select.select([self._source], [], [], 0 if ended else _SECONDS_BETWEEN_LOOKS / 5)
            chunk = os.read(self._source, 65536) if readable else b""
            self._take(chunk)
            if ended and not chunk:
                break
            if time.monotonic() - put_at >= _SECONDS_BETWEEN_LOOKS:
                self._put()
                put_at = time.monotonic()
        self._waiting, self._held = self._waiting + self._held, b""
        for _ in range(_LAST_TRIES):
            if self._put():
                break
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _take(self, chunk: bytes) -> None:
        text = self._held + chunk
        for word in self._words:
            text = text.replace(word, b"***")
        keep = max((_overlap(text, word) for word in self._words), default=0)
        text, self._held = text[: len(text) - keep], text[len(text) - keep :]
        self._waiting += text
        with suppress(OSError):  # the service's own log of the driver
            os.write(self._kept[0], text)

    def _put(self) -> bool:
        """Write what has come as one piece; what the shelf does not take now is tried again with what comes later."""
        if not self._waiting:
            return True
        try:
            self._place.put(f"{self._prefix}/{self._number + 1:06d}", self._waiting)
        except OSError:
            return False
        self._number += 1
        lines = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", self._waiting).decode(errors="replace").split("\n")
        self.last_line = next((line.strip() for line in reversed(lines) if line.strip()), self.last_line)
        self._waiting = b""
        return True


def _overlap(text: bytes, word: bytes) -> int:
    """Return the length of the longest end of `text` that `word` begins with."""
    longest = min(len(text), len(word) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(word[:size])), 0)


@contextmanager
def stoppable(place: Folder | Blobs, name: str) -> Iterator[None]:
    """Interrupt the main thread, as Ctrl-C would, once the file called `name` is there."""
    if sys.platform == "win32":
        raise NotImplementedError("only the user's side may be Windows")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a service may have started us with it ignored
    ended = threading.Event()
    main_thread = threading.main_thread().ident or 0

    def look() -> None:
        while not ended.wait(_SECONDS_BETWEEN_LOOKS):
            with suppress(OSError):
                if place.get(name) is not None:
                    signal.pthread_kill(main_thread, signal.SIGINT)
                    return

    threading.Thread(target=look, daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def unpack(content: bytes) -> str:
    """Unpack the project's archive and return its folder."""
    folder = tempfile.mkdtemp(prefix="gridfold-")
    with tarfile.open(fileobj=BytesIO(content)) as archive:
        if hasattr(tarfile, "data_filter"):  # since 3.11.4
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(folder)
    return folder


def let_old_spark_pickle() -> None:
    """Give Spark before 3.4 a cloudpickle that knows Python 3.11: its own fails on any function of that Python.

    Workers need no such help: they unpickle by the library's name, and it is in their environment.
    """
    found = importlib.util.find_spec("pyspark")
    if found is None or found.origin is None or importlib.util.find_spec("cloudpickle") is None:
        return
    loader: Any = found.loader  # Spark may be in a zip
    text: bytes = loader.get_data(os.path.join(os.path.dirname(found.origin), "version.py"))
    version = re.search(rb"['\"](\d+)\.(\d+)", text)
    if version and (int(version[1]), int(version[2])) < (3, 4):
        sys.modules["pyspark.cloudpickle"] = importlib.import_module("cloudpickle")


def module_of(command: str) -> list[str]:
    """Return module and arguments of ``python -m MODULE ARGUMENTS``; empty for what only a shell can run."""
    for word in shlex.shlex(command, posix=True, punctuation_chars=True):
        if word and set(word) <= set("();<>|&"):
            return []
    words = shlex.split(command)
    return words[2:] if len(words) > 2 and re.fullmatch(r"python[0-9.]*", words[0]) and words[1] == "-m" else []


def execute(command: str) -> int:
    """Run the command, in this process if it is a module of Python's; return its exit code."""
    words = module_of(command)
    if not words:
        return _in_a_shell(command)
    sys.argv = words
    os.environ["GRIDFOLD_HOSTED"] = "true"  # what is left to do after it is done by us
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _in_a_shell(command: str) -> int:
    if sys.platform == "win32":
        raise NotImplementedError("only the user's side may be Windows")
    job = subprocess.Popen(["bash", "-c", command], start_new_session=True)
    try:
        code = job.wait()
    except KeyboardInterrupt:
        os.killpg(job.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            job.wait(_SECONDS_TO_END)
        raise
    return code if code >= 0 else 128 - code


def cannot_reach(tracking_uri: str) -> str:
    """Return why the tracking server does not answer from here, empty where it does or is no HTTP server."""
    if not tracking_uri.startswith(("http://", "https://")):
        return ""
    try:
        urllib.request.urlopen(tracking_uri.rstrip("/") + "/health", timeout=_SECONDS_TO_ANSWER)
    except urllib.error.HTTPError:
        return ""  # it has answered; whether it lets us in is MLflow's to say
    except (OSError, ValueError) as error:
        return f"the tracking server cannot be reached from the cluster ({getattr(error, 'reason', None) or error})"
    return ""


def run(place: Folder | Blobs, job: str, orders: dict[str, Any], secrets: dict[str, str]) -> tuple[int, str]:
    """Do what the orders say; return exit code and reason, the latter empty where the log has it."""
    os.environ.update({**orders["environment"], **secrets})
    if not os.access(os.path.expanduser("~"), os.W_OK):  # as YARN's users have it
        os.environ["HOME"] = tempfile.mkdtemp(prefix="gridfold-home-")
    problem = cannot_reach(os.environ.get("MLFLOW_TRACKING_URI", ""))
    if problem:
        return UNREACHABLE, f"{problem}. Name it as the cluster sees it, and open its port to the cluster."
    try:
        project = place.get(orders["project"])
        if project is None:
            return 1, f"the shelf has no {orders['project']}; it was removed after the job was submitted."
        folder = unpack(project)
        os.chdir(folder)
        sys.path.insert(0, folder)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))
        let_old_spark_pickle()
        with stoppable(place, f"{job}/stop"):
            return execute(orders["command"]), ""
    except KeyboardInterrupt:
        return INTERRUPTED, "interrupted."
    except BaseException as error:
        traceback.print_exc()
        return 1, f"the job failed: {type(error).__name__}: {' '.join(str(error).split())}"


def main(arguments: list[str]) -> int:
    """Run the job; the exit code is the job's."""
    place, job = open_place(arguments[0]), f"jobs/{arguments[1]}"
    found = place.get(f"{job}/orders.json")
    if found is None:
        print("gridfold: there are no orders: they have been withdrawn, or another driver has taken them.")
        return 0
    place.remove(f"{job}/orders.json")  # a service that starts a job twice runs it once
    orders = json.loads(found)
    try:
        secrets = hidden(place, job, orders)
    except Exception as error:
        code, reason = 1, f"the job's secrets cannot be read: {type(error).__name__}: {' '.join(str(error).split())}"
    else:
        with Log(place, f"{job}/log", list(secrets.values())) as log:
            code, reason = run(place, job, orders, secrets)
        if code and not reason:
            reason = f"the job failed with exit status {code}: {log.last_line or 'it wrote no log'}"
    place.put(f"{job}/ending.json", json.dumps({"exit_code": code, "reason": reason}).encode())
    return code


def hidden(place: Folder | Blobs, job: str, orders: dict[str, Any]) -> dict[str, str]:
    """Return the secrets: those of the vault that the orders name, or of a file, which is taken away."""
    if "vault" in orders:
        from databricks.sdk.runtime import dbutils  # every Databricks runtime has it, clusters' and serverless

        opened: dict[str, str] = json.loads(dbutils.secrets.get(**orders["vault"]))
        return opened
    found: dict[str, str] = json.loads(place.get(f"{job}/secrets.json") or b"{}")
    place.remove(f"{job}/secrets.json")
    return found


if __name__ == "__main__":
    exit_code = main(sys.argv[1:])
    if exit_code:  # some services take any SystemExit for a failure
        sys.exit(exit_code)
