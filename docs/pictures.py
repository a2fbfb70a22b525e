"""Make the pictures of the docs from a real sweep and a real browser.

    pip install selenium && python docs/pictures.py [sweeps] [production]

Needs Chromium and its driver (Debian: ``apt-get install chromium chromium-driver``). It starts an MLflow server of its
own, lets ``mlflow run`` record there what the page tells, opens what a person would open, and writes what the browser
shows, with the sweep's own plots, to ``docs/pictures/``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mlflow import MlflowClient
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
WIDTH = 1000
WINDOW = "--window-size=1300,900"
SECONDS_TO_APPEAR = 60
SECONDS_TO_SETTLE = 4


def main() -> None:
    """Make the pictures of the pages that are asked for, by default of all."""
    sys.path.insert(0, str(ROOT))
    from tests.services import mlflow_server

    PICTURES.mkdir(exist_ok=True)
    for page in sys.argv[1:] or PAGES:
        with tempfile.TemporaryDirectory() as scratch, mlflow_server.running(Path(scratch)) as server:
            PAGES[page](server, Path(scratch))


def of_a_sweep(server: str, scratch: Path) -> None:
    """Record the quick sweep, look at it, and keep what is seen."""
    run(server, scratch, "sweep")
    client = MlflowClient(server)
    (parent,) = client.search_runs(["0"], "tags.`sweep.fingerprint` != ''")
    plots = client.download_artifacts(parent.info.run_id, "plots", str(scratch))
    for name in ("candidates.png", "parameters.png"):
        keep(Image.open(Path(plots) / name), name)
    page = Path(client.download_artifacts(parent.info.run_id, "report.html", str(scratch)))
    browse(server, parent.info.run_id, page)


def of_production(server: str, scratch: Path) -> None:
    """Do what docs/production.md tells, and look at the model, its new champion's card and the promotion."""
    run(server, scratch, "sweep", "scale=0.1", "feature_sets=brand_model")
    run(server, scratch, "promote", "reason=the first that we have")
    run(server, scratch, "sweep", "scale=0.1", "feature_sets=all", "space=spaces/logistic.yaml")
    run(server, scratch, "promote", "reason=it knows the apps")
    client = MlflowClient(server)
    champion = client.get_model_version_by_alias("demographics", "champion")
    browser = open_browser()
    try:
        browser.get(f"{server}/#/models/demographics")
        click(browser, "//*[text()='Model training']")
        browser.get(f"{server}/#/models/demographics")
        click(browser, "//button[@aria-label='Close']")  # the assistant's panel
        shoot(browser, "model.png", 1300, 900)
        browser.get(f"{server}/#/models/demographics/versions/{champion.version}")
        shoot(browser, "version.png", 1300, 1300)
        browser.get(f"{server}/#/experiments/0/runs/{champion.tags['promotion.run']}")
        shoot(browser, "promotion.png", 1300, 1000)
    finally:
        browser.quit()
    run(server, scratch, "promote", "rollback=true", "reason=too slow on Mondays")


def run(server: str, scratch: Path, entry_point: str, *parameters: str) -> None:
    """Start an entry point as a person would."""
    given = [word for parameter in parameters for word in ("-P", parameter)]
    command = ["mlflow", "run", ".", "-e", entry_point, "--env-manager", "local", *given]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": server, "SWEEP_CACHE": str(scratch / "cache")}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def browse(server: str, parent: str, page: Path) -> None:
    """Open the sweep's pages one after the other, and the report beside them."""
    browser = open_browser()
    try:
        runs, face = f"{server}/#/experiments/0/runs", "workflowType=machine_learning"
        browser.get(f"{runs}?{face}&viewStateShareKey=gridfold-sweeps")
        click(browser, "//button[@aria-label='Close']")  # the assistant's panel
        shoot(browser, "runs.png", 1300, 700)
        browser.get(f"{runs}/{parent}?{face}")
        click(browser, "//*[text()='Show more']")
        shoot(browser, "sweep.png", 1300, 1900)
        browser.get(f"{runs}?{face}&compareRunsMode=CHART&viewStateShareKey={parent[:8]}")
        shoot(browser, "compare.png", 1300, 1100)
        browser.get(f"{page.as_uri()}#candidates")
        shoot(browser, "report.png", 1200, 1100)
    finally:
        browser.quit()


def open_browser() -> webdriver.Chrome:
    """Start Chromium without a window."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", WINDOW):
        options.add_argument(argument)
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


def click(browser: webdriver.Chrome, xpath: str) -> None:
    """Click the first element that `xpath` finds, once it is there."""
    found = expected_conditions.presence_of_element_located((By.XPATH, xpath))
    browser.execute_script("arguments[0].click()", WebDriverWait(browser, SECONDS_TO_APPEAR).until(found))
    time.sleep(SECONDS_TO_SETTLE)


def shoot(browser: webdriver.Chrome, name: str, width: int, height: int) -> None:
    """Keep what the browser shows once the page has loaded and its charts stand still."""
    browser.set_window_size(width, height)
    loaded = expected_conditions.presence_of_element_located((By.XPATH, "//h1 | //h2"))
    WebDriverWait(browser, SECONDS_TO_APPEAR).until(loaded)
    time.sleep(SECONDS_TO_SETTLE)
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        browser.save_screenshot(file.name)
        keep(Image.open(file.name), name)


def keep(picture: Image.Image, name: str) -> None:
    """Write a picture small enough for a repository: as wide as a page, with 128 colours."""
    picture = picture.convert("RGB")
    if picture.width > WIDTH:
        picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
    picture.quantize(128).save(PICTURES / name, optimize=True)


PAGES = {"sweeps": of_a_sweep, "production": of_production}

if __name__ == "__main__":
    main()
