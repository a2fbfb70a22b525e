"""The keys of ``backends/databricks.json``.

The workspace's own vocabulary where there is one: ``new_cluster`` is what the Jobs API takes, key for key. The keys are
named here all the same and not handed through: a misspelt one would be found out when the cluster has been paid for.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from backends.capacity import Capacity, Price
from backends.configuration import Names, Settings

_FILES = re.compile(r"/Volumes/[^/]+/[^/]+/[^/]+(/[^/]+)*|/Workspace(/[^/]+){2,}")
_KINDS = ("new_cluster", "existing_cluster_id", "serverless")
_LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?/?")
_SECRET = re.compile(r"token|secret|password|credential|_key$", re.IGNORECASE)


def _cores_in(node_type: str) -> int | None:
    """Read the number of cores off a name of Azure's or Google's, such as Standard_D8ds_v5 and n2-standard-8."""
    found = re.match(r"Standard_[A-Z]+(\d+)", node_type) or re.fullmatch(r"[a-z0-9]+-[a-z]+-(\d+)", node_type)
    return int(found[1]) if found else None


class Autoscale(Settings):
    """Between how many workers the cluster sizes itself."""

    min_workers: int = Field(ge=0)
    """The fewest."""

    max_workers: int = Field(ge=1)
    """The most."""


class NewCluster(Settings):
    """A cluster that is made for the run and ends with it, as the Jobs API describes one."""

    spark_version: str = Field(min_length=1)
    """The Databricks Runtime, like '15.4.x-scala2.12'; its Python must be the one of conda.yaml, or a newer one."""

    node_type_id: str | None = None
    """The machines' type, like 'Standard_D8ds_v5'; may be absent with instance_pool_id or a policy that says it."""

    driver_node_type_id: str | None = None
    """The driver's type; as the workers' if absent. It computes features and refits the winner."""

    num_workers: int | None = Field(None, ge=0)
    """How many workers beside the driver."""

    autoscale: Autoscale | None = None
    """In place of num_workers."""

    instance_pool_id: str | None = None
    """The pool that the machines come from."""

    driver_instance_pool_id: str | None = None
    """The pool that the driver comes from."""

    policy_id: str | None = None
    """The cluster policy that applies."""

    apply_policy_default_values: bool | None = None
    """Whether the policy fills in what is absent here."""

    data_security_mode: Literal[
        "SINGLE_USER", "DATA_SECURITY_MODE_DEDICATED", "NONE", "USER_ISOLATION", "DATA_SECURITY_MODE_STANDARD"
    ] = "SINGLE_USER"
    """Dedicated access. The last two are standard access, where fits go through Spark Connect, if a first task can."""

    single_user_name: str | None = None
    """Whom a dedicated cluster belongs to; you if absent."""

    runtime_engine: Literal["STANDARD", "PHOTON"] | None = None
    """PHOTON costs more and speeds up SQL, which sweeps do not use."""

    spark_conf: dict[str, str] = Field(default={})
    """Further Spark properties, as text: {"spark.task.cpus": "1"}."""

    spark_env_vars: dict[str, str] = Field(default={})
    """Environment variables of the cluster's processes. Everyone who sees the run sees them: no secrets."""

    custom_tags: dict[str, str] = Field(default={})
    """Tags of the machines, for their bill."""

    enable_elastic_disk: bool | None = None
    """Whether disks grow by themselves."""

    init_scripts: tuple[dict[str, Any], ...] = ()
    """Scripts that every machine begins with: [{"volumes": {"destination": "/Volumes/..."}}]."""

    azure_attributes: dict[str, Any] | None = None
    """Availability, spot price: as the API has it on Azure."""

    aws_attributes: dict[str, Any] | None = None
    """Availability, zone, spot price: as the API has it on AWS."""

    gcp_attributes: dict[str, Any] | None = None
    """Availability, zone: as the API has it on Google Cloud."""

    @field_validator("spark_env_vars")
    @classmethod
    def _are_no_secrets(cls, given: dict[str, str]) -> dict[str, str]:
        for name, value in given.items():
            if _SECRET.search(name) and not value.startswith("{{secrets/"):
                raise ValueError(f"{name} looks like a secret, and its value would be shown; name it in 'environment'")
        return given

    @model_validator(mode="after")
    def _has_a_size(self) -> Self:
        if (self.num_workers is None) == (self.autoscale is None) and not self.policy_id:
            raise ValueError("needs either num_workers or autoscale")
        if not (self.node_type_id or self.instance_pool_id or self.policy_id):
            raise ValueError("needs node_type_id, like 'Standard_D8ds_v5', or instance_pool_id")
        return self


