"""A hand-written set of the seven files, small enough to be read here."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cache import Cache

SEVEN_FILES = {
    "gender_age_train": "device_id,gender,age,group\n-9223372036854775808,M,35,M32-38\n9007199254740993,F,22,F23-\n",
    "gender_age_test": "device_id\n1002079943728939269\n-1547860181818787117\n",
    "phone_brand_device_model": (
        "device_id,phone_brand,device_model\n"
        "-9223372036854775808,小米,红米note\n"
        "9007199254740993,samsung,Galaxy Note 2\n"
        "9007199254740993,samsung,Galaxy Note 2\n"
    ),
    "events": (
        "event_id,device_id,timestamp,longitude,latitude\n"
        "1,9007199254740993,2016-05-01 00:55:25,121.38,31.24\n"
        "2,-9223372036854775808,2016-04-30 23:59:59,0.00,0.00\n"
    ),
    "app_events": (
        "event_id,app_id,is_installed,is_active\n"
        "2,5927333115845830913,1,1\n"
        "2,-5720078949152207372,1,0\n"
        "2,-5720078949152207372,1,0\n"
    ),
    "app_labels": "app_id,label_id\n5927333115845830913,549\n-5720078949152207372,704\n",
    "label_categories": 'label_id,category\n1,\n549,Property Industry 1.0\n704,"free, and ""paid"""\n',
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The seven files, for the test to spoil."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name, text in SEVEN_FILES.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """An empty cache."""
    return Cache(tmp_path / "cache")


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB; only root may mount one."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount file systems")
    yield folder
    subprocess.run(["umount", folder], check=True)
