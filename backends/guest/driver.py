"""The Spark application's main program: runs a project's command; its log and its ending go to the shared folder.

    driver.py PLACE RUN_ID

PLACE is the shared folder as the cluster sees it: a folder, or a JSON file with the ``address`` of a folder of Azure
blobs and the ``signature`` that opens it.
"""

from __future__ import annotations

import json
import os
import sys
import tarfile
import tempfile
import traceback
from io import BytesIO
from typing import Any

from .command import execute
from .folders import Blobs, Folder, open_place
from .mask import hide
from .pieces import Log
from .reach import UNREACHABLE, cannot_reach
from .signals import stoppable
from .spark import let_old_spark_pickle

INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Run the job; the exit code is the job's."""
    place, job = open_place(arguments[0]), f"jobs/{arguments[1]}"
    found = place.get(f"{job}/orders.json")
    if found is None:
        print("gridfold: there are no orders: they have been withdrawn, or another driver has taken them.")
        return 0
    place.remove(f"{job}/orders.json")  # a service that starts a job twice runs it once
    orders = json.loads(found)
    secrets: dict[str, str] = {}
    try:
        secrets = hidden(place, job, orders)
    except Exception as error:
        code, reason = 1, f"the job's secrets cannot be read: {type(error).__name__}: {' '.join(str(error).split())}"
    else:
        with Log(place, f"{job}/log", list(secrets.values())) as log:
            code, reason = run(place, job, orders, secrets)
        if code and not reason:
            reason = f"the job failed with exit status {code}: {log.last_line or 'it wrote no log'}"
    ending = {"exit_code": code, "reason": hide(reason, secrets.values())}
    place.put(f"{job}/ending.json", json.dumps(ending).encode())
    return code


def hidden(place: Folder | Blobs, job: str, orders: dict[str, Any]) -> dict[str, str]:
    """Return the secrets: those of the vault that the orders name, or of a file, which is taken away."""
    if "vault" in orders:
        from databricks.sdk.runtime import dbutils  # every Databricks runtime has it, clusters' and serverless

        opened: dict[str, str] = json.loads(dbutils.secrets.get(**orders["vault"]))
        return opened
    found: dict[str, str] = json.loads(place.get(f"{job}/secrets.json") or b"{}")
    place.remove(f"{job}/secrets.json")
    return found


def run(place: Folder | Blobs, job: str, orders: dict[str, Any], secrets: dict[str, str]) -> tuple[int, str]:
    """Do what the orders say; return exit code and reason, the latter empty where the log has it."""
    os.environ.update({**orders["environment"], **secrets})
    here = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="gridfold-job-", ignore_cleanup_errors=True) as scratch:
        if not os.access(os.path.expanduser("~"), os.W_OK):  # as YARN's users have it
            os.environ["HOME"] = scratch
        if problem := cannot_reach(os.environ.get("MLFLOW_TRACKING_URI", "")):
            return (
                UNREACHABLE,
                f"the tracking server cannot be reached from the cluster ({problem}). "
                "Name it as the cluster sees it, and open its port to the cluster.",
            )
        try:
            return work(place, job, orders, os.path.join(scratch, "project"))
        except KeyboardInterrupt:
            return INTERRUPTED, "interrupted."
        except BaseException as error:
            traceback.print_exc()
            return 1, f"the job failed: {type(error).__name__}: {' '.join(str(error).split())}"
        finally:
            os.chdir(here)


def work(place: Folder | Blobs, job: str, orders: dict[str, Any], folder: str) -> tuple[int, str]:
    """Unpack the project into `folder`, which is to be made, and execute the command there."""
    project = place.get(orders["project"])
    if project is None:
        return 1, f"the shared folder has no {orders['project']}; it was removed after the job was submitted."
    unpack(project, folder)
    os.chdir(folder)
    sys.path.insert(0, folder)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))
    let_old_spark_pickle()
    with stoppable(lambda: place.get(f"{job}/stop") is not None):
        return execute(orders["command"]), ""


def unpack(content: bytes, folder: str) -> None:
    """Unpack the project's archive."""
    with tarfile.open(fileobj=BytesIO(content)) as archive:
        if hasattr(tarfile, "data_filter"):  # since 3.11.4
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(folder)
