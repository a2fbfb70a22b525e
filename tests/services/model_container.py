"""A model in the container that ``mlflow models build-docker`` makes of it.

The image that MLflow's Dockerfile begins with, ``python:X.Y.Z-slim``, comes from a registry. In its place, under its
name, stands one of Debian's own Python that knows how pip reaches its index; every line after the first is MLflow's.
There pip compiles nothing ahead: the one container that is ever started imports a tenth of what is installed.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from docker.models.containers import Container

from tests.services.docker_engine import BASE_IMAGE, DockerEngine, inside_network_of
from tests.services.startup import answers_http, wait_until

ADDRESS = "http://127.0.0.1:8080/invocations"
_BASE = f"python:{platform.python_version()}-slim"
_SECONDS_TO_START = 120
_STAND_IN = f"""\
FROM {BASE_IMAGE}
RUN python3 -m venv /opt/python
ENV PIP_COMPILE=0
ENV PATH=/opt/python/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY pip /etc/pip
"""
# The engine has no bridge, so RUN lines must use the machine's network, and MLflow gives docker no such option.
_DOCKER = """\
#!/bin/sh
[ "$1" = build ] && shift && set -- build --network host "$@"
exec {docker} "$@"
"""


def build(engine: DockerEngine, uri: str, name: str, pip: Mapping[str, Any]) -> None:
    """Make the image `name` of the model at `uri`, with `pip` as ``pip_settings.as_build`` gives it.

    Raises
    ------
    RuntimeError
        With the last that the command has said.
    """
    with tempfile.TemporaryDirectory() as scratch:
        _make_stand_in(engine, Path(scratch) / "base", pip)
        bin = Path(scratch) / "bin"
        bin.mkdir()
        (bin / "docker").write_text(_DOCKER.format(docker=shutil.which("docker")))
        (bin / "docker").chmod(0o755)
        made = subprocess.run(
            [sys.executable, "-m", "mlflow", "models", "build-docker", "-m", uri, "-n", name, "--env-manager", "local"],
            env={**os.environ, "PATH": f"{bin}:{os.environ['PATH']}", "DOCKER_HOST": f"unix://{engine.socket}"},
            cwd=scratch,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if made.returncode != 0:
            raise RuntimeError(f"build-docker failed: {made.stdout[-3000:]}")


def _make_stand_in(engine: DockerEngine, folder: Path, pip: Mapping[str, Any]) -> None:
    kept = folder / "pip"
    kept.mkdir(parents=True)
    variables = {name: os.environ[name] for name in pip["environment"]}
    for key, file, names in (("pip_config", "pip.conf", ["PIP_CONFIG_FILE"]), ("ca_bundle", "ca.pem", ["PIP_CERT"])):
        if source := pip.get(key):
            shutil.copy(source, kept / file)
            variables |= dict.fromkeys(names, f"/etc/pip/{file}")
    lines = "".join(f'ENV {name}="{value}"\n' for name, value in variables.items())
    (folder / "Dockerfile").write_text(_STAND_IN + lines)
    engine.client().images.build(path=str(folder), tag=_BASE, network_mode="host", rm=True)


@contextmanager
def running(engine: DockerEngine, image: str) -> Iterator[Container]:
    """Run the container until the end of the block; ``ADDRESS`` answers inside its network (``inside_network_of``)."""
    container = engine.client().containers.run(
        image,
        detach=True,
        network_mode="none",
        environment={"MLFLOW_MODELS_WORKERS": "1", "POLARS_MAX_THREADS": "1"},
    )
    try:
        with inside_network_of(container):
            wait_until(
                lambda: answers_http(ADDRESS.replace("invocations", "ping")),
                lambda: _is_up(container),
                lambda: container.logs().decode(),
                "the model's container",
                _SECONDS_TO_START,
            )
        yield container
    finally:
        container.remove(force=True)


def _is_up(container: Container) -> bool:
    container.reload()
    return bool(container.status == "running")
