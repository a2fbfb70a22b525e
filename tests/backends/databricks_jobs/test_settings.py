"""What databricks.json may say, checked before a workspace is asked."""

from __future__ import annotations

import json

import pytest
from databricks.sdk.service.compute import ClusterSpec

from backends import configuration
from backends.databricks_jobs.settings import DatabricksSettings, NewCluster
from backends.failures import BackendError
from tests.backends.test_configuration import ROOM

FILES = "/Volumes/main/default/gridfold"
CLUSTER = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_D8ds_v5", "num_workers": 2}


def load(**given) -> DatabricksSettings:
    return configuration.load(DatabricksSettings, {"files": FILES, **given}, "databricks-jobs")


def test_the_example_file_and_its_schema_are_those_of_the_code():
    given = json.loads((ROOM / "databricks.json").read_text())
    assert configuration.load(DatabricksSettings, given, "databricks-jobs").new_cluster.num_workers == 4
    assert (ROOM / given["$schema"]).read_text() == configuration.schema(DatabricksSettings, "databricks-jobs")


def test_every_key_of_a_new_cluster_is_one_of_the_jobs_apis():
    assert NewCluster.model_fields.keys() <= ClusterSpec.__dataclass_fields__.keys()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "give exactly one of new_cluster, existing_cluster_id, serverless; there is none."),
        (
            {"new_cluster": CLUSTER, "existing_cluster_id": "0923-1"},
            "give exactly one of new_cluster, existing_cluster_id, serverless; there are new_cluster and "
            "existing_cluster_id.",
        ),
        ({"new_clusters": CLUSTER}, "new_clusters: unknown key. Did you mean 'new_cluster'?"),
        ({"new_cluster": {**CLUSTER, "num_worker": 1}}, "new_cluster.num_worker: unknown key. Did you mean"),
        ({"new_cluster": {"num_workers": 1}}, "new_cluster.spark_version: the key is missing: The Databricks Runtime"),
        ({"new_cluster": CLUSTER | {"num_workers": None}}, "new_cluster: needs either num_workers or autoscale."),
        ({"new_cluster": CLUSTER | {"node_type_id": None}}, "new_cluster: needs node_type_id"),
        ({"new_cluster": CLUSTER | {"data_security_mode": "LEGACY_SINGLE_USER"}}, "data_security_mode"),
        ({"new_cluster": CLUSTER | {"spark_env_vars": {"MY_TOKEN": "abc"}}}, "MY_TOKEN looks like a secret"),
        ({"serverless": {}, "files": "dbfs:/gridfold"}, "files: 'dbfs:/gridfold' is neither a volume"),
        ({"serverless": {}, "files": "/Volumes/main/default"}, "is neither a volume"),
        ({"serverless": {}, "host": "http://adb-1.azuredatabricks.net"}, "host: expected https://"),
        ({"serverless": {}, "host": "https://me:word@adb-1.azuredatabricks.net"}, "host: expected https://"),
        ({"serverless": {}, "token": "dapi123"}, "token: unknown key."),
        ({"serverless": {}, "environment": ["TOKEN=abc"]}, "environment: expected names of environment variables"),
    ],
)
def test_what_is_refused(given, sentence):
    with pytest.raises(BackendError) as caught:
        load(**given)
    assert sentence in str(caught.value)
    for secret in ("abc", "word@", "dapi123"):
        assert secret not in str(caught.value)


def test_without_a_file_the_message_names_it():
    with pytest.raises(BackendError, match=r"needs a configuration: add -c backends/databricks\.json"):
        configuration.load(DatabricksSettings, {}, "databricks-jobs")
