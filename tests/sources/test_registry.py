"""One word or address names a source."""

from __future__ import annotations

import pytest

from errors import SourceError
from sources import source_from
from sources.azure_blob.source import BlobSource
from sources.folder import FolderSource
from sources.generated import GeneratedSource


def named(data):
    return source_from(data, scale=0.5, seed=7, leak=True)


def test_synthetic_is_the_generator_with_its_parameters():
    assert named("synthetic") == GeneratedSource(0.5, 7, True)


def test_a_folder_is_its_files(tmp_path):
    assert named(str(tmp_path)) == FolderSource(tmp_path)


def test_a_folder_called_synthetic_can_still_be_named(tmp_path, monkeypatch):
    (tmp_path / "synthetic").mkdir()
    monkeypatch.chdir(tmp_path)
    assert isinstance(named("./synthetic"), FolderSource)


def test_an_address_is_its_blobs():
    source = named("wasbs://dataset@myaccount.blob.core.windows.net/2016")
    assert isinstance(source, BlobSource)
    assert source.name == "wasbs://dataset@myaccount.blob.core.windows.net/2016"


@pytest.mark.parametrize(
    "data", ["nowhere", "s3://bucket/path", "wasb://c@a.blob.core.windows.net/", "", "https://x/y"]
)
def test_anything_else_is_refused_with_the_three_forms(data):
    with pytest.raises(SourceError) as caught:
        named(data)
    message = str(caught.value)
    assert "\n" not in message
    for form in (f"'{data}'", "'synthetic'", "a folder", "wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/PATH"):
        assert form in message


def test_a_misspelt_word_is_recognised():
    with pytest.raises(SourceError, match="Did you mean 'synthetic'"):
        named("sinthetic")
