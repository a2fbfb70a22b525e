"""Chromium without a window, driven by selenium, and axe-core, which knows what a page owes to those who cannot see it.

By hand, a picture of a page at a phone's width:

    python -m tests.services.browser ADDRESS picture.png 360

Debian: ``apt-get install chromium chromium-driver``, ``pip install selenium`` and ``npm install axe-core``;
``GRIDFOLD_AXE`` names the latter's ``axe.min.js``.

The browser has a fresh profile, and no way out of this machine: what asks for another host's address gets none.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

_SECONDS_TO_APPEAR = 60
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def missing() -> str:
    """Say what a test with a browser lacks on this machine; empty where nothing is missing."""
    if lacking := [name for name in ("chromium", "chromedriver") if not shutil.which(name)]:
        return f"{' and '.join(lacking)} not installed (apt-get install chromium chromium-driver)"
    if find_spec("selenium") is None:
        return "selenium is not installed (pip install selenium)"
    return "" if _axe().is_file() else "axe-core is not installed (npm install axe-core, GRIDFOLD_AXE=its axe.min.js)"


@contextmanager
def running(width: int = 1300, height: int = 900) -> Iterator[Chrome]:
    """Run a browser for the length of the block.

    Parameters
    ----------
    width, height : int
        Of what is seen of a page, in pixels.
    """
    from selenium import webdriver

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.binary_location = str(shutil.which("chromium"))
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
        try:
            browser.set_page_load_timeout(_SECONDS_TO_APPEAR)
            resize(browser, width, height)
            yield browser
        finally:
            browser.quit()


def resize(browser: Chrome, width: int, height: int) -> None:
    """Give the page so many pixels; a window cannot be as narrow as a phone, so the page is told instead."""
    screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)


def wait_for(browser: Chrome, what: str | Callable[[Chrome], Any], seconds: float = _SECONDS_TO_APPEAR) -> Any:
    """Wait until there is something, and return it: a CSS selector's first element, or what a function finds."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    if isinstance(what, str):
        selector = what
        return WebDriverWait(browser, seconds).until(lambda page: page.find_element(By.CSS_SELECTOR, selector))
    return WebDriverWait(browser, seconds).until(what)


def complaints(browser: Chrome) -> list[str]:
    """Return the errors that the page has written to its console since it was last asked."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def violations(browser: Chrome) -> list[str]:
    """Return what axe-core finds wrong with the open page: a line each, with the element."""
    browser.execute_script(_axe().read_text(encoding="utf-8"))
    found = browser.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run({resultTypes: ['violations']}).then(found => done(JSON.stringify(found.violations)), done)"
    )
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {node['html'][:200]}"
        for rule in json.loads(found)
        for node in rule["nodes"]
    ]


def _axe() -> Path:
    return Path(os.environ.get("GRIDFOLD_AXE") or "node_modules/axe-core/axe.min.js")


if __name__ == "__main__":
    address, picture, width = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with running(width) as opened:
        opened.get(address)
        opened.save_screenshot(picture)
