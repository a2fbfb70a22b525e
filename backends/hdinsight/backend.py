"""The plugin that ``-b hdinsight`` names, and the cluster as a place to run jobs."""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from backends.cluster.compute import ClusterCompute, Started
from backends.environment import Environment
from backends.failures import BackendError
from backends.hdinsight import packing
from backends.hdinsight.blobs import BlobFolder
from backends.hdinsight.livy import AnswerLostError, Livy
from backends.hdinsight.settings import HdinsightSettings, Storage
from backends.job import Compute
from backends.messages import say
from backends.plugin import RemoteBackend
from backends.request import Request
from backends.sizes import mebibytes

_PLACE = "place.json"
_PYTHON = "./environment/bin/python3"
_ENDED = ("success", "dead", "killed", "error")
_PAUSES = (1.0, 2.0, 4.0)  # seconds before a submission whose answer was lost is looked for
_TELLING = re.compile(r"diagnostics:|exception|error|killed|memory|exit ?code", re.IGNORECASE)
_MB = 1e6


class HdinsightBackend(RemoteBackend):
    """Runs entry points as Livy batches."""

    name = "hdinsight"
    settings = HdinsightSettings

    @contextmanager
    def open(self, settings: HdinsightSettings, request: Request) -> Iterator[Compute]:
        """Sign in to the storage and to Livy."""
        names = (settings.user, settings.password)
        for name in names:
            if not os.environ.get(name):
                raise BackendError(
                    f"{name} is not set here. Set {names[0]} and {names[1]} to the name and password of the cluster's "
                    "login, or name other variables as 'user' and 'password'."
                )
        livy = Livy(settings.url, os.environ[names[0]], os.environ[names[1]], names, settings.ca_bundle)
        with closing(livy):
            next(livy.batches(), None)
            yield Cluster(livy, BlobFolder(Storage.parse(settings.storage)), settings)


class Cluster(ClusterCompute):
    """A Compute: Livy of one cluster, and a folder of its storage."""

    def __init__(self, livy: Livy, shared: BlobFolder, settings: HdinsightSettings) -> None:
        super().__init__(livy.place, shared, settings.reconnect_minutes * 60)
        self._livy = livy
        self._blobs = shared
        self._settings = settings
        self._storage = Storage.parse(settings.storage)

    def prepare(self, environment: Environment) -> str:
        """Put the packed environment into the storage, or find it there."""
        name = self._environment(environment)
        if name in self.shared.names(name):
            return f"{self.place}: reused the packed environment {name}."
        say(f"{self.place}: packing the environment {name}; this is done once.")
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="gridfold-") as scratch:
            archive = packing.pack(environment, self._settings, Path(scratch))
            size = archive.stat().st_size / _MB
            self.shared.put(name, archive)
        return f"{self.place}: made the packed environment {name} ({size:,.0f} MB, {time.monotonic() - began:.0f} s)."

    def _environment(self, environment: Environment) -> str:
        return f"environments/{packing.key(environment, self._settings)}.tar.gz"

    def submit(self, started: Started, environment: Environment) -> str:
        """Start the batch; where Livy's answer is lost, look for it by name before starting it again."""
        self.shared.put(f"{started.folder}/{_PLACE}", json.dumps(self._blobs.signed()).encode())
        request = batch_request(started, self._environment(environment), self._settings)
        pauses = list(_PAUSES)
        while True:
            try:
                return str(self._livy.submit(request))
            except AnswerLostError:
                if not pauses:
                    raise
            time.sleep(pauses.pop(0))
            found = self.search(started.name)
            if found is not None:
                return found

    def search(self, name: str) -> str | None:
        """Return the number of the batch of that name."""
        batches = list(self._livy.batches())
        if batches and not any("name" in batch for batch in batches):
            raise BackendError(
                f"{self.place}: its Livy (before 0.6) does not tell the names of batches, so whether it has taken the "
                "job is unknown. Should one start, it ends at once, having no orders. Run the command again."
            )
        return next((str(batch["id"]) for batch in batches if batch.get("name") == name), None)

    def application(self, service_id: str) -> Batch:
        """Return the batch of that number."""
        return Batch(self._livy, int(service_id))


class Batch:
    """An Application: one batch of Livy's."""

    def __init__(self, livy: Livy, number: int) -> None:
        self._livy = livy
        self._number = number

    def ended(self) -> str | None:
        """Return None while it waits or runs; then Livy's words."""
        found = self._livy.batch(self._number)
        if found is None:
            return "its batch was deleted from Livy"
        if found["state"] not in _ENDED:
            return None
        return last_words(str(found["state"]), self._livy.log(self._number))

    def cancel(self) -> None:
        """Delete it: Livy kills what runs."""
        self._livy.delete(self._number)


def batch_request(started: Started, environment: str, settings: HdinsightSettings) -> dict[str, Any]:
    """Return the body of Livy's ``POST /batches``: nothing in it is secret.

    Parameters
    ----------
    started : Started
    environment : str
        The packed environment's name in the shared folder.
    settings : HdinsightSettings
    """
    storage = Storage.parse(settings.storage)
    request = {
        "name": started.name,
        "file": storage.uri(started.driver),
        "args": [_PLACE, started.run_id],
        "files": [storage.uri(f"{started.folder}/{_PLACE}")],
        "archives": [f"{storage.uri(environment)}#environment"],
        "driverMemory": mebibytes(settings.driver_memory),
        "driverCores": settings.driver_cores,
        "executorMemory": mebibytes(settings.executor_memory),
        "executorCores": settings.executor_cores,
        "numExecutors": settings.num_executors,
        "queue": settings.queue,
        "conf": {
            "spark.yarn.am.waitTime": "7d",  # features may take long before the first fit asks for Spark
            **settings.conf,
            **_packages(settings),
            "spark.yarn.maxAppAttempts": "1",  # a second attempt would find its orders taken
            "spark.pyspark.python": _PYTHON,
            "spark.yarn.appMasterEnv.PYSPARK_PYTHON": _PYTHON,
            "spark.yarn.appMasterEnv.PYSPARK_DRIVER_PYTHON": _PYTHON,
        },
    }
    return {name: value for name, value in request.items() if value is not None}


def _packages(settings: HdinsightSettings) -> dict[str, str]:
    said = {"spark.jars.packages": settings.packages, "spark.jars.repositories": settings.repositories}
    return {name: ",".join(values) for name, values in said.items() if values}


def last_words(state: str, log: list[str]) -> str:
    """Return what Livy knows of the end: the last line of its log that says more than that."""
    causes = [" ".join(line.split()) for line in log if _TELLING.search(line)]
    if state == "killed" and not causes:
        return "its application was killed"
    return f"Livy says {state}: {causes[-1][:300]}" if causes else f"Livy says {state}"
