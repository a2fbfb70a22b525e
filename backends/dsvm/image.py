"""The image that holds the environment: made from conda.yaml once, on the VM, and named by what it was made from."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from docker.errors import APIError, ImageNotFound, NotFound

from backends import secrets
from backends.dsvm import streams
from backends.dsvm.engine import Engine, refusals
from backends.dsvm.settings import DsvmSettings
from backends.environment import Environment
from backends.failures import BackendError
from backends.messages import say

REPOSITORY = "gridfold-env"
LABEL = "gridfold"
PYTHON = "/opt/env/bin/python"
USER = "10001:10001"
_RECIPE = Path(__file__).with_name("build.sh")
_SCRATCH = "/run/gridfold"
_LONGEST_BUILD = 2 * 3600
_SECONDS_BETWEEN_STEPS = 300
_WORTH_SHOWING = ("Collecting ", "Building ", "Installing collected")
_MB = 1e6  # as docker images counts


def tag(environment: Environment, settings: DsvmSettings) -> str:
    """Return the name of the image for `environment`: the same content and recipe give the same name."""
    key = environment.digest(
        base=settings.base_image, gpu=bool(settings.gpus), recipe=_RECIPE.read_text(), commit=_kept_settings()
    )
    return f"{REPOSITORY}:{key}"


def prepare(engine: Engine, environment: Environment, settings: DsvmSettings) -> str:
    """Make the image unless the engine has it; return a sentence that says which, with its size.

    Raises
    ------
    BackendError
        The base image or a package cannot be had, the Python version is another, or the disk is full.
    """
    name = tag(environment, settings)
    with refusals(engine.place):
        verb = "reused" if _exists(engine, name) else "made"
        if verb == "made":
            _make(engine, name, environment, settings)
        size = engine.client.images.get(name).attrs["Size"] / _MB
    return f"{engine.place}: {verb} the environment's image {name} ({size:,.0f} MB)."


def _make(engine: Engine, name: str, environment: Environment, settings: DsvmSettings) -> None:
    variables = secrets.values(settings.build.environment, "dsvm")
    _have_base(engine, settings.base_image)
    builder = _begin(engine, name, settings)
    if builder is None:
        return
    began = time.monotonic()
    say(f"{engine.place}: making the environment's image {name} from conda.yaml; this is done once.")
    try:
        variables |= _hand_over(engine, builder.id, environment, settings)
        flavour = "gpu" if settings.gpus else "cpu"
        command = ["sh", "-c", _RECIPE.read_text(), "build.sh", environment.python, flavour]
        code, last = streams.execute(engine, builder.id, command, variables, show=_show)
        if code != 0:
            raise BackendError(f"{engine.place}: the image cannot be made: {explain(last)}")
        builder.commit(*name.split(":"), conf=_kept_settings())
    finally:
        _discard(builder)
    say(f"{engine.place}: made it in {time.monotonic() - began:.0f} s.")


def _have_base(engine: Engine, base: str) -> None:
    if _exists(engine, base):
        return
    say(f"{engine.place}: pulling {base}.")
    try:
        engine.client.images.pull(base)
    except (ImageNotFound, APIError) as error:
        if "no space left" in str(error).lower():
            raise
        said = " ".join(str(error.explanation or error).split())
        raise BackendError(f"{engine.place}: base_image '{base}' cannot be had there: {said}") from error


def _begin(engine: Engine, name: str, settings: DsvmSettings) -> Any | None:
    """Start the container that the image is made in; None if somebody else has made the image meanwhile.

    The container's name is the lock: the engine gives it once. It is removed by itself when its time is over, so that a
    builder whose maker has vanished blocks nobody for ever.
    """
    while True:
        try:
            return engine.client.containers.run(
                settings.base_image,
                [str(_LONGEST_BUILD)],
                entrypoint=["sleep"],
                name=name.replace(":", "-build-"),
                detach=True,
                auto_remove=True,
                user="0:0",
                network_mode=settings.network if settings.network != "none" else "bridge",
                tmpfs={_SCRATCH: "mode=0700,size=64m"},
                labels={LABEL: "build"},
            )
        except APIError as error:
            if error.status_code != 409:
                raise
        if not _wait_for_other(engine, name):
            return None


def _wait_for_other(engine: Engine, name: str) -> bool:
    """Wait for another maker of the same image; True if it has given up and we should try.

    It has given up if we see nothing done in its container for a while, by our own clock: the container's times are of
    another clock, and one that has yet to begin has none.
    """
    say(f"{engine.place}: the image is being made by another command; waiting for it.")
    idle, idle_since = None, 0.0
    while True:
        if _exists(engine, name):
            return False
        try:
            other = engine.client.containers.get(name.replace(":", "-build-"))
        except NotFound:
            return not _exists(engine, name)
        at_rest = None if other.attrs.get("ExecIDs") else other.id
        if at_rest is None or at_rest != idle:
            idle, idle_since = at_rest, time.monotonic()
        elif time.monotonic() - idle_since > _SECONDS_BETWEEN_STEPS and not _exists(engine, name):
            _discard(other)  # nobody works in it any more
            return True
        time.sleep(1)


def _hand_over(engine: Engine, builder: str, environment: Environment, settings: DsvmSettings) -> dict[str, str]:
    """Write pip's files into the builder's memory; return the variables that point to them."""
    build, variables = settings.build, {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    _put(engine, builder, "requirements.txt", "\n".join(environment.requirements).encode() + b"\n")
    if build.pip_config:
        _put(engine, builder, "pip.conf", build.pip_config.read_bytes())
        variables["PIP_CONFIG_FILE"] = f"{_SCRATCH}/pip.conf"
    if build.ca_bundle:
        _put(engine, builder, "ca.pem", build.ca_bundle.read_bytes())
        variables["PIP_CERT"] = variables["SSL_CERT_FILE"] = f"{_SCRATCH}/ca.pem"
    return variables


def _put(engine: Engine, builder: str, name: str, content: bytes) -> None:
    """Write through a process and not by ``put_archive``, which goes under the memory and so into the image."""
    command = ["sh", "-c", f"head -c {len(content)} > {_SCRATCH}/{name}"]
    code, last = streams.execute(engine, builder, command, {}, content)
    if code != 0:
        raise BackendError(f"{engine.place}: {name} cannot be handed over: {last[-1] if last else f'exit {code}'}")


def _kept_settings() -> Mapping[str, Any]:
    """Return what the image says about how to run it, in place of what the builder's container said."""
    return {
        "Env": ["PATH=/opt/env/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        "User": USER,
        "WorkingDir": "/project",
        "Entrypoint": [PYTHON],
        "Cmd": ["--version"],
        "Labels": {LABEL: "environment"},
    }


def explain(last: list[str]) -> str:
    """Say in one line why the recipe has failed, from the last lines that it wrote."""
    text = "\n".join(last)
    if "No space left on device" in text:
        return "its disk is full. Free some space there (docker system prune, or mlflow run . -e clean -b dsvm ...)."
    for line in last:
        if line.startswith("gridfold: "):
            return f"{line.removeprefix('gridfold: ')}. Choose another base_image."
    if match := re.search(r"No matching distribution found for (\S+)", text):
        return f"pip finds no {match[1]} for it. Is the name in conda.yaml right, and does the VM reach the index?"
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "pip does not trust the index's certificate. Name your CA file as build.ca_bundle."
    errors = [line for line in last if line.startswith("ERROR")]
    return (errors or last or ["it ended without a word"])[-1]


def _show(line: str) -> None:
    if line.startswith(_WORTH_SHOWING):
        say(f"  {line[:100]}")


def _exists(engine: Engine, name: str) -> bool:
    try:
        engine.client.images.get(name)
    except ImageNotFound:
        return False
    return True


def _discard(builder: Any) -> None:
    with suppress(APIError, OSError):  # gone already, or the connection is, and then its time runs out
        builder.remove(force=True)
