"""The one-time run that the Jobs service is asked for: the driver's file, on what the configuration names.

Nothing is made ahead of it: a cluster installs the task's libraries before the task begins, serverless compute builds
the environment and keeps it. An image or a wheel of our own would have to be built, stored and kept up to date for the
same result.
"""

from __future__ import annotations

import re
from typing import Any

from databricks.sdk.service import compute, jobs

from backends.cluster.compute import Started
from backends.databricks_jobs.settings import DatabricksSettings
from backends.environment import Environment
from backends.failures import BackendError

_KEY = "gridfold"
_ON_CLUSTERS = {(13, 3): "3.10", (14, 3): "3.10", (15, 4): "3.11", (16, 4): "3.12", (17, 3): "3.12"}
_ON_SERVERLESS = {"1": "3.10", "2": "3.11", "3": "3.12", "4": "3.12"}
_FIT = {"3.10": "14.3.x-scala2.12", "3.11": "15.4.x-scala2.12", "3.12": "16.4.x-scala2.12"}


def run_of(started: Started, root: str, environment: Environment, settings: DatabricksSettings) -> dict[str, Any]:
    """Return the arguments of ``jobs.submit``: nothing in them is secret.

    Parameters
    ----------
    started : Started
    root : str
        The shared folder, as the driver has it mounted.
    environment : Environment
    settings : DatabricksSettings
    """
    script = jobs.SparkPythonTask(f"{root}/{started.driver}", parameters=[root, started.run_id])
    task = jobs.SubmitTask(_KEY, spark_python_task=script)  # one-time runs are not retried
    run = {
        "run_name": started.name,
        "idempotency_token": started.run_id,  # asked twice because the answer was lost, it is one run all the same
        "timeout_seconds": round(settings.timeout_minutes * 60),
        "tasks": [task],
    }
    if settings.serverless is not None:
        task.environment_key = _KEY
        spec = compute.Environment(
            environment_version=settings.serverless.environment_version, dependencies=list(environment.requirements)
        )
        return run | {"environments": [jobs.JobEnvironment(_KEY, spec)]}
    task.libraries = [compute.Library(pypi=compute.PythonPyPiLibrary(line)) for line in environment.requirements]
    if settings.new_cluster is not None:
        given = settings.new_cluster.model_dump(mode="json", exclude_none=True)
        task.new_cluster = compute.ClusterSpec.from_dict({key: value for key, value in given.items() if value != {}})
    else:
        task.existing_cluster_id = settings.existing_cluster_id
    return run


def runtime_version(spark_version: str) -> tuple[int, int] | None:
    """Return the Databricks Runtime's version in the key of that name, None for an image that is named otherwise."""
    match = re.match(r"(\d+)\.(\d+)\.", spark_version)
    return (int(match[1]), int(match[2])) if match else None


def require_python(environment: Environment, settings: DatabricksSettings, spark_version: str | None) -> None:
    """Refuse compute whose Python is known to be older than the one of conda.yaml.

    Parameters
    ----------
    environment : Environment
    settings : DatabricksSettings
    spark_version : str or None
        Of the cluster; None for serverless compute.

    Raises
    ------
    BackendError
        One line that names a version which fits.
    """
    if spark_version is None:
        version = settings.serverless.environment_version if settings.serverless else ""
        python, what = _ON_SERVERLESS.get(version), f"serverless environment {version}"
        fitting = next((key for key, known in _ON_SERVERLESS.items() if known == environment.python), "")
        advice = f"Set serverless.environment_version to '{fitting}'" if fitting else "Use a newer one"
    else:
        python, what = _newest_python(runtime_version(spark_version)), f"Databricks Runtime {spark_version}"
        advice = f"Use spark_version '{_FIT.get(environment.python, 'of a newer runtime')}'"
    if python is not None and _number(python) < _number(environment.python):
        raise BackendError(
            f"backend 'databricks-jobs': {what} has Python {python} at most, and conda.yaml asks for "
            f"{environment.python}. {advice}."
        )


def _newest_python(runtime: tuple[int, int] | None) -> str | None:
    """Return the Python that a runtime has at most, that of the next one that we know; None where that says nothing."""
    known = [each for each in _ON_CLUSTERS if runtime is not None and each >= runtime]
    return _ON_CLUSTERS[min(known)] if known else None


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
