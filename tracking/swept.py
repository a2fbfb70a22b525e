"""Sweeps that have ended, read back from their runs, to be held against each other."""

from __future__ import annotations

import ast
import json
import shlex
import string
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.entities import Run

import yaml12
from errors import TrackingError
from tracking import store
from tracking.children import KEY, PARENT
from tracking.continued import FINGERPRINT
from tracking.heading import KIND, PLAN, SWEEP
from tracking.report import TABLE_FILE
from tracking.runs import EntryRun
from tuning.candidates import Candidate
from tuning.results.side_by_side import Swept

TARGET, CLASSES, FOLDS, TEST_SHARE = "sweep.target", "sweep.classes", "sweep.folds", "sweep.test_share"
CHOSEN_FROM = "choice.from"
"""On the run of a choice: the sweep's."""
SCORER, ROWS, VERSIONS, FEATURES_OF = "sweep.scorer", "sweep.rows", "sweep.versions", "sweep.features"
_DATA = ("data", "scale", "seed", "leak", "feature_sets", "min_devices", "holdout", "features", "groups", "weights")
_PLACE = {"mlflow.project.backend": "backend", "mlflow.source.git.commit": "commit", "mlflow.user": "user"}
_LONGEST = 300
_MOST = len(string.ascii_uppercase)


def read_sweeps(run: EntryRun, listed: str) -> list[Swept]:
    """Read the sweeps whose run ids are `listed`, with commas between them, from the store of `run`.

    Raises
    ------
    TrackingError
        There are not two or more different ones, or one is no sweep, was deleted or has not ended with a table.
    """
    ids = [each.strip().removeprefix("runs:/") for each in listed.split(",") if each.strip()]
    if len(ids) < 2 or len(ids) > _MOST:
        count = "one run alone has" if len(ids) == 1 else f"{len(ids)} runs have"
        raise TrackingError(
            f"-P runs={listed}: {count} no place here. Name two to {_MOST} finished sweeps: -P runs=ID,ID."
        )
    if twice := next((each for each in ids if ids.count(each) > 1), None):
        raise TrackingError(f"-P runs: {twice} is there twice. Name each sweep once.")
    return [_read(run, run_id, label) for run_id, label in zip(ids, string.ascii_uppercase, strict=False)]


def _read(run: EntryRun, run_id: str, label: str) -> Swept:
    swept = _sweep(run, run_id)
    tags = swept.data.tags
    with tempfile.TemporaryDirectory() as folder:
        table = pd.read_csv(run.fetch_file(run_id, TABLE_FILE, Path(folder)))
        spec = _spec(run, swept, Path(folder))
    own = [_params(text) for text in table["params"]]
    fixed = spec.get("fixed") or {}
    scorer = tags.get(SCORER) or _scorer(swept, table)
    target = tags.get(TARGET) or _value(swept, "target") or "group"
    classes = tags.get(CLASSES, "")
    n_folds = sum(str(name).startswith("split") for name in table.columns) or 2
    return Swept(
        label,
        run_id,
        swept.info.run_name or run_id,
        scorer,
        f"'{target}'" + (f" of the labels {classes}" if classes else ""),
        tags.get(FOLDS, ""),
        float(tags.get(TEST_SHARE, 1 / max(1, n_folds - 1))),
        (swept.info.end_time - swept.info.start_time) / 1000,
        table,
        [{**fixed, **params} for params in own],
        _best(table, own, tags.get(f"best.{KEY}", ""), scorer),
        _about(swept, spec),
    )


