"""What Spark's exceptions mean to a person, in one line.

Spark reports a lost worker, a wrong Python and a cancelled job alike, as a Java exception of many lines; only its text
tells them apart.
"""

from __future__ import annotations

import re
from concurrent.futures import CancelledError
from typing import Any

from errors import EngineError

_WHERE = re.compile(r"\(TID \d+\) \((\S+) executor")
_LACKING = re.compile(r"No module named '(\w+)")
_LONGEST = 300


class CrashError(Exception):
    """A fit took its worker down in every one of Spark's tries; the cluster is well otherwise."""


def explain(error: Exception, has_stopped: bool = False) -> Exception:
    """Return what to raise for `error`, which a job or a broadcast raised; `has_stopped` says that Spark has ended."""
    text = f"{error}\n{getattr(error, 'java_exception', '')}"
    found = _WHERE.search(text)
    worker = f"worker {found[1]}" if found else "a worker"
    if "PYTHON_VERSION_MISMATCH" in text or "different version" in text:
        return EngineError(_version_sentence(text, worker))
    if "Cannot run program" in text:
        program = text.split("Cannot run program", 1)[1].split('"')[1]
        return EngineError(f"{worker} has no Python at {program}. Set PYSPARK_PYTHON to the path of Python there.")
    if "PYTHON_EXCEPTION" in text and (lacking := _LACKING.search(text)):
        return EngineError(
            f"{worker} lacks the package '{lacking[1]}'. Install it there, or set PYSPARK_PYTHON to the Python of "
            "an environment that has it."
        )
    if "MEMORY_LIMIT" in text:  # Databricks' own, of serverless compute
        return EngineError(
            f"{worker}'s Python needs more memory than a function may have there ({first_line(text)}). "
            "Use fewer feature sets, or a cluster whose workers have more."
        )
    if "OutOfMemoryError" in text:
        return EngineError(
            "Spark's Java process ran out of memory while it sent the data. Raise spark.driver.memory and "
            "spark.executor.memory, or use fewer feature sets."
        )
    if has_stopped or not found:
        return CancelledError() if "cancel" in text.lower() else EngineError(f"Spark is lost: {first_line(text)}")
    if "cancelled" in text:
        return CancelledError()
    return CrashError(f"the fit ended its {worker}, in each of Spark's tries: {_reason(text)}")


def stopped(context: Any) -> bool:
    """Whether the Spark application has ended."""
    try:
        return bool(context._jsc is None or context._jsc.sc().isStopped())
    except Exception:  # the Java process is gone
        return True


def _version_sentence(text: str, worker: str) -> str:
    said = re.sub(r"\((\d), (\d+)\)", r"\1.\2", text.split("different", 1)[-1])
    found = re.findall(r"\b(\d\.\d+)\b", said.split("\n", 1)[0])
    versions = f" (Python {found[0]} there, {found[1]} here)" if len(found) > 1 else ""
    return (
        f"{worker} runs another version of Python than this process{versions}. "
        "Set PYSPARK_PYTHON to a Python of the same version there."
    )


def _reason(text: str) -> str:
    """Pick what Spark says of the last try."""
    tail = text.split("most recent failure:", 1)[-1].split("Driver stacktrace", 1)[0]
    line = " ".join(tail.split("\n", 1)[0].split()).partition("executor ")[2]
    return line[:_LONGEST] or first_line(text)


def first_line(text: str) -> str:
    """Return the first line of what Spark said, as far as it says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("An error occurred")]
    return lines[0][:_LONGEST] if lines else "it gave no reason."
