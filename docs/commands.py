"""Write docs/commands.md from the entry points themselves, so that it says what they take.

    python docs/commands.py            # tests/docs/test_commands.py holds the page to it

What a parameter must be comes from its model, as in ``--help``; what stands here is where to read more.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "commands.md"
MORE = {
    "data": "data.md",
    "scale": "synthetic.md",
    "leak": "synthetic.md",
    "feature_sets": "features.md",
    "min_devices": "features.md#fewer-columns",
    "features": "own-data.md",
    "target": "own-data.md#several-targets",
    "space": "sweeps.md",
    "engine": "spark.md",
    "master": "spark.md",
    "verify": "sweeps.md#what-is-exact",
    "reuse": "journal.md",
    "plan": "planning.md",
    "backends": "planning.md",
    "record_wait": "runs.md#when-the-store-is-away",
    "rule": "choose.md",
    "gates": "production.md",
    "labels": "production.md#drift-and-how-good-it-turned-out",
    "runs": "runs.md#compare-sweeps",
}
EXAMPLES = {
    "sweep": ["-P features=mine.parquet -P target=label -P space=spaces/logistic.yaml", "-P plan=true"],
    "ingest": ["-P data=DIR"],
    "featurize": ["-P data=DIR -P feature_sets=all"],
    "sync": [""],
    "choose": ["-P run=RUN -P rule=one_standard_error"],
    "score": ["-P model=models:/demographics@champion -P data=DIR -P output=submission.csv"],
    "compare": ["-P runs=RUN,RUN"],
    "promote": ["-P model=demographics"],
    "backends": [""],
}
REMOTE = {
    "prepare": "Make the environment that a backend's jobs run in, so that the first job starts sooner.",
    "clean": "Remove what a backend keeps: environments, project files, caches.",
}
OPENING = """# Commands

    mlflow run . -e COMMAND --env-manager local -P NAME=VALUE ...

Every parameter has a default. `mlflow run .` without `-e` is a sweep. Add `-b` and `-c` to run a command
[on a bigger machine](backends.md). `--env-manager` is explained in [environments](environments.md).
`python -m entrypoints.COMMAND --help` prints the same in the terminal.

Made from the commands themselves by `python docs/commands.py`.
"""


def page() -> str:
    """Return docs/commands.md."""
    names = [name for name in yaml.safe_load((ROOT / "MLproject").read_text("utf-8"))["entry_points"] if name != "main"]
    return "\n".join([OPENING, *(_section(name) for name in names)])


def _section(name: str) -> str:
    if name in REMOTE:
        command = f"    mlflow run . -e {name} -b dsvm -c backends/dsvm.json"
        return f"## {name}\n\n{REMOTE[name]}\n\n{command}\n"
    point = getattr(importlib.import_module(f"entrypoints.{name}"), name)
    examples = [f"    mlflow run . -e {name} --env-manager local {given}".rstrip() for given in EXAMPLES[name]]
    about = " ".join(inspect.cleandoc(point.__doc__).split())
    rows = [
        f"| `{parameter}` | {_default(field.default)} | {_about(parameter, field)} |"
        for parameter, field in sorted(point.model.model_fields.items(), key=lambda each: each[0] == "debug")
    ]
    table = ["| parameter | default | is |", "| --- | --- | --- |", *rows]
    return "\n".join([f"## {name}", "", about, "", *examples, "", *table, ""])


def _about(parameter: str, field: Any) -> str:
    said = str(field.description).replace("|", "\\|")
    return f"{said} ([more]({MORE[parameter]}))" if parameter in MORE else said


def _default(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value == "":
        return ""
    return f"`{int(value) if isinstance(value, float) and value.is_integer() else value}`"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    PAGE.write_text(page(), "utf-8")
