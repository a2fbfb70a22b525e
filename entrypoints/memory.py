"""What a sweep knows before it begins: the fits of earlier ones.

The journal in the cache is asked first, since it is here and holds every fit to the last bit.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from cache import Cache
from cache.journal import Journal
from errors import TrackingError
from tracking import EntryRun
from tracking.children import JOURNAL
from tuning.cells import Cells, Record


class CellMemory:
    """Remembers fits in the journal; a context manager, to be left after the engine has come to rest.

    Parameters
    ----------
    run : EntryRun
        The sweep's own; it is told which cells it is about.
    reuse : bool
        Whether what is known may be used. What is fitted is written down in any case.
    """

    def __init__(self, run: EntryRun, reuse: bool) -> None:
        self._run, self._reuse = run, reuse
        self._journal: Journal | None = None
        self._said = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._journal is not None:
            self._journal.close()
            if self._journal.trouble:
                print(f"The journal could not be written whole ({self._journal.trouble}).", file=sys.stderr)

    def open(self, cells: Cells) -> None:
        """Open the journal of these rows."""
        self._journal = Journal(Cache.from_environment().root / "journal" / cells.ground)
        with suppress(TrackingError):  # the record's own affair
            self._run.set_tags({JOURNAL: cells.family})

    def find(self, addresses: Sequence[str]) -> Mapping[str, Record]:
        """Return what is known of `addresses`; the first time that it is something, say so."""
        assert self._journal is not None, "open() comes first"
        if not self._reuse:
            return {}
        self._journal.refresh()
        found = self._journal.find(addresses)
        if found and not self._said:
            self._said = True
            left = f"{len(addresses) - len(found):,} to do" if len(found) < len(addresses) else "none of them to do"
            print(f"journal  {self._journal.file}: {len(found):,} of {len(addresses):,} fits are known, {left}")
        return found

    def begin(self, addresses: Sequence[str]) -> None:
        """Write down that these fits begin."""
        assert self._journal is not None, "open() comes first"
        self._journal.begin(addresses)

    def suspects(self) -> Collection[str]:
        """Return what may have taken an earlier process down."""
        assert self._journal is not None, "open() comes first"
        return self._journal.suspects()

    def keep(self, records: Mapping[str, Record], lost: Collection[str]) -> None:
        """Write down what has ended."""
        assert self._journal is not None, "open() comes first"
        self._journal.add(records, lost)
