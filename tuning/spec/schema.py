"""A JSON schema of specs, so that editors complete and explain, and the reference that is made from it.

    python -m tuning.spec.schema        # writes spaces/spec.schema.json and docs/spec.md

The schema is pydantic's, with what each class's docstring says of its attributes as the keys' descriptions, so that
there is one text to keep true. It says what a file may look like; whether it makes sense, ``SweepSpec.load`` says.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tuning.spec.sweep_spec import SweepSpec
from tuning.strategies import STRATEGIES

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "spaces" / "spec.schema.json"
REFERENCE = ROOT / "docs" / "spec.md"

_OPTIONS = {
    "candidates": "How many candidates to try.",
    "seed": "Of whatever is drawn; the same seed draws the same candidates.",
    "startup": "How many candidates are drawn at random before the others.",
    "batch": "How many candidates are proposed at once.",
    "patience": "The search ends after so many candidates, beyond the startup, without a better one; unset: never.",
    "sampler": "The library that proposes: optuna or hyperopt.",
    "min_folds": "Folds before a candidate may be dropped.",
    "level": "Confidence that a dropped candidate cannot win.",
    "factor": "One candidate in so many goes on, on so many times as much.",
    "resource": "What the first candidates get a share of: rounds or rows.",
    "min_share": "The smallest share allowed; the shares are powers of 1/factor.",
}
_OBJECT = {
    "type": "object",
    "required": ["class"],
    "properties": {"class": {"type": "string", "description": "The dotted path of a class."}},
    "description": "An object: its class, and parameters beside it, which may be objects again.",
}
_PATH = {"type": "string", "description": "The dotted path of a class, such as xgboost.XGBClassifier."}
_TIME = r"^\s*\d+(\.\d+)?\s*[smhd]?\s*$"
_WITH_UNITS = {
    "max_time": _TIME,
    "max_fit_time": _TIME,
    "max_memory": r"^\s*\d+(\.\d+)?\s*([KMG]i?B)?\s*$",
}

_FORMS = """\
## Values

A file is read as YAML 1.2 is: `1e-3` is a number, `no` and `12:30` are text, `0o17` is 15. Wherever a value may
stand:

| written | stands for |
| --- | --- |
| `{class: sklearn.svm.SVC, C: 2}` | an object with these parameters, which may be objects again |
| `sklearn.svm.SVC` | the same without parameters, as the estimator, a step, or an estimator's estimator |
| `{function: sklearn.feature_selection.chi2}` | a function |
| `{tuple: [25, 75]}` | a tuple, where scikit-learn insists on one |
| `passthrough` | no step at all, in the place of a step |
| `{1: 20, 2: 1}` | a mapping; its keys stay what they are, numbers or text |

Values in `grid` and under `choice` may be any of these, so that whole steps and estimators are chosen among. A step
is set before its own parameters: `{model: [sklearn.svm.SVC], model__C: [1, 2]}`.

## Steps

    estimator:
      - prepare:
          columns:
            - {columns: [age, income], do: sklearn.preprocessing.StandardScaler}
            - {columns: {dtype: text}, do: {class: sklearn.preprocessing.OneHotEncoder, handle_unknown: ignore}}
            - {columns: rest, do: passthrough}
      - model: sklearn.linear_model.LogisticRegression
    grid: {prepare__onehotencoder__min_frequency: [1, 10], model__C: [0.1, 1]}

