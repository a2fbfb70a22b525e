"""What a cluster's Spark needs of us before a job may use it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from typing import Any


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
