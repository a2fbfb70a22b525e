"""What a sweep knows before it begins: the fits of earlier ones.

The journal in the cache is asked first. What it does not know, another machine's sweep may have recorded in the
tracking store; that is written into the journal too, so the store is asked once.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from cache import Cache
from cache.journal import Journal
from cache.locks import HeldFile
from entrypoints.terminal.results import show_row
from errors import TrackingError
from tracking import EntryRun
from tracking.cells import StoredCells
from tracking.continued import FINGERPRINT, continue_earlier
from tracking.open_run import JOURNAL
from tuning.cells import Cells, Record

_LOOK_SECONDS = 0.3


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
        self._stored: StoredCells | None = None
        self._turn: HeldFile | None = None
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
        if self._turn is not None:
            self._turn.release()

    def open(self, cells: Cells) -> None:
        """Open the journal of these rows, once no other command is at the same sweep."""
        root = Cache.from_environment().root
        if self._reuse:
            self._turn = _turn(root / "sweeping" / self._run.tag(FINGERPRINT), self._run.run_id)
            self._run.end_abandoned()  # whose turn it was may have been killed
        self._journal = Journal(root / "journal" / cells.ground)
        self._run.patience.kept = str(self._journal.file)
        self._stored = StoredCells(self._run, cells.family)
        with suppress(TrackingError):  # the record's own affair
            earlier = continue_earlier(self._run) if self._reuse else None
            self._run.set_tags({JOURNAL: cells.family})
            if earlier:
                show_row("goes on", f"from run {earlier}, which was broken off")

    def find(self, addresses: Sequence[str]) -> Mapping[str, Record]:
        """Return what is known of `addresses`; the first time that it is something, say so."""
        assert self._journal is not None, "open() comes first"
        if not self._reuse:
            return {}
        self._journal.refresh()
        here = self._journal.find(addresses)
        there = self._from_store([address for address in addresses if address not in here])
        if there:
            self._journal.add(there)
        self._say(len(addresses), len(here), len(there))
        return here | there

    def _from_store(self, addresses: Sequence[str]) -> dict[str, Record]:
        """Ask the runs of the experiment; a store that does not answer now knows nothing."""
        if not addresses or self._stored is None:
            return {}
        try:
            return self._stored.find(addresses)
        except TrackingError as error:
            print(f"What other machines have fitted is not known: {error}", file=sys.stderr)
            self._stored = None
            return {}

    def _say(self, n_asked: int, n_here: int, n_there: int) -> None:
        if self._said or not n_here + n_there:
            return
        self._said = True
        assert self._journal is not None
        places = {f"in {self._journal.file}": n_here, "in the runs of this experiment": n_there}
        where = " and ".join(f"{n:,} {place}" for place, n in places.items() if n)
        show_row("known", f"{n_here + n_there:,} of {n_asked:,} fits: {where}")

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


class KnownCells:
    """What a plan may ask: the journal and the store as they are. It waits for nobody, and writes nothing.

    Parameters
    ----------
    run : EntryRun
        The plan's own; runs of its experiment are searched.
    """

    def __init__(self, run: EntryRun) -> None:
        self._run = run
        self._file = Path()
        self._stored: StoredCells | None = None

    def open(self, cells: Cells) -> None:
        """Find the journal of these rows."""
        self._file = Cache.from_environment().root / "journal" / cells.ground
        self._stored = StoredCells(self._run, cells.family)

    def find(self, addresses: Sequence[str]) -> Mapping[str, Record]:
        """Return what is known of `addresses`."""
        here: dict[str, Record] = {}
        if self._file.exists():
            journal = Journal(self._file)
            here = dict(journal.find(addresses))
            journal.close()
        left = [address for address in addresses if address not in here]
        with suppress(TrackingError):  # a store that does not answer now knows nothing
            here |= self._stored.find(left) if left and self._stored else {}
        return here

    def begin(self, addresses: Sequence[str]) -> None:
        """Nothing: a plan fits nothing that is kept."""

    def suspects(self) -> Collection[str]:
        """Return none."""
        return ()

    def keep(self, records: Mapping[str, Record], lost: Collection[str]) -> None:
        """Nothing."""


def _turn(path: Path, run_id: str) -> HeldFile | None:
    """Wait for another command that is at the same sweep; what it fits need not be fitted twice.

    Should it be killed, the wait is over as well. None where the cache cannot be written.
    """
    said = False
    with suppress(OSError):
        while (held := HeldFile.take(path, run_id)) is None:
            if not said:
                said = True
                show_row(
                    "waits",
                    f"for run {_holder(path)}, which is at the same sweep: what it fits is used here. "
                    "Use -P reuse=never to fit it twice.",
                )
            time.sleep(_LOOK_SECONDS)
        return held
    return None


def _holder(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="utf-8")
    return "of another command"
