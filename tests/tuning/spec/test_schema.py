"""What editors know of a spec, and the reference, are made from the classes that read it."""

import json
from pathlib import Path

import jsonschema
import pytest

import yaml12
from tuning.spec import schema as module

SPECS = sorted(Path("spaces").glob("*.yaml"))
SCHEMA = module.schema()


def test_the_schema_and_the_reference_are_up_to_date():
    """Else: python -m tuning.spec.schema."""
    assert json.loads(module.SCHEMA.read_text()) == SCHEMA
    assert module.REFERENCE.read_text() == module.reference()


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_every_spec_of_the_project_fits_the_schema_and_names_it(path):
    text = path.read_text()
    assert text.startswith("# yaml-language-server: $schema=spec.schema.json\n")
    jsonschema.validate(yaml12.read(text), SCHEMA)


@pytest.mark.parametrize(
    "change",
    [
        {"estimater": "x"},
        {"estimator": 3},
        {"estimator": [{"a": "x.Y", "b": "x.Z"}]},
        {"cv": {"fold": 3}},
        {"search": {"strategy": "gird"}},
        {"search": {"strategy": "grid", "sed": 1}},
        {"budget": {"max_time": "soon"}},
        {"fixed": [1]},
    ],
)
def test_the_schema_refuses_what_no_spec_can_say(change):
    good = yaml12.read(Path("spaces/quick.yaml").read_text())
    jsonschema.validate(good, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**good, **change}, SCHEMA)


def test_every_key_has_a_description():
    for definition in [SCHEMA, *SCHEMA["$defs"].values()]:
        for name, part in definition.get("properties", {}).items():
            assert len(part.get("description", "")) > 8, name