class Serverless(Settings):
    """Serverless compute: fits go through Spark Connect, if a first task can, else run on the driver."""

    environment_version: str = Field("2", pattern=r"^[1-9]\d*$")
    """Databricks' number of the environment: 2 has Python 3.11, 3 and 4 have 3.12."""


class DatabricksSettings(Settings):
    """Which workspace, where in it files may lie, and what the job runs on."""

    file: ClassVar[str] = "databricks"

    files: str
    """A volume, /Volumes/CATALOG/SCHEMA/VOLUME, or a folder of it; or a workspace folder, /Workspace/Users/YOU/FOLDER.
    The project, the log and the ending of jobs are kept under it, in a folder of yours."""

    host: str | None = None
    """The workspace, https://adb-1234567890123456.7.azuredatabricks.net; DATABRICKS_HOST or the profile's if absent."""

    profile: str | None = Field(None, min_length=1)
    """A profile of ~/.databrickscfg; without it DATABRICKS_CONFIG_PROFILE, DATABRICKS_TOKEN, az login and whatever
    else Databricks' own tools sign in with."""

    new_cluster: NewCluster | None = None
    """A cluster for this run alone."""

    existing_cluster_id: str | None = Field(None, min_length=1)
    """A cluster that is there, like '0923-164208-meows279'; it is started if it has ended."""

    serverless: Serverless | None = None
    """Serverless compute: {} for its defaults. Starts in seconds."""

    environment: Names = ()
    """Names of environment variables of this machine that the job is to have; never their values."""

    timeout_minutes: float = Field(0.0, ge=0)
    """The service ends a job that takes longer; 0 for no limit."""

    reconnect_minutes: float = Field(15.0, ge=0)
    """How long a lost connection is tried again before this command gives up (the job goes on)."""

    price_per_hour: Price | None = None
    """What an hour of all machines and of Databricks' units costs, in your currency as you write it, like '4.2 EUR'.
    With it -P plan=true says what a sweep comes to."""

    def capacity(self, name: str) -> Capacity:
        """Return what the workers come to, as far as their type's name tells; the most of those that may be added."""
        cluster = self.new_cluster
        cores = _cores_in(cluster.node_type_id or "") if cluster else None
        if cluster is None or cores is None:
            what = "how many cores its machines have" if cluster else "how large it is"
            return Capacity(name, None, None, self.price_per_hour, f"{what}: its file does not say")
        workers = cluster.autoscale.max_workers if cluster.autoscale else cluster.num_workers
        return Capacity(name, max(1, workers or 0) * cores, None, self.price_per_hour)

    @field_validator("files")
    @classmethod
    def _is_a_folder(cls, files: str) -> str:
        if not _FILES.fullmatch(files.rstrip("/")) or ".." in files.split("/"):
            raise ValueError(
                f"'{files}' is neither a volume (/Volumes/CATALOG/SCHEMA/VOLUME) nor a folder of the workspace "
                "(/Workspace/Users/YOU/FOLDER)"
            )
        return files.rstrip("/")

    @field_validator("host")
    @classmethod
    def _is_an_address(cls, host: str | None) -> str | None:
        if host is not None and not re.fullmatch(r"https://[^/@\s]+/?", host) and not _LOOPBACK.fullmatch(host):
            raise ValueError("expected https:// and the workspace's name, without a path, a name or a password")
        return host

    @model_validator(mode="after")
    def _runs_on_one_thing(self) -> Self:
        given = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(
                f"give exactly one of {', '.join(_KINDS)}; "
                + (f"there are {' and '.join(given)}" if given else "there is none")
            )
        return self
