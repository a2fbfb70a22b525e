"""Start Spark on this machine's Java, and say in one line why it did not start, in Spark's own words.

Java's own last words go to a file of ours, where nobody has configured another log: a virtual machine that cannot begin
says so nowhere else, and its stack traces are not for a person.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from errors import EngineError
from tuning.engines.spark.code import scratch

_QUIET = """
rootLogger.level = fatal
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
"""
_LONGEST = 400
_CLASS_FILES = re.compile(r"class file version (\d+)\.\d+\).*?versions up to (\d+)\.\d+", re.DOTALL)
_EXCEPTION = re.compile(
    r"^(?:: |Caused by: |Exception in thread \"[^\"]*\" )?(?:[\w$]+\.)+([\w$]+): (.+)$", re.MULTILINE
)
_NOISE = re.compile(
    r"\s*(at |\.\.\. \d+ more|WARNING:|Using Spark's|Picked up |NOTE: |\d\d/\d\d/\d\d |Error: A JNI error|$)"
)
_OF_JAVA = ("InaccessibleObjectException", "IllegalAccessError", "getSubject is ", "StorageUtils$", "JNI error")
_ADVICE = {
    "BindException": "Set spark.driver.bindAddress (or SPARK_LOCAL_IP) to an address of this machine.",
    "cpus per task": "Lower spark.task.cpus, or give executors more cores.",
    "heap size": "Mend spark.driver.memory.",
}


def begin(master: str | None, n_tasks: int) -> Any:
    """Start a session with a SparkContext.

    Raises
    ------
    EngineError
        Spark's reason for which there is none.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    words = scratch() / "java.log"
    words.unlink(missing_ok=True)
    try:
        return _begin(_settings(master, n_tasks), words)
    except Exception as error:  # pyspark raises its own, py4j's and RuntimeError
        said = words.read_text(errors="replace") if words.exists() else ""
        raise EngineError(f"Spark did not start: {reason(error, said)}") from error


def _settings(master: str | None, n_tasks: int) -> dict[str, str]:
    settings = {"spark.app.name": "gridfold", "spark.ui.showConsoleProgress": "false"}
    if "SPARK_CONF_DIR" not in os.environ:
        settings["spark.driver.extraJavaOptions"] = f"-Dlog4j.configurationFile={_quiet_log()}"
    if master:
        settings["spark.master"] = master
    if n_tasks and master and master.startswith("spark://"):
        settings["spark.cores.max"] = str(n_tasks)
    return settings


def _begin(settings: dict[str, str], words: Path) -> Any:
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    conf = SparkConf().setAll(list(settings.items()))
    has_java = SparkContext._gateway is not None or "PYSPARK_GATEWAY_PORT" in os.environ
    if not has_java and "SPARK_CONF_DIR" not in os.environ:
        with words.open("wb") as file:
            SparkContext(conf=conf, gateway=launch_gateway(conf, popen_kwargs={"stderr": file}))
    return SparkSession.builder.config(conf=conf).getOrCreate()


def _quiet_log() -> Path:
    """Write a log configuration that keeps Java's stack traces off the terminal: we say in one line what they mean."""
    path = scratch() / "log4j2.properties"
    path.write_text(_QUIET)
    return path


def reason(error: Exception, said: str) -> str:
    """Say why Spark did not start.

    Parameters
    ----------
    error : Exception
        Of pyspark.
    said : str
        What Java has written before it ended; empty where that went to the terminal.
    """
    text = f"{said}\n{error}"
    if found := _CLASS_FILES.search(text):
        needs, has = (int(version) - 44 for version in found.groups())
        return f"it needs Java {needs} or later, and {_java()} is Java {has}. Set JAVA_HOME to a newer one's folder."
    if "JavaPackage" in text:  # what py4j makes of a class that is not there
        return f"{_spark()} is another version than pyspark {_pyspark()}. Unset SPARK_HOME, or install its own pyspark."
    cause = _cause(error, said)
    advice = next((advice for sign, advice in _ADVICE.items() if sign in text), "")
    if any(sign in text for sign in _OF_JAVA):
        advice = f"{_java()} may be of a wrong version: Spark 4 needs Java 17 or later, Spark 3.5 Java 8 to 17."
    elif "JAVA_GATEWAY_EXITED" in text and not said.strip():
        advice = "Look above for what Java says."
    return f"{cause.rstrip('.')}. {advice}".rstrip()


def _cause(error: Exception, said: str) -> str:
    """Return the first exception of Java's, with the last that it was caused by, or its last words, or pyspark's."""
    for text in (str(error), said):
        if exceptions := _EXCEPTION.findall(text):
            (kind, first), last = exceptions[0], exceptions[-1]
            more = f" ({_sentence(*last)})" if last[1] not in first else ""
            return f"{_sentence(kind, first)}{more}"[:_LONGEST]
    lines = [line.strip() for line in said.splitlines() if not _NOISE.match(line)]
    lines += [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[0][:_LONGEST]


def _sentence(kind: str, message: str) -> str:
    return f"{kind}: {message}" if len(message.split()) < 3 else message


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    return str(Path(home, "bin", "java")) if home else str(shutil.which("java"))


def _spark() -> str:
    home = os.environ.get("SPARK_HOME", "Spark")
    cores = [path.name for path in Path(home, "jars").glob("spark-core_*.jar")]
    version = re.sub(r"^spark-core_[\d.]+-|\.jar$", "", cores[0]) if cores else "of unknown version"
    return f"Spark {version} (SPARK_HOME is {home})"


def _pyspark() -> str:
    import pyspark

    return str(pyspark.__version__)


def check_home() -> None:
    """Refuse a SPARK_HOME without Spark.

    Raises
    ------
    EngineError
        It names the folder.
    """
    home = os.environ.get("SPARK_HOME")
    if home and not Path(home, "bin", "spark-submit").exists():
        there = "there is no bin/spark-submit" if Path(home).is_dir() else "there is no such folder"
        own = " (pyspark brings a Spark of its own)" if find_spec("pyspark") else ""
        raise EngineError(f"engine spark: SPARK_HOME is {home}, and {there}. Unset it{own}, or name Spark's folder.")


def check_java() -> None:
    """Refuse a machine without Java.

    Raises
    ------
    EngineError
        It says where Java was looked for.
    """
    home = os.environ.get("JAVA_HOME")
    java = Path(home, "bin", "java") if home else shutil.which("java")
    if java is None or not Path(java).exists():
        where = f"JAVA_HOME is {home}, where there is no bin/java" if home else "there is no java on PATH"
        raise EngineError(
            f"engine spark: Spark needs Java, and {where}. Install Java 17, or set JAVA_HOME to its folder."
        )
