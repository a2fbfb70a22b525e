"""The synthetic source: seven generated tables in the place of seven files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cache import Cache
from sources.base import Identity, Written
from sources.digests import sha256_of
from sources.parquet import check_whole, write
from sources.progress import Progress
from sources.schema import TABLES
from sources.synthetic import generate
from sources.tables import TableRecord

KIND = "synthetic"


@dataclass(frozen=True)
class GeneratedSource:
    """Synthetic tables, true to the published facts of the real ones.

    Attributes
    ----------
    scale : float
        From 0.001 to 1.0, the size of the real data.
    seed : int
        The same seed gives the same tables.
    leak : bool
        Whether neighbouring training rows share their group more often than chance, as in the real file.
    """

    scale: float
    seed: int
    leak: bool

    @property
    def name(self) -> str:
        """What a person calls it."""
        return KIND

    def identity(self, cache: Cache) -> Identity:
        """Return what the generator was asked for."""
        return {"kind": KIND, "scale": self.scale, "seed": self.seed, "leak": self.leak}

    def write_tables(self, folder: Path, cache: Cache, progress: Progress) -> Written:
        """Generate the tables into `folder`."""
        records = {}
        with progress.step("Generating the tables", len(TABLES), "tables") as advance:
            for name, frame in generate(self.scale, self.seed, self.leak):
                path = folder / f"{name}.parquet"
                write(frame.lazy(), path)
                check_whole(TABLES[name], path, f"{KIND} {name}")
                records[name] = TableRecord(rows=frame.height, input=path.name, sha256=sha256_of(path))
                advance(1)
        return Written(self.identity(cache), records)
