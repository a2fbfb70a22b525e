"""Ranges are fetched once each, whatever happens in between, and only what is whole and right is published."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceModifiedError
from azure.storage.blob import ContentSettings

from cache import Cache
from errors import CacheError, SourceError
from sources import Silence
from sources.azure_blob.download import PUBLISHED, UNFINISHED, Blob, download

pytestmark = pytest.mark.disturbs

RANGE = 1000
CONTENT = random.Random(0).randbytes(20 * RANGE + 1)
RANGES = 21


class StopsAfter:
    """A progress view that does something when so many ranges are there; threads with later ranges wait for it."""

    def __init__(self, ranges: int, stop) -> None:
        self._left = ranges
        self._stop = stop
        self._lock = threading.Lock()

    @contextmanager
    def step(self, title, total, unit):
        def advance(amount):
            with self._lock:
                self._left -= 1
                if self._left == 0:
                    self._stop()
            if self._left < 0:
                time.sleep(0.2)  # the download is told of a failure meanwhile

        yield advance


@pytest.fixture
def blob(container):
    """Twenty-one ranges of random bytes."""
    return uploaded(container, CONTENT)


def uploaded(container, content, name="events.csv", **settings):
    client = container.upload_blob(name, content, overwrite=True)
    if settings:
        client.set_http_headers(ContentSettings(**settings))
    properties = client.get_blob_properties()
    md5 = properties.content_settings.content_md5
    return Blob(f"wasbs://x/{name}", name, properties.etag, properties.size, bytes(md5).hex() if md5 else None)


@pytest.fixture
def ranges_served(azurite, container):
    """A function that returns the size of every range of this test's blobs that the server has sent."""

    def ranges_served():
        return [
            request.bytes
            for request in azurite.requests()
            if container.container_name in request.path and request.method == "GET" and request.status == 206
        ]

    return ranges_served


def interrupt():
    raise KeyboardInterrupt


def test_every_byte_is_asked_for_once(container, blob, cache, ranges_served):
    [downloaded] = download(container, [blob], cache, Silence(), RANGE)
    assert downloaded.path.read_bytes() == CONTENT
    assert sorted(ranges_served()) == [1] + [RANGE] * 20


def test_ranges_of_several_blobs_are_fetched_at_once(container, blob, cache):
    other = uploaded(container, CONTENT[::-1], "app_events.csv")
    downloaded = download(container, [blob, other], cache, Silence(), RANGE)
    assert [item.path.read_bytes() for item in downloaded] == [CONTENT, CONTENT[::-1]]


def test_an_interrupted_download_goes_on_where_it_stopped(container, blob, cache, ranges_served):
    with pytest.raises(KeyboardInterrupt):
        download(container, [blob], cache, StopsAfter(6, interrupt), RANGE)
    before = len(ranges_served())
    assert 6 <= before < RANGES
    assert not list(cache.root.glob(f"{PUBLISHED}/*"))

    [downloaded] = download(container, [blob], cache, Silence(), RANGE)
    assert downloaded.path.read_bytes() == CONTENT
    assert sum(ranges_served()) <= len(CONTENT) + RANGE  # the range whose end raised was not asked for again, either


KILLED = """
import os, signal, sys
from pathlib import Path
from azure.storage.blob import ContainerClient
from cache import Cache
from sources.azure_blob.download import Blob, download
from tests.sources.azure_blob.test_download import RANGE, StopsAfter
connection_string, container, root, *blob, size = sys.argv[1:]
kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
client = ContainerClient.from_connection_string(connection_string, container)
download(client, [Blob(*blob, int(size), None)], Cache(Path(root)), StopsAfter(6, kill), RANGE)
"""


