"""What the site needs beyond mkdocs: pages that lie outside ``docs/``, and the promise that none asks a network.

A reader of the repository follows ``../SECURITY.md``; the site has the same file beside its pages.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

TOP = Path(__file__).parents[1]
FROM_THE_TOP = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "promotion.yaml")
_LOADED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^\"'>\s]+")


def on_files(files: Files, config: Any) -> Files:
    """Put the files of the repository's top beside the pages; there their links into docs/ are links beside them."""
    for name in FROM_THE_TOP:
        content = (TOP / name).read_text("utf-8").replace("](docs/", "](")
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Let links to these files lead to where the site has them."""
    for name in FROM_THE_TOP:
        markdown = markdown.replace(f"](../{name}", f"]({name}")
    return markdown


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Refuse a page that would load anything from elsewhere."""
    if found := _LOADED.search(output):
        raise PluginError(f"{page.file.src_uri}: the page loads {found[0]}, and the site is to need no network.")
    return output
