"""The keys of ``backends/hdinsight.json``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import ByteSize, Field, StringConstraints, field_validator, model_validator

from backends.capacity import Capacity, Price
from backends.configuration import NAME, Settings
from backends.sizes import MIB, Size, mebibytes

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_OURS = ("spark.pyspark.python", "spark.yarn.maxAppAttempts")
_KEYS = {"spark.jars.packages": "packages", "spark.jars.repositories": "repositories"}
"""Properties that have a key of their own."""

_LEAST_MEMORY = 512 * MIB
"""Spark does not start where Java has less than one and a half times the 300 MiB that Spark sets aside."""

Package = Annotated[str, StringConstraints(pattern=r"^[\w.-]+:[\w.-]+:[\w.-]+$")]


class HdinsightSettings(Settings):
    """Which cluster, which of its storage, and how much of it the job may use."""

    url: str
    """Livy's address: https://CLUSTER.azurehdinsight.net/livy."""

    storage: str
    """A folder of the cluster's own storage: wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/gridfold, or the same with
    abfss:// and dfs. Its credentials are AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_ACCESS_KEY, or az login."""

    user: str = "HDINSIGHT_USER"
    """Name of the environment variable that holds the cluster login's name ('admin' unless you chose another)."""

    password: str = "HDINSIGHT_PASSWORD"
    """Name of the environment variable that holds the cluster login's password."""

    driver_memory: Size = Field("5200m", validate_default=True)
    """Memory of the driver's Java, like '5200m' or '6g'; Python's is on top, spark.driver.memoryOverhead in conf."""

    driver_cores: int = Field(2, ge=1)
    """Cores of the driver; it computes features and refits the winner."""

    executor_memory: Size = Field("5200m", validate_default=True)
    """Memory of each executor's Java; Python's is on top, spark.executor.memoryOverhead in conf."""

    executor_cores: int = Field(2, ge=1)
    """Cores of each executor: as many fits run in it side by side."""

    num_executors: int | None = Field(None, ge=1)
    """How many executors; as the cluster has it if absent."""

    queue: str | None = Field(None, min_length=1)
    """YARN's queue."""

    packages: tuple[Package, ...] = ()
    """Spark packages that driver and executors load, as GROUP:ARTIFACT:VERSION of Maven."""

    repositories: tuple[str, ...] = ()
    """Addresses of further Maven repositories to look for them in, https://."""

    conf: dict[str, str] = Field(default={})
    """Further Spark properties, as text: {"spark.executor.memoryOverhead": "2g"}."""

    environment: tuple[str, ...] = ()
    """Names of environment variables of this machine that the job is to have; never their values."""

    archive: Path | None = None
    """A packed Python environment of your own (conda-pack), .tar.gz with bin/python3 in it; without it one is made."""

    requirements: Path | None = None
    """A requirements.txt for the environment that is made; the pins of conda.yaml if absent."""

    python: Path | None = None
    """Folder of a relocatable Python for Linux to make the environment from; without it uv downloads one."""

    glibc: str = Field("2.27", pattern=r"^2\.\d+$")
    """Of the cluster's machines (ldd --version there); wheels that need a newer one are not taken."""

    reconnect_minutes: float = Field(15.0, ge=0)
    """How long a lost connection is tried again before this command gives up (the job goes on)."""

    ca_bundle: Path | None = None
    """A file of certificates (PEM), where Livy is behind a gateway of your own."""

    price_per_hour: Price | None = None
    """What an hour of the whole cluster costs, in your currency as you write it, like '0.504 EUR'.
    With it -P plan=true says what a sweep comes to."""

    def capacity(self, name: str) -> Capacity:
        """Return what the executors come to."""
        unknown = "" if self.num_executors else 'how many executors it gives: write "num_executors"'
        fits = self.num_executors * self.executor_cores if self.num_executors else None
        return Capacity(name, fits, None, self.price_per_hour, unknown)

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.username or parts.password:
            raise ValueError("has a name or a password in it; set HDINSIGHT_USER and HDINSIGHT_PASSWORD instead")
        if not parts.hostname or parts.scheme not in ("http", "https"):
            raise ValueError(f"'{url}' is not of the form https://CLUSTER.azurehdinsight.net/livy")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError("the password must not travel unencrypted; write https://")
        return url.rstrip("/")

    @field_validator("driver_memory", "executor_memory")
    @classmethod
    def _is_enough(cls, memory: ByteSize) -> ByteSize:
        if memory < _LEAST_MEMORY:
            raise ValueError(f"Spark needs at least {mebibytes(_LEAST_MEMORY)}, and {mebibytes(memory)} were given")
        return memory

    @field_validator("storage")
    @classmethod
    def _is_a_folder(cls, storage: str) -> str:
        Storage.parse(storage)
        return storage

    @field_validator("user", "password", "environment")
    @classmethod
    def _are_names(cls, given: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for name in (given,) if isinstance(given, str) else given:
            if not NAME.fullmatch(name):
                raise ValueError("expected names of environment variables, never their values; this is not one")
        return given

    @field_validator("archive", "requirements", "ca_bundle")
    @classmethod
    def _is_a_file(cls, path: Path | None) -> Path | None:
        if path is not None and not path.expanduser().is_file():
            raise ValueError(f"there is no file {path}")
        return path.expanduser() if path else None

    @field_validator("python")
    @classmethod
    def _is_a_python(cls, path: Path | None) -> Path | None:
        if path is not None and not (path.expanduser() / "bin" / "python3").is_file():
            raise ValueError(f"there is no {path}/bin/python3")
        return path.expanduser() if path else None

    @field_validator("repositories")
    @classmethod
    def _are_addresses(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for address in given:
            parts = urlsplit(address)
            if parts.username or parts.password or parts.query:
                raise ValueError("an address has a name, a password or a signature in it, which Livy would show")
            if parts.scheme != "https" or not parts.hostname:
                raise ValueError(f"'{address}' is not of the form https://HOST/PATH")
        return given

    @field_validator("conf")
    @classmethod
    def _is_sparks(cls, conf: dict[str, str]) -> dict[str, str]:
        for name in conf:
            if not name.startswith("spark."):
                raise ValueError(f"'{name}' is not a Spark property; they begin with 'spark.'")
            if name in _KEYS:
                raise ValueError(f"'{name}' is said by the key '{_KEYS[name]}'; take it out of conf")
            if name in _OURS:
                raise ValueError(f"'{name}' is set by this backend; take it out")
        return conf

    @model_validator(mode="after")
    def _comes_one_way(self) -> Self:
        if self.archive and (self.python or self.requirements):
            raise ValueError("archive is the whole environment; take out python and requirements, or archive")
        return self


@dataclass(frozen=True)
class Storage:
    """A parsed ``storage``.

    Attributes
    ----------
    scheme : str
        ``wasbs`` or ``abfss``, as the cluster's Hadoop is to read it.
    container, account : str
    suffix : str
        Of the cloud, ``core.windows.net`` in the public one.
    path : str
        Of the folder, without slashes at its ends.
    """

    scheme: str
    container: str
    account: str
    suffix: str
    path: str

    @classmethod
    def parse(cls, text: str) -> Storage:
        """Read the key ``storage``.

        Raises
        ------
        ValueError
            It is not of the form, or names no folder.
        """
        match = _STORAGE.fullmatch(text)
        if match is None or (match["scheme"] == "wasbs") != (match["service"] == "blob"):
            shown = text.partition("?")[0]  # what follows may be a signature
            raise ValueError(
                f"'{shown}' is not of the form wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/FOLDER "
                "or abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/FOLDER"
            )
        return cls(match["scheme"], match["container"], match["account"], match["suffix"], match["path"].strip("/"))

    @property
    def endpoint(self) -> str:
        """The account's public address for blobs."""
        return f"https://{self.account}.blob.{self.suffix}"

    def uri(self, name: str) -> str:
        """Return how the cluster's Hadoop names a file of the folder."""
        service = "blob" if self.scheme == "wasbs" else "dfs"
        return f"{self.scheme}://{self.container}@{self.account}.{service}.{self.suffix}/{self.path}/{name}"


_STORAGE = re.compile(
    r"(?P<scheme>wasbs|abfss)://(?P<container>[^@/]+)@(?P<account>[^./]+)\.(?P<service>blob|dfs)"
    r"\.(?P<suffix>core\.(?:windows\.net|chinacloudapi\.cn|usgovcloudapi\.net))/(?P<path>[^?#]*[^?#/])/?"
)