def _sweep(run: EntryRun, run_id: str) -> Run:
    """Return the run, if it is a sweep's that has left a table."""
    if not run.knows(run_id):
        raise TrackingError(f"-P runs: there is no run {run_id} in this store. Copy the id from the sweep's page.")
    with store.refusals(f"read the run {run_id}"):
        found = run.client.get_run(run_id)
    tags, status = found.data.tags, found.info.status
    if found.info.lifecycle_stage == "deleted":
        raise TrackingError(
            f"-P runs: {run_id} was deleted. Bring it back (mlflow runs restore --run-id {run_id}), or leave it out."
        )
    if PARENT in tags:
        raise TrackingError(f"-P runs: {run_id} is a candidate. Name the sweep that it belongs to, {tags[PARENT]}.")
    if tags.get(KIND) == PLAN or (FINGERPRINT not in tags and tags.get(KIND) != SWEEP):
        what = "the plan of a sweep" if tags.get(KIND) == PLAN else "no sweep"
        raise TrackingError(f"-P runs: {run_id} ({found.info.run_name}) is {what}. Name the run of a sweep.")
    if status in ("RUNNING", "SCHEDULED") or not run.has_artifact(run_id, TABLE_FILE):
        how = "is still going on" if status in ("RUNNING", "SCHEDULED") else f"ended {status} without a table"
        raise TrackingError(f"-P runs: the sweep {run_id} {how}. Compare it when it is whole, or leave it out.")
    return found


def _spec(run: EntryRun, swept: Run, folder: Path) -> Mapping[str, Any]:
    """Read the file that the run has kept of its spec; empty where there is none that can be read."""
    name = Path(_value(swept, "space")).name
    try:
        if name and run.has_artifact(swept.info.run_id, name):
            read = yaml12.read(run.fetch_file(swept.info.run_id, name, folder).read_text(encoding="utf-8"))
            return dict(read) if isinstance(read, dict) and isinstance(read.get("fixed", {}), dict) else {}
    except (OSError, yaml12.YamlError, UnicodeDecodeError):
        pass
    return {}


def _value(swept: Run, name: str) -> str:
    return as_typed(str(swept.data.params.get(name, "")))


def as_typed(value: str) -> str:
    """Return a param without the quotes that ``mlflow run`` has put around it for the shell, and then logged."""
    if len(value) < 2 or value[0] != value[-1]:
        return value
    if value[0] == "'":
        return shlex.split(value)[0]
    return value[1:-1] if value[0] == '"' else value  # cmd's, of Windows


def _params(text: str) -> dict[str, Any]:
    """Read a cell of the column ``params``; what Python does not read stays the text that it is."""
    try:
        read = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        read = None
    return read if isinstance(read, dict) else {"params": text}


def _scorer(swept: Run, table: pd.DataFrame) -> str:
    """Find the deciding scorer of a run that does not name it: the one whose metric the run has, or the first."""
    names = [name.removeprefix("mean_test_") for name in map(str, table.columns) if name.startswith("mean_test_")]
    if names != ["score"]:
        return names[0]
    known = (str(name) for name in swept.data.metrics)
    return next((name.removeprefix("best_") for name in known if name.startswith("best_")), "score")


def _best(table: pd.DataFrame, params: Sequence[Mapping[str, Any]], key: str, scorer: str) -> int:
    """Find the row of the winner: by its key, since a rule may choose another than the highest mean."""
    for row, each in enumerate(params):
        if key and Candidate(each).key == key:
            return row
    name = "mean_test_score" if "mean_test_score" in table else f"mean_test_{scorer}"
    return int(np.nanargmax(table[name].to_numpy(np.float64)))


def _about(swept: Run, spec: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Gather what may differ from other sweeps."""
    tags = swept.data.tags
    data = {name: _value(swept, name) for name in _DATA}
    place = {"engine": _value(swept, "engine")} | {name: tags.get(tag, "") for tag, name in _PLACE.items()}
    known = json.loads(tags.get(VERSIONS, "{}"))
    return {
        "spec": dict(_flat(spec)),
        "data": data | {"rows": tags.get(ROWS, ""), "fingerprint": tags.get(FEATURES_OF, "")},
        "place": place,
        "versions": {str(name): str(version) for name, version in known.items()},
    }


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Write nested mappings as dotted names, and what they hold as JSON."""
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from _flat(part, f"{name}.{key}" if name else str(key))
    elif name:
        yield name, store.text(value if isinstance(value, str) else json.dumps(value, default=str), _LONGEST)
