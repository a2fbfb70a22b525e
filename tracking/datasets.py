"""Tables as MLflow dataset inputs: what a run has read, told by name, digest, source and schema.

We build the entities ourselves: ``mlflow.data.from_pandas`` would load each table to hash a sample of it, and the
manifest already has the SHA-256 of the whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mlflow.entities import Dataset, DatasetInput, InputTag

from masking import shown

_DIGEST_LIMIT = 36
_TYPES = {"int": "long", "uint": "long", "float": "double", "bool": "boolean", "date": "datetime"}


@dataclass(frozen=True)
class InputTable:
    """One table that a run has read.

    Attributes
    ----------
    name : str
    digest : str
        Hex digest of the content; MLflow keeps its first 36 characters.
    source : str
        Where it came from: a folder, a URL, ``synthetic``.
    n_rows : int
    columns : mapping of str to str
        Data types by column name, in Polars', pandas' or numpy's words.
    context : str
        What it was read for: ``ingest``, ``training``, ``holdout``.
    """

    name: str
    digest: str
    source: str
    n_rows: int
    columns: Mapping[str, str] = field(default_factory=dict)
    context: str = "ingest"


def as_inputs(tables: Iterable[InputTable]) -> list[DatasetInput]:
    """Return `tables` as MLflow's entities."""
    return [
        DatasetInput(
            Dataset(
                name=table.name,
                digest=table.digest[:_DIGEST_LIMIT],
                source_type=_source_type(table.source),
                source=json.dumps({"uri": shown(table.source)}),
                schema=_schema(table.columns),
                profile=json.dumps({"num_rows": table.n_rows}),
            ),
            tags=[InputTag("mlflow.data.context", table.context)],
        )
        for table in tables
    ]


def _source_type(source: str) -> str:
    scheme, separator, _ = source.partition("://")
    return scheme if separator and scheme != "file" else "local"


def _schema(columns: Mapping[str, str]) -> str:
    specs = [{"type": _mlflow_type(dtype), "name": name, "required": True} for name, dtype in columns.items()]
    return json.dumps({"mlflow_colspec": specs})


def _mlflow_type(dtype: str) -> str:
    lowered = dtype.lower()
    return next((ours for prefix, ours in _TYPES.items() if lowered.startswith(prefix)), "string")
