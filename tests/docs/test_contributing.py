"""CONTRIBUTING says of the rooms what the test of their imports holds them to."""

import re

from tests.docs.written import ROOT
from tests.test_imports import ENTRYPOINTS, FOR_ALL, MAY_IMPORT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()


def table(heading):
    rows = PAGE[PAGE.index(heading) :].split("\n\n")[0].splitlines()[2:]
    pairs = [row.strip("| ").split(" | ") for row in rows]
    return {room: set(names(allowed)) for rooms, allowed in pairs for room in names(rooms)}


def names(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_the_rooms_may_import_what_the_page_says():
    assert table("| room | may import |") == {room: MAY_IMPORT[room] for room in MAY_IMPORT.keys() - FOR_ALL}
    said = re.search(r"All of them may import (.*?)\.", PAGE)
    assert set(names(said[1])) == FOR_ALL


def test_the_rooms_of_the_commands_may_import_what_the_page_says():
    assert table("| room of `entrypoints/` | may import |") == ENTRYPOINTS
