"""A backend's JSON file is refused whole, in one line that names the key, or taken whole."""

import json
from pathlib import Path

import pytest
from pydantic import Field, model_validator

from backends import configuration
from backends.configuration import Settings
from backends.dsvm.settings import DsvmSettings
from backends.failures import BackendError

ROOM = Path(configuration.__file__).parent


class Inner(Settings):
    depth: int = 1


class Example(Settings):
    host: str
    """Where it is."""

    cores: int = Field(1, ge=1)
    """A whole number of cores."""

    inner: Inner = Inner()

    other: Inner | None = None

    @model_validator(mode="after")
    def _is_no_robot(self) -> "Example":
        if self.host == "robot":
            raise ValueError("robots are not served.")
        return self


def refusal(**given) -> str:
    with pytest.raises(BackendError) as caught:
        configuration.load(Example, given, "example")
    return str(caught.value)


def test_keys_that_mlflow_adds_and_the_schema_are_no_keys_of_ours():
    given = {"host": "h", "$schema": "x", "SYNCHRONOUS": False, "build_image": False, "ENV_MANAGER": None}
    assert configuration.load(Example, given, "example") == Example(host="h")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"hots": "h", "host": "h"}, "-c of backend 'example': hots: unknown key. Did you mean 'host'?"),
        (
            {"host": "h", "inner": {"zzz": 1}},
            "-c of backend 'example': inner.zzz: unknown key. Known keys here: depth.",
        ),
        (
            {"host": "h", "other": {"depht": 1}},
            "-c of backend 'example': other.depht: unknown key. Did you mean 'depth'?",
        ),
        ({"host": "robot"}, "-c of backend 'example': robots are not served."),
        ({"cores": 2}, "-c of backend 'example': host: the key is missing: Where it is."),
        ({"host": "h", "cores": 0}, "-c of backend 'example': cores: 0 will not do. A whole number of cores."),
        ({"host": "h", "cores": "x"}, "-c of backend 'example': cores: 'x' will not do. A whole number of cores."),
        ({}, "backend 'example' needs a configuration: add -c backends/example.json."),
    ],
)
def test_a_wrong_key_is_one_line(given, sentence):
    assert refusal(**given) == sentence


def test_the_example_file_and_its_schema_are_those_of_the_code():
    given = json.loads((ROOM / "dsvm.json").read_text())
    assert configuration.load(DsvmSettings, given, "dsvm").tunnel is True
    assert (ROOM / given["$schema"]).read_text() == configuration.schema(DsvmSettings, "dsvm")
