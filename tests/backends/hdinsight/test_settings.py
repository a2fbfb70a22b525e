"""The keys of hdinsight.json and what each refuses."""

import json
from pathlib import Path

import pytest

from backends import configuration
from backends.cluster.compute import Started
from backends.failures import BackendError
from backends.hdinsight.backend import batch_request
from backends.hdinsight.settings import HdinsightSettings, Storage

ROOM = Path(configuration.__file__).parent
GOOD = {
    "url": "https://mine.azurehdinsight.net/livy",
    "storage": "wasbs://data@account.blob.core.windows.net/gridfold",
}


def load(**given) -> HdinsightSettings:
    return configuration.load(HdinsightSettings, {**GOOD, **given}, "hdinsight")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"url": "mine.azurehdinsight.net"}, "url: 'mine.azurehdinsight.net' is not of the form https://CLUSTER."),
        ({"url": "http://mine.azurehdinsight.net/livy"}, "url: the password must not travel unencrypted"),
        ({"url": "https://admin:word@mine.net/livy"}, "url: has a name or a password in it; set HDINSIGHT_USER"),
        ({"storage": "/gridfold"}, "storage: '/gridfold' is not of the form wasbs://CONTAINER@ACCOUNT"),
        ({"storage": "wasbs://data@account.blob.core.windows.net/"}, "storage: 'wasbs://data@account.blob.core.win"),
        ({"storage": "abfss://data@account.blob.core.windows.net/g"}, "is not of the form"),
        ({"driver_memory": "5200"}, "driver_memory: '5200' will not do. Memory of the driver's Java, like '5200m'"),
        ({"executor_memory": "300m"}, "executor_memory: Spark needs at least 512m, and 300m were given."),
        ({"executor_cores": 0}, "executor_cores: 0 will not do. Cores of each executor"),
        ({"num_executors": "many"}, "num_executors: 'many' will not do. How many executors"),
        ({"executors": 3}, "executors: unknown key. Did you mean 'num_executors'?"),
        ({"password": "Pa$$word"}, "password: expected names of environment variables, never their values"),
        ({"environment": ["TOKEN=abc"]}, "environment: expected names of environment variables"),
        ({"conf": {"executor.memory": "1g"}}, "conf: 'executor.memory' is not a Spark property; they begin with"),
        ({"conf": {"spark.pyspark.python": "python"}}, "conf: 'spark.pyspark.python' is set by this backend"),
        ({"conf": {"spark.jars.packages": "a:b:1"}}, "conf: 'spark.jars.packages' is said by the key 'packages'"),
        (
            {"packages": ["mmlspark"]},
            "packages.0: 'mmlspark' will not do. Spark packages that driver and executors load",
        ),
        ({"repositories": ["http://repo.example"]}, "repositories: 'http://repo.example' is not of the form https://"),
        ({"repositories": ["https://me:$$@repo.example"]}, "repositories: an address has a name, a password or"),
        ({"archive": "no.tar.gz"}, "archive: there is no file no.tar.gz."),
        ({"python": "/no/python"}, "python: there is no /no/python/bin/python3."),
        ({"glibc": "musl"}, "glibc: 'musl' will not do. Of the cluster's machines"),
        ({"archive": __file__, "requirements": __file__}, "archive is the whole environment"),
    ],
)
def test_what_is_refused(given, sentence):
    with pytest.raises(BackendError) as caught:
        load(**given)
    assert sentence in str(caught.value)
    assert "abc" not in str(caught.value)
    assert "$$" not in str(caught.value)


def test_a_missing_key_is_explained():
    with pytest.raises(BackendError, match="storage: the key is missing: A folder of the cluster's own storage: wasbs"):
        configuration.load(HdinsightSettings, {"url": GOOD["url"]}, "hdinsight")


def test_the_published_sizes_are_the_defaults():
    settings = load()
    assert (settings.driver_memory, settings.executor_memory, settings.executor_cores) == (
        5200 * 2**20,
        5200 * 2**20,
        2,
    )


def test_the_published_packages_and_their_repositories_can_be_said():
    """Those of spark_dependencies.yml, in Maven's words."""
    settings = load(
        packages=["com.microsoft.ml.spark:mmlspark_2.11:0.7.91", "databricks:spark-sklearn:0.2.0"],
        repositories=["https://mmlspark.azureedge.net/maven", "https://spark-packages.org/packages"],
    )
    started = Started("run1", "same", "gridfold-same-run1", 0.0)
    conf = batch_request(started, "environments/e.tar.gz", settings)["conf"]
    assert conf["spark.jars.packages"] == "com.microsoft.ml.spark:mmlspark_2.11:0.7.91,databricks:spark-sklearn:0.2.0"
    assert conf["spark.jars.repositories"].startswith("https://mmlspark.azureedge.net/maven,https://spark-packages")
    assert "spark.jars.packages" not in batch_request(started, "environments/e.tar.gz", load())["conf"]


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        (
            "wasbs://data@account.blob.core.windows.net/gridfold/",
            "wasbs://data@account.blob.core.windows.net/gridfold/a/b",
        ),
        ("abfss://data@account.dfs.core.windows.net/x/y", "abfss://data@account.dfs.core.windows.net/x/y/a/b"),
    ],
)
def test_the_cluster_and_we_name_the_same_file(text, uri):
    storage = Storage.parse(text)
    assert storage.uri("a/b") == uri
    assert storage.endpoint == "https://account.blob.core.windows.net"


def test_the_example_file_and_its_schema_are_those_of_the_code(monkeypatch):
    monkeypatch.chdir(ROOM.parent)
    configuration.load(HdinsightSettings, json.loads((ROOM / "hdinsight.json").read_text()), "hdinsight")
    assert (ROOM / "hdinsight.schema.json").read_text() == configuration.schema(HdinsightSettings, "hdinsight")
