"""Links between the pages lead somewhere, in the repository as in the site; messages that are explained exist."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.written import PAGES, ROOT

ROOMS = ("backends", "cache", "entrypoints", "features", "release", "report", "sources", "tracking", "tuning")
NOT_OURS = {"Could not find Conda executable"}


def anchors(text: str) -> set[str]:
    """Return what GitHub, and mkdocs as we use it, call the headings."""
    text = re.sub(r"(?ms)^```.*?^```$", "", text)
    headings = re.findall(r"(?m)^#{1,6} (.+)$", text)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_a_file_and_a_heading(page):
    for link in re.findall(r"(?:\]\(|src=\")([^)\"#\s]*(?:#[^)\"\s]*)?)[)\"]", page.read_text("utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target.read_text("utf-8")), link


def test_every_page_is_in_the_table_of_contents():
    contents = (ROOT / "docs" / "README.md").read_text()
    missing = [page.name for page in (ROOT / "docs").glob("*.md") if f"({page.name}" not in contents]
    assert missing == ["README.md"]


def test_the_messages_that_are_explained_are_messages_of_ours():
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    explained = set(re.findall(r"(?m)^\| `([^`]+)`", page)) - NOT_OURS
    said = "\n".join(text for room in ROOMS for file in (ROOT / room).rglob("*.py") for text in strings(file))
    assert len(explained) > 40
    assert {each for each in explained if each not in said} == set()


def strings(file):
    """Yield the texts of a module, whole where the source breaks them over lines, values in them cut out."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
