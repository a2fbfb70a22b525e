"""Cells in the tracking store: what one machine has fitted, another need not.

A child run carries the cells of its candidate in tags, each scored to the last bit: metrics would do for most scores,
but databases have no infinity, and the shares and errors of a cell are no metrics. Children carry the tag of their
sweep's family as well, so that all that may help is found by one search, a page at a time, newest first. Curves of
early stopping are too long for tags and are read from the child's file of them.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mlflow.entities import Run

from tracking import store
from tracking.client import briefly_patient
from tracking.open_run import JOURNAL
from tracking.runs import EntryRun
from tuning.cells import Record, to_record
from tuning.results.fold_score import FoldScore

CELLS = "candidate.cells"
SHARED = "candidate.shared"
CURVES_FILE = "curves.csv"
_PAGE = 500
_MOST_PAGES = 40
_SAID_ONCE = ("params", "shared")  # of the whole candidate, in tags of their own


def cells_of(scores: Iterable[FoldScore]) -> dict[str, dict[str, Any]]:
    """Return what a child is to carry of `scores`, by address; of lost fits nothing."""
    found = {}
    for score in scores:
        if score.cell and not score.lost:
            record = {name: value for name, value in to_record(score).items() if name not in _SAID_ONCE}
            found[score.cell] = record | ({"curves": True} if score.curves else {})
    return found


def cell_tags(cells: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Write `cells` as tags, as many as their length needs."""
    parts: list[list[str]] = [[]]
    room = store.TAG_LIMIT
    for address, record in cells.items():
        text = f"{json.dumps(address)}:{json.dumps(record, separators=(',', ':'))}"
        if len(text) + 2 > store.TAG_LIMIT:
            continue  # an error of thousands of characters: fitted again rather than cut
        if len(text) + 2 > room:
            parts.append([])
            room = store.TAG_LIMIT
        parts[-1].append(text)
        room -= len(text) + 2
    names = (f"{CELLS}.{place}" if place else CELLS for place in range(len(parts)))
    return {name: "{" + ",".join(part) + "}" for name, part in zip(names, parts, strict=True) if part}


class StoredCells:
    """The cells of a family that the runs of an experiment carry; read as far as what is asked for needs.

    Parameters
    ----------
    run : EntryRun
        Of the sweep that asks; runs of its experiment are searched.
    family : str
    """

    def __init__(self, run: EntryRun, family: str) -> None:
        self._client, self._experiment_id = briefly_patient(run.client), run.experiment_id
        self._known: dict[str, tuple[str, Record]] = {}
        self._pages = self._each_page(family)

    def find(self, addresses: Iterable[str]) -> dict[str, Record]:
        """Return the records of those `addresses` that some run carries.

        Raises
        ------
        TrackingError
            The store refuses.
        """
        wanted = set(addresses)
        while not wanted <= self._known.keys():
            page = next(self._pages, None)
            if page is None:
                break
            for run in page:
                for address, record in _cells_in(run):
                    self._known.setdefault(address, (run.info.run_id, record))
        return self._with_curves({each: self._known[each] for each in wanted if each in self._known})

    def _each_page(self, family: str) -> Iterator[list[Run]]:
        token = None
        for _ in range(_MOST_PAGES):
            with store.refusals("look for what is known of this sweep"):
                page = self._client.search_runs(
                    [self._experiment_id],
                    f"tags.`{JOURNAL}` = '{family}'",
                    max_results=_PAGE,
                    order_by=["attributes.start_time DESC"],
                    page_token=token,
                )
            yield list(page)
            token = page.token
            if not token:
                return

    def _with_curves(self, found: Mapping[str, tuple[str, Record]]) -> dict[str, Record]:
        """Read the files of those runs whose cells have curves; a cell whose curves are not there is not known."""
        files: dict[str, Mapping[str, list[float]]] = {}
        whole: dict[str, Record] = {}
        for address, (run_id, record) in found.items():
            if not record.get("curves"):
                whole[address] = record
                continue
            if run_id not in files:
                files[run_id] = self._curves(run_id)
            begins = f"split{record.get('fold')}_"
            curves = {
                scorer: files[run_id][begins + scorer]
                for scorer in record.get("scores", {})
                if begins + scorer in files[run_id]
            }
            if curves.keys() == record.get("scores", {}).keys():
                whole[address] = {**record, "curves": curves}
        return whole

    def _curves(self, run_id: str) -> Mapping[str, list[float]]:
        with store.refusals(f"read {CURVES_FILE} of the run {run_id}"), tempfile.TemporaryDirectory() as folder:
            if not any(found.path == CURVES_FILE for found in self._client.list_artifacts(run_id)):
                return {}
            fetched = self._client.download_artifacts(run_id, CURVES_FILE, folder)
            text = Path(fetched).read_text(encoding="utf-8")
        names, *rows = csv.reader(io.StringIO(text))
        columns = zip(names, zip(*rows, strict=True), strict=True)  # of unequal length: the shorter ones end in blanks
        return {name: [float(value) for value in values if value] for name, values in columns}


def _cells_in(run: Run) -> Iterator[tuple[str, Record]]:
    """Yield what a run's tags say; what is not written by us says nothing."""
    tags = run.data.tags
    for name, text in tags.items():
        if name == CELLS or name.startswith(f"{CELLS}."):
            try:
                cells = dict(json.loads(text))
            except (ValueError, TypeError):
                continue
            for address, record in cells.items():
                if isinstance(record, dict):
                    yield address, {**record, "shared": tags.get(SHARED, "")}
