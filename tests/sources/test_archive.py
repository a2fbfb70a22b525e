"""Zip archives are read as the CSV file in them, and a bad one is named."""

from __future__ import annotations

import random
import zipfile

import pytest

from errors import SourceError
from sources.archive import plain_csv

CONTENT = b"device_id\n" + b"".join(b"%d\n" % random.Random(number).getrandbits(62) for number in range(5000))


@pytest.fixture
def archive(tmp_path):
    """Make a zip archive of the given members."""

    def archive(**members):
        file = tmp_path / "gender_age_test.csv.zip"
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
            for name, content in members.items():
                out.writestr(name, content)
        return file

    return archive


@pytest.fixture
def unpack(tmp_path):
    """Unpack an archive and return the content of the CSV file in it."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def unpack(file):
        try:
            with plain_csv(file, "gender_age_test.csv", scratch, file.name) as csv_file:
                return csv_file.read_bytes()
        finally:
            assert list(scratch.iterdir()) == []

    return unpack


@pytest.fixture
def refusal(unpack):
    """Unpack what must be refused, and return the line."""

    def refusal(file):
        with pytest.raises(SourceError) as caught:
            unpack(file)
        assert "\n" not in str(caught.value)
        assert str(caught.value).startswith("gender_age_test.csv.zip: the zip archive ")
        return str(caught.value)

    return refusal


@pytest.mark.parametrize("member", ["gender_age_test.csv", "folder/gender_age_test.csv"])
def test_the_member_is_found_in_any_folder(archive, unpack, member):
    assert unpack(archive(**{member: CONTENT})) == CONTENT


def test_what_macos_adds_is_passed_over(archive, unpack):
    members = {"__MACOSX/gender_age_test.csv": b"\0", "__MACOSX/._gender_age_test.csv": b"\0"}
    assert unpack(archive(**members, **{"gender_age_test.csv": CONTENT})) == CONTENT


def test_a_plain_file_is_given_as_it_is(tmp_path, unpack):
    file = tmp_path / "gender_age_test.csv"
    file.write_bytes(CONTENT)
    assert unpack(file) == CONTENT
    assert file.exists()


@pytest.mark.parametrize("kept", [0, 1, 100, 20_000, -1])
def test_a_truncated_archive_is_refused(archive, refusal, kept):
    file = archive(**{"gender_age_test.csv": CONTENT})
    file.write_bytes(file.read_bytes()[:kept])
    assert "truncated or corrupt" in refusal(file)


@pytest.mark.parametrize("position", [60, 5_000, 20_000])
def test_a_flipped_bit_is_noticed(archive, refusal, position):
    file = archive(**{"gender_age_test.csv": CONTENT})
    content = bytearray(file.read_bytes())
    content[position] ^= 1
    file.write_bytes(content)
    assert "truncated or corrupt" in refusal(file)


def test_a_flipped_bit_of_a_stored_member_is_caught_by_its_crc(tmp_path, refusal):
    file = tmp_path / "gender_age_test.csv.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as out:
        out.writestr("gender_age_test.csv", CONTENT)
    file.write_bytes(file.read_bytes().replace(b"\n1", b"\n2", 1))
    assert "CRC" in refusal(file)


def test_an_archive_of_another_file_says_what_it_holds(archive, refusal):
    assert "holds events.csv, not gender_age_test.csv" in refusal(archive(**{"events.csv": CONTENT}))


def test_an_archive_of_nothing_says_so(archive, refusal):
    assert "holds nothing, not gender_age_test.csv" in refusal(archive())


def test_an_archive_under_a_password_is_refused(archive, refusal):
    file = archive(**{"gender_age_test.csv": CONTENT})
    content = bytearray(file.read_bytes())
    directory = content.index(b"PK\x01\x02")
    content[6] |= 1  # the flag for encryption, in the member's own header and in the directory
    content[directory + 8] |= 1
    file.write_bytes(content)
    assert "cannot be unpacked" in refusal(file)
    assert "password" in refusal(file)
