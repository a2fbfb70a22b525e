"""What a Spark has no room for, said before anything is sent.

Neither pyspark nor Spark has a limit at 2 GB here: a broadcast variable is streamed through a file and cut into pieces
of 4 MiB, a file over Spark Connect into chunks of 32 KiB. What ends is memory, in three places. The driver's Java holds
all compressed pieces, and so does the Java of each executor until it has put them together; each Python worker holds
the rows, and the matrices of the folds. And the rows lie in a file on the way, uncompressed.
"""

from __future__ import annotations

import pickle
import shutil
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.utils import _safe_indexing

from errors import EngineError
from tuning.workload import Workload

_SAMPLE = 2**24  # bytes of rows that are compressed to see what comes of it
_JAVA = 300 * 2**20  # what Spark keeps of a heap for itself
_PIECES = 1.25  # times their size is what pieces of 4 MiB take of a small heap, whose regions are of 1 MiB


def check(context: Any, workload: Workload) -> None:
    """Refuse data that do not fit what Spark has been given.

    Raises
    ------
    EngineError
        It names the setting to raise.
    """
    size = n_bytes(workload)
    check_disk(context._temp_dir, size, "spark.local.dir")
    check_driver(context, size)
    check_executors(context, workload, size)
    check_python(context, size)


def check_driver(context: Any, size: int) -> None:
    """Refuse what the driver's Java cannot send."""
    heap = int(context._jvm.java.lang.Runtime.getRuntime().maxMemory())
    if size > heap / 2:
        raise EngineError(
            f"the data take {_mib(size)} and Spark's Java process on this machine has {_mib(heap)}, which is too "
            f"little to send them. Set spark.driver.memory to {_mib(4 * size)} or more."
        )


def check_executors(context: Any, workload: Workload, size: int) -> None:
    """Refuse what the Java of an executor cannot receive."""
    if context.master.startswith("local"):  # the driver's Java is the executor
        return
    limit = context.getConf().get("spark.executor.memory", "1g")
    heap = _bytes(context, limit)
    if size * _PIECES < heap - _JAVA:
        return
    compressed = int(size * _compressed_share(workload, size))
    if compressed * _PIECES > heap - _JAVA:
        needed = 2 * compressed + _JAVA
        raise EngineError(
            f"the data take {_mib(compressed)} compressed, which the Java process of every executor holds while it "
            f"receives them, and spark.executor.memory is {limit}. Set it to {_mib(needed)} or more."
        )


def check_python(context: Any, size: int) -> None:
    """Refuse what a Python worker cannot hold, where that is limited."""
    limit = context.getConf().get("spark.executor.pyspark.memory")
    if limit is None:
        return
    cores = max(1, int(context.getConf().get("spark.executor.cores", "1")))
    allowed = _bytes(context, limit) // cores
    if 2 * size > allowed:
        raise EngineError(
            f"the data take {_mib(size)} twice (as rows and as matrices) in every Python worker, and "
            f"spark.executor.pyspark.memory allows {_mib(allowed)}. Raise it to {_mib(4 * size * cores)} or more."
        )


def check_disk(folder: Any, size: int, setting: str) -> None:
    """Refuse what has no room on the disk of this machine, where it lies before it is sent."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise EngineError(
            f"the data take {_mib(size)}, and {folder}, where they lie before they are sent, has {_mib(free)} left. "
            f"Make room there, or set {setting} to a folder on a larger disk."
        )


def n_bytes(workload: Workload) -> int:
    """Bytes of the rows of `workload`, the rest being small."""
    X = workload.data.X
    if hasattr(X, "indptr"):
        return sum(int(part.nbytes) for part in (X.data, X.indices, X.indptr))
    if hasattr(X, "memory_usage"):
        return int(X.memory_usage(deep=True).sum())
    return int(np.asarray(X).nbytes)


def _compressed_share(workload: Workload, size: int) -> float:
    """Compress rows from all over the data, as Spark does, and return what is left of a byte."""
    n_rows = workload.data.n_rows
    every = max(1, size // _SAMPLE)
    rows = pickle.dumps(_safe_indexing(workload.data.X, np.arange(0, n_rows, every)), pickle.HIGHEST_PROTOCOL)
    return min(1.0, len(pa.compress(rows, codec="lz4", asbytes=True)) / len(rows))


def _bytes(context: Any, words: str) -> int:
    return int(context._jvm.org.apache.spark.network.util.JavaUtils.byteStringAsBytes(words))


def _mib(n: int) -> str:
    return f"{n / 2**20:,.0f}m".replace(",", "")
