"""Why Spark does not start, in Spark's or Java's own words; nothing here starts one to the end."""

import pytest

from errors import EngineError
from tuning.engines import check_engine
from tuning.engines.spark import session, starting

CALLING = "An error occurred while calling None.org.apache.spark.api.java.JavaSparkContext.\n: "
STACK = "\n\tat org.apache.spark.SparkContext.<init>(SparkContext.scala:594)\n\tat java.base/java.lang.Thread.run"
OLD_JAVA = """#!/bin/sh
echo "Error: LinkageError occurred while loading main class org.apache.spark.launcher.Main" >&2
echo "  java.lang.UnsupportedClassVersionError: org/apache/spark/launcher/Main has been compiled by a more recent \
version of the Java Runtime (class file version 61.0), this version of the Java Runtime only recognizes class file \
versions up to 55.0" >&2
exit 1
"""


@pytest.fixture
def no_java_yet(spark_here, monkeypatch):
    """A process that has not started Java, and an environment without words about Spark."""
    from pyspark import SparkContext

    monkeypatch.setattr(SparkContext, "_gateway", None)
    for name in ("SPARK_REMOTE", "SPARK_CONF_DIR", "SPARK_HOME", "PYSPARK_GATEWAY_PORT"):
        monkeypatch.delenv(name, raising=False)


def refusal():
    with pytest.raises(EngineError) as raised:
        session.start("local[1]", 0)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_java_that_is_too_old_is_named_with_both_versions(no_java_yet, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").write_text(OLD_JAVA)
    (tmp_path / "bin" / "java").chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert f"it needs Java 17 or later, and {tmp_path}/bin/java is Java 11" in refusal()


def test_what_java_says_before_it_ends_is_the_reason(no_java_yet, monkeypatch):
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--driver-memory 12x pyspark-shell")
    assert refusal() == "Spark did not start: Invalid maximum heap size: -Xmx12x. Mend spark.driver.memory."


def test_a_folder_that_is_not_sparks_is_refused_before_any_work(spark_here, tmp_path, monkeypatch):
    monkeypatch.setattr(session, "existing", lambda: None)
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    for home, there in ((tmp_path, "there is no bin/spark-submit"), (tmp_path / "no", "there is no such folder")):
        monkeypatch.setenv("SPARK_HOME", str(home))
        with pytest.raises(EngineError, match=f"SPARK_HOME is {home}, and {there}. Unset it"):
            check_engine("spark", "local[1]")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            "org.apache.spark.SparkException: The number of cores per executor (=2) has to be >= the number of cpus "
            "per task = 4.",
            "The number of cores per executor (=2) has to be >= the number of cpus per task = 4. Lower "
            "spark.task.cpus, or give executors more cores.",
        ),
        (
            "io.netty.channel.unix.Errors$NativeIoException: bind(..) failed with error(-99): Cannot assign requested "
            "address: Service 'sparkDriver' failed after 16 retries (on a random free port)! java.net.BindException",
            "bind(..) failed with error(-99): Cannot assign requested address: Service 'sparkDriver' failed after 16 "
            "retries (on a random free port)! java.net.BindException. Set spark.driver.bindAddress (or SPARK_LOCAL_IP) "
            "to an address of this machine.",
        ),
        (
            f"org.apache.spark.SparkException: Exception when registering SparkListener{STACK}\n"
            "Caused by: java.lang.ClassNotFoundException: a.B",
            "Exception when registering SparkListener (ClassNotFoundException: a.B).",
        ),
        (
            "java.lang.UnsupportedOperationException: getSubject is not supported",
            "getSubject is not supported. /java/bin/java may be of a wrong version: Spark 4 needs Java 17 or later, "
            "Spark 3.5 Java 8 to 17.",
        ),
    ],
    ids=["task.cpus", "address", "listener", "newer Java"],
)
def test_the_cause_is_taken_from_the_java_exception(said, reason, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", "/java")
    assert starting.reason(RuntimeError(f"{CALLING}{said}{STACK}"), "") == reason


def test_without_any_words_of_javas_the_log_above_is_pointed_at():
    said = starting.reason(RuntimeError("[JAVA_GATEWAY_EXITED] Java gateway process exited."), "")
    assert said == "[JAVA_GATEWAY_EXITED] Java gateway process exited. Look above for what Java says."
