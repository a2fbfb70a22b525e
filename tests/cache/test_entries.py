"""Folders of the cache appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from cache import Cache, writing_to
from errors import CacheError


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


def test_a_step_is_found_once_it_is_published(cache):
    assert cache.find("tables", "f1") is None
    with cache.publish("tables", "f1") as folder:
        (folder / "x").write_text("1")
        assert cache.find("tables", "f1") is None
    assert (cache.find("tables", "f1") / "x").read_text() == "1"
    assert cache.find("tables", "f2") is None
    assert cache.find("features", "f1") is None


def test_a_step_that_fails_leaves_nothing(cache):
    def half():
        with cache.publish("tables", "f1") as folder:
            (folder / "half").write_text("1")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert cache.find("tables", "f1") is None
    assert not list((cache.root / "tables").iterdir())


def test_the_first_of_two_that_publish_the_same_step_counts(cache):
    with cache.publish("tables", "f1") as first, cache.publish("tables", "f1") as second:
        (first / "x").write_text("first")
        (second / "x").write_text("second")
    assert (cache.find("tables", "f1") / "x").read_text() == "second"  # it left its block first
    assert [path.name for path in (cache.root / "tables").iterdir()] == ["f1"]


def test_many_may_publish_at_once(cache):
    barrier = Barrier(8)

    def publish(number):
        with cache.publish("tables", "f1") as folder:
            (folder / "x").write_text(str(number))
            barrier.wait()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(publish, range(8)))
    assert (cache.find("tables", "f1") / "x").read_text() in "01234567"
    assert [path.name for path in (cache.root / "tables").iterdir()] == ["f1"]


def test_others_may_read_what_is_published(cache):
    with cache.publish("tables", "f1"):
        pass
    assert cache.find("tables", "f1").stat().st_mode & 0o055 == 0o055


def test_the_root_comes_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("SWEEP_CACHE", str(tmp_path))
    assert Cache.from_environment().root == tmp_path
    for unset in (lambda: monkeypatch.setenv("SWEEP_CACHE", ""), lambda: monkeypatch.delenv("SWEEP_CACHE")):
        unset()
        assert Cache.from_environment().root == Path(".cache")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_line_with_what_is_free(cache, number):
    message = rf"^{cache.root}: the disk is full \([\d,]+ MiB free\)\. Free some space, or"
    with pytest.raises(CacheError, match=message), writing_to(cache.root):
        raise OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_folder_that_cannot_be_written_is_one_line(cache, number):
    message = rf"^{cache.root}: the folder cannot be written \([a-z -]+\)\. Set SWEEP_CACHE"
    with pytest.raises(CacheError, match=message), writing_to(cache.root):
        raise OSError(number, os.strerror(number))


def test_any_other_error_passes(cache):
    with pytest.raises(OSError, match="Input/output"), writing_to(cache.root):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize("root", ["plain-file", "plain-file/below"])
def test_a_file_where_the_cache_should_be_is_one_line(tmp_path, root):
    (tmp_path / "plain-file").write_text("not a folder")
    with (
        pytest.raises(CacheError, match="there is a file where a folder should be"),
        Cache(tmp_path / root).publish("k", "f"),
    ):
        pass


@pytest.mark.parametrize(
    ("umask", "folders", "files"), [(0o022, 0o755, 0o644), (0o002, 0o775, 0o664), (0o077, 0o700, 0o600)]
)
def test_published_files_have_the_mode_that_the_umask_grants(cache, umask, folders, files):
    before = os.umask(umask)
    try:
        with cache.publish("tables", "f1") as folder:
            (folder / "below").mkdir(mode=0o700)
            handle, _ = tempfile.mkstemp(dir=folder / "below")
            os.close(handle)
    finally:
        os.umask(before)
    found = cache.find("tables", "f1")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (found, found / "below")} == {folders}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (found / "below").iterdir()} == {files}
