"""A memory in a journal, as the entry point has one, without a tracking store."""

from __future__ import annotations

from pathlib import Path

from cache.journal import Journal


class JournalMemory:
    """Remembers in a folder; counts what it is told."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.kept = []
        self.begun = []

    def open(self, cells):
        self.cells = cells
        self.journal = Journal(self.folder / cells.ground)

    def find(self, addresses):
        self.journal.refresh()
        return self.journal.find(addresses)

    def begin(self, addresses):
        self.begun += addresses
        self.journal.begin(addresses)

    def suspects(self):
        return self.journal.suspects()

    def keep(self, records, lost):
        self.kept += records
        self.journal.add(records, lost)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if hasattr(self, "journal"):
            self.journal.close()