def test_a_killed_process_leaves_its_ranges_to_the_next(azurite, container, blob, cache, ranges_served):
    root = Path(__file__).parents[3]
    arguments = [azurite.connection_string, container.container_name, cache.root, blob.url, blob.name, blob.etag]
    process = subprocess.run(
        [sys.executable, "-c", KILLED, *map(str, arguments), str(blob.size)],
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    before = len(ranges_served())

    [downloaded] = download(container, [blob], cache, Silence(), RANGE)
    assert downloaded.path.read_bytes() == CONTENT
    assert len(ranges_served()) - before <= RANGES - 6


def test_a_blob_that_changes_meanwhile_is_noticed(container, blob, cache):
    def overwrite():
        container.upload_blob(blob.name, CONTENT[::-1], overwrite=True)

    with pytest.raises(ResourceModifiedError):
        download(container, [blob], cache, StopsAfter(1, overwrite), RANGE)


def test_versions_of_a_blob_are_never_mixed(container, blob, cache):
    with pytest.raises(KeyboardInterrupt):
        download(container, [blob], cache, StopsAfter(6, interrupt), RANGE)
    newer = uploaded(container, CONTENT[::-1])
    [downloaded] = download(container, [newer], cache, Silence(), RANGE)
    assert downloaded.path.read_bytes() == CONTENT[::-1]


def test_bytes_that_do_not_have_the_stated_md5_are_refused_and_forgotten(container, cache):
    blob = uploaded(container, CONTENT, content_md5=bytearray(16))
    with pytest.raises(SourceError, match=f"account states .* MD5 {'0' * 32}"):
        download(container, [blob], cache, Silence(), RANGE)
    assert not list(cache.root.glob(f"{PUBLISHED}/*"))
    assert not [path for path in (cache.root / UNFINISHED).rglob("*") if path.is_file()]


def test_a_range_that_lost_its_end_on_this_disk_is_fetched_again(container, blob, cache):
    with pytest.raises(KeyboardInterrupt):
        download(container, [blob], cache, StopsAfter(6, interrupt), RANGE)
    stored = next(file for file in (cache.root / UNFINISHED).rglob("*") if file.is_file())
    os.truncate(stored, 10)
    [downloaded] = download(container, [blob], cache, Silence(), RANGE)
    assert downloaded.path.read_bytes() == CONTENT


def test_a_range_that_was_spoilt_on_this_disk_is_refused_and_forgotten(container, blob, cache):
    assert blob.md5
    with pytest.raises(KeyboardInterrupt):
        download(container, [blob], cache, StopsAfter(6, interrupt), RANGE)
    stored = next(file for file in (cache.root / UNFINISHED).rglob("*") if file.is_file())
    stored.write_bytes(bytes(stored.stat().st_size))
    with pytest.raises(SourceError, match="MD5"):
        download(container, [blob], cache, Silence(), RANGE)
    [downloaded] = download(container, [blob], cache, Silence(), RANGE)
    assert downloaded.path.read_bytes() == CONTENT


def test_two_downloads_of_one_blob_at_once_both_get_it(container, blob, cache):
    with ThreadPoolExecutor(2) as pool:
        tasks = [pool.submit(download, container, [blob], cache, Silence(), RANGE) for _ in range(2)]
    for task in tasks:
        [downloaded] = task.result()
        assert downloaded.path.read_bytes() == CONTENT


def test_an_empty_blob_is_downloaded_without_a_range(container, cache):
    [downloaded] = download(container, [uploaded(container, b"")], cache, Silence(), RANGE)
    assert downloaded.path.read_bytes() == b""


def test_a_full_disk_is_one_line_and_keeps_what_is_complete(container, mounted, ranges_served):
    content = random.Random(1).randbytes(300 * RANGE)  # more than the disk holds
    cache = Cache(mounted / "cache")
    with pytest.raises(CacheError, match="the disk is full"):
        download(container, [uploaded(container, content)], cache, Silence(), 10 * RANGE)
    kept = sum(path.stat().st_size for path in (cache.root / UNFINISHED).rglob("*") if path.is_file())
    assert 0 < kept < len(content)