`columns` takes names, `{dtype: text}`, `{dtype: number}` or `rest`; `do` takes an object, a list of steps, `drop` or
`passthrough`. A part is called by its class in small letters, or by a `name` beside `do`. `- columns: [...]` is short
for a step of that name. Steps with `fit_resample` (imbalanced-learn's, `pip install -e '.[imbalanced]'`) resample the
training rows of each fold.

## What may be named

Estimators, splitters and kernels of scikit-learn, and estimators of XGBoost, LightGBM, CatBoost and imbalanced-learn;
functions that only compute (of `sklearn.metrics`, `sklearn.feature_selection` and the like, `scipy.special`,
`scipy.stats`, `scipy.linalg`, `scipy.spatial.distance`, `numpy.linalg`, and ufuncs and reductions of `numpy`); and
whatever a module in the project's folder or beside the spec defines. Another library's estimator is named by way of
such a module: put `from skorch import NeuralNetClassifier` into `mymodels.py` and name
`mymodels.NeuralNetClassifier`. Nothing is imported before its name is allowed.

A spec is checked whole before any work, and all its mistakes are said at once, a line each: file, key, what, what to
do.
"""


def schema() -> dict[str, Any]:
    """Return the JSON schema of a spec."""
    made = SweepSpec.model_json_schema()
    definitions = made["$defs"]
    _describe(made, SweepSpec)
    for model in _models_in(SweepSpec):
        if model.__name__ in definitions:
            _describe(definitions[model.__name__], model)
    made["properties"]["estimator"] |= {"anyOf": [_PATH, _OBJECT, {"type": "array", "items": _step(), "minItems": 1}]}
    made["properties"]["refit"]["anyOf"].insert(0, {"type": "string"})
    made["properties"]["cv"] = {**made["properties"]["cv"], "anyOf": [made["properties"]["cv"], _OBJECT]}
    made["properties"]["cv"].pop("$ref", None)
    for name, pattern in _WITH_UNITS.items():
        definitions["Budget"]["properties"][name]["anyOf"].insert(0, {"type": "string", "pattern": pattern})
    definitions["SearchSpec"] = _search(definitions["SearchSpec"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A sweep spec", **_without_titles(made)}


def reference() -> str:
    """Return docs/spec.md, which says what the schema says."""
    made = schema()
    parts = [
        "# The reference of sweep specs",
        "Made from the classes that read a spec by `python -m tuning.spec.schema`, with `spaces/spec.schema.json`, by\n"
        "which editors complete and explain: specs begin with `# yaml-language-server: $schema=spec.schema.json`.\n"
        "[sweeps.md](sweeps.md) tells what the strategies do and what is exact.",
        "## Keys",
        _table(made),
    ]
    for name, definition in sorted(made["$defs"].items()):
        if "properties" in definition:
            parts += [f"### {_place_of(name, made)}", definition.get("description", ""), _table(definition)]
    return "\n\n".join(filter(None, parts)) + "\n\n" + _FORMS


def _step() -> dict[str, Any]:
    columns = {"type": "array", "items": {"type": "object", "required": ["columns", "do"]}}
    choices = [_PATH, _OBJECT, {"type": "object", "required": ["columns"], "properties": {"columns": columns}}, columns]
    return {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": {"anyOf": choices}}


def _search(made: dict[str, Any]) -> dict[str, Any]:
    """Put in what each strategy can be told; which options go with which strategy, their descriptions say."""
    properties = dict(made["properties"])
    properties["strategy"] |= {"enum": list(STRATEGIES)}
    for strategy, kind in STRATEGIES.items():
        for name, option in kind.Options.model_json_schema().get("properties", {}).items():
            known = properties.setdefault(name, {**option, "strategies": []})
            known["strategies"].append(strategy)
    for name, option in properties.items():
        if "strategies" in option:
            option["description"] = f"{_OPTIONS[name]} For {', '.join(option.pop('strategies'))}."
    return {**made, "properties": properties, "additionalProperties": False}


def _describe(made: dict[str, Any], model: type[BaseModel]) -> None:
    text = inspect.getdoc(model) or ""
    made["description"] = _plain(text.partition("\n\n")[0])
    for name, description in _attributes(text):
        for each in name.split(", "):
            if each in made.get("properties", {}):
                made["properties"][each]["description"] = description


def _attributes(docstring: str) -> Iterator[tuple[str, str]]:
    """Read the section Attributes of a numpydoc docstring: the names, and what stands below them."""
    section = docstring.partition("Attributes\n----------\n")[2]
    for names, below in re.findall(r"^(\w[\w, ]*) : .*\n((?:    .*\n?|\n)*)", section + "\n", re.MULTILINE):
        yield names, _plain(below)


def _plain(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _models_in(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for field in model.model_fields.values():
        for kind in _kinds_in(field.annotation):
            yield kind
            yield from _models_in(kind)


def _kinds_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _kinds_in(part)


def _without_titles(made: Any) -> Any:
    if isinstance(made, Mapping):
        return {
            key: _without_titles(part) for key, part in made.items() if not (key == "title" and isinstance(part, str))
        }
    return [_without_titles(part) for part in made] if isinstance(made, list) else made


def _table(definition: Mapping[str, Any]) -> str:
    required = definition.get("required", [])
    lines = ["| key | | default |", "| --- | --- | --- |"]
    for name, part in definition["properties"].items():
        default = "needed" if name in required else f"`{json.dumps(part.get('default'))}`"
        default = "" if default in ("`null`", "`{}`") else default
        description = part.get("description", "").replace("|", "\\|")
        lines.append(f"| `{name}` | {description} | {default} |")
    return "\n".join(lines)


def _place_of(name: str, made: Mapping[str, Any]) -> str:
    """Name the key under which a definition is used."""
    using = [key for key, part in made["properties"].items() if f'"#/$defs/{name}"' in json.dumps(part)]
    return f"Under `{using[0]}`" if using else name


def main() -> None:
    """Write the schema and the reference."""
    SCHEMA.write_text(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    REFERENCE.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
