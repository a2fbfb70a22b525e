"""Where the seven tables come from: Azure Blob, a folder, or the synthetic generator; their schema and checks.

``source_from`` finds the source that a person named, ``ingest`` brings its tables into the cache. What a source must do
is written in ``sources.base.Source``; a new kind is one module and one line in ``sources.registry``.
"""

from sources.base import Source, Written
from sources.ingest import ingest
from sources.progress import Progress, Silence, to_terminal
from sources.registry import source_from
from sources.tables import Manifest, TableRecord, Tables

__all__ = [
    "Manifest",
    "Progress",
    "Silence",
    "Source",
    "TableRecord",
    "Tables",
    "Written",
    "ingest",
    "source_from",
    "to_terminal",
]
