"""The container's first process: takes the job's orders from stdin, runs it, and ends as it ends.

The orders come through stdin because that is the one way into a container that ``docker inspect`` does not show: an
environment variable or an argument of the container is kept with it, for everyone who may use the engine to read.
"""

from __future__ import annotations

import json
import os
import threading
from typing import Any

from .command import exit_code
from .gate import Gate
from .link import read_exactly
from .mask import stars
from .output import Output
from .reach import UNREACHABLE, cannot_reach
from .signals import forward

_SECONDS_TO_DRAIN = 5
_LENGTH = 4


def main() -> int:
    """Run the job; the exit code is the job's, 128 and the number for a signal."""
    orders = _read_orders()
    environment = {**os.environ, **orders["environment"], **orders["secrets"]}
    os.makedirs(environment["HOME"], exist_ok=True)
    words = stars(orders["secrets"].values())
    if orders["tunnel"]:
        gate = Gate()
        environment["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{gate.port}"
        words[environment["MLFLOW_TRACKING_URI"]] = orders["tunnel"]
        gate.open()
    elif problem := cannot_reach(environment.get("MLFLOW_TRACKING_URI", "")):
        print(f"gridfold: no answer: {problem}", flush=True)
        return UNREACHABLE
    output = Output(words, orders["terminal"])
    job = output.start(["bash", "-c", orders["command"]], environment)
    forward(job)
    copying = threading.Thread(target=output.copy, daemon=True)
    copying.start()
    code = job.wait()
    copying.join(_SECONDS_TO_DRAIN)  # something that the job has left running may hold its output open for ever
    return exit_code(code)


def _read_orders() -> dict[str, Any]:
    """Read the orders: four bytes of length, then JSON. Whoever writes them need not close the pipe."""
    size = int.from_bytes(read_exactly(lambda n: os.read(0, n), _LENGTH), "big")
    orders: dict[str, Any] = json.loads(read_exactly(lambda n: os.read(0, n), size))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    return orders


def envelope(orders: dict[str, Any]) -> bytes:
    """Return the bytes that `_read_orders` reads."""
    text = json.dumps(orders).encode()
    return len(text).to_bytes(_LENGTH, "big") + text
