"""The index of digests helps where it can, and stands in nobody's way."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cache import Cache
from sources import Silence, ingest, source_from
from sources.digests import DigestIndex, sha256_of, stamp


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that every user can reach, as those of pytest are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def as_another_user(call: Callable[[], object]) -> int:
    """Call it in a process of the user ``nobody``; 0 if it returns."""
    child = os.fork()
    if not child:
        code = 1
        try:
            os.setgid(65534)
            os.setuid(65534)
            call()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize(
    "content", ["", "null", "[]", '{"a": 3}', '{"a": [1, 2]}', "{" * 10, "[" * 100_000, "1" * 5000]
)
def test_an_index_of_something_else_is_no_index(tmp_path, content):
    (tmp_path / "digests.json").write_text(content)
    file = tmp_path / "a"
    file.write_text("a")
    index = DigestIndex(Cache(tmp_path))
    assert index.find(file) is None
    index.remember({file: (stamp(file), sha256_of(file))})
    assert DigestIndex(Cache(tmp_path)).find(file) == sha256_of(file)


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "digests.json")
    assert not DigestIndex(Cache(tmp_path)).has_size_of(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_what_one_user_has_ingested_another_one_uses(shared, synthetic_folder):
    data = shutil.copytree(synthetic_folder, shared / "data")
    data.chmod(0o755)
    cache = Cache(shared / "cache")
    made = ingest(source_from(str(data), scale=1.0, seed=0, leak=False), cache, Silence())
    events = data / "events.csv"

    def use() -> None:
        assert all(file.read_bytes() for file in made.path.iterdir())
        index = DigestIndex(cache)
        digest = index.find(events)
        assert digest
        index.remember({events: (stamp(events), digest)})

    assert as_another_user(use) == 0
