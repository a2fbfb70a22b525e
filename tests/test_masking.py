"""What would let a reader sign in is taken out, whatever it stands in, and nothing else is."""

import logging
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.guest import mask as guest_mask
from backends.guest.mask import Mask, stars
from masking import LEAST, libraries_masked, masked, secret_in, shown, visible

WORD = "hunter2+Zz/9=="


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("postgresql://me:hunter2@host:5432/db", "postgresql://…@host:5432/db"),
        ("mysql+pymysql://me:h/unt@er2@host/db?charset=utf8", "mysql+pymysql://…@host/db?charset=utf8"),
        ("https://hunter2@github.com/me/project", "https://…@github.com/me/project"),
        ("http://me:hunter2@host/x?token=hunter2&page=2", "http://…@host/x?token=…&page=2"),
        ("see http://host/?password=hunter2. Then", "see http://host/?password=…. Then"),
        ("wasbs://data@me.blob.core.windows.net/d?sv=1&sig=h%2F2&se=2", "wasbs://data@me.blob.core.windows.net/d?sv=1&sig=…&se=2"),
        ("wasbs://data:hunter2@me.blob.core.windows.net/", "wasbs://…@me.blob.core.windows.net/"),
        ("https://b.s3.com/o?X-Amz-Credential=A&X-Amz-Signature=h2", "https://b.s3.com/o?X-Amz-Credential=…&X-Amz-Signature=…"),
        ("AccountName=me;AccountKey=hunter2==;EndpointSuffix=x", "AccountName=me;AccountKey=…;EndpointSuffix=x"),
        ("BlobEndpoint=https://x;SharedAccessSignature=sv=1&sig=h2", "BlobEndpoint=https://x;SharedAccessSignature=…&sig=…"),
        ("sc://host:443/;token=hunter2;use_ssl=true", "sc://host:443/;token=…;use_ssl=true"),
        ("mssql+pyodbc:///?odbc_connect=UID%3Dme%3BPWD%3Dh2", "mssql+pyodbc:///?odbc_connect=…"),
        ("https://maps.com/x?key=hunter2", "https://maps.com/x?key=…"),
    ],
)  # fmt: skip
def test_a_secret_is_known_by_its_form(text, left):
    assert shown(text) == left
    assert secret_in(text) is not None
    assert (shown(left), secret_in(left)) == (left, None), "what is masked is not masked again"


@pytest.mark.parametrize(
    "text",
    [
        "models:/demographics@champion",
        "wasbs://data@me.blob.core.windows.net/folder",
        "ssh://me@20.1.2.3",
        "sqlite:////home/me@work/mlflow.db",
        "token_pattern=x max_features=3 tokenizer=None key=3",
        "https://host/#/experiments/1/runs/2?compareRunsMode=CHART&viewStateShareKey=12",
        "Unauthorized: authorization required (401)",
        "mail me@home, or see http://host/a/@b",
    ],
)
def test_what_is_no_secret_stays(text):
    assert masked(text) == text
    assert secret_in(text) is None


@pytest.mark.parametrize("name", ["MLFLOW_TRACKING_TOKEN", "PGPASSWORD", "AZURE_STORAGE_ACCESS_KEY", "MY_SECRET"])
def test_a_secret_of_the_environment_is_known_by_its_value(monkeypatch, name):
    monkeypatch.setenv(name, WORD)
    assert masked(f"the server says: {WORD}, no") == "the server says: …, no"


def test_a_password_in_an_address_of_the_environment_is_known_without_the_address(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://me:hun%40ter2@host/db")
    assert masked("hun%40ter2 or hun@ter2?") == "… or …?"


def test_headers_and_mappings_in_a_sentence_are_masked():
    assert masked("{'Authorization': 'Bearer abc.def', 'password': 'x y', 'rows': 3}") == (
        "{'Authorization': 'Bearer …', 'password': '…', 'rows': 3}"
    )


def test_what_libraries_log_and_warn_of_is_masked(caplog):
    with libraries_masked():
        try:
            raise ValueError("no http://me:hunter2@host")
        except ValueError:
            logging.getLogger("some.library").exception("tried %s", "http://host/?token=hunter2")
        assert "hunter2" not in warnings.formatwarning("http://me:hunter2@host is slow", UserWarning, "x.py", 1)
    assert "hunter2" not in caplog.text
    assert "no http://…@host" in caplog.text
    assert "tried http://host/?token=…" in caplog.text


def test_no_word_of_every_sentence_is_a_secret(monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "true")
    monkeypatch.setenv("OTHER_TOKEN", "abc")
    monkeypatch.setenv("PWD", "/home/me")
    assert masked("true: /home/me has abc") == "true: /home/me has abc"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=4, max_size=12))
def test_the_guest_s_mask_and_ours_hide_the_same_words(word):
    assert guest_mask.LEAST == LEAST
    mask = Mask(stars([word]))
    theirs = (mask.through(f"a {word} b".encode()) + mask.rest()).decode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIVEN_PASSWORD", word)
        ours = masked(f"a {word} b")
    assert word not in theirs.replace("***", "")
    if word.lower() not in ("true", "false", "none", "null"):
        assert word not in ours.replace("…", "")


def test_control_characters_are_spelled_out():
    assert visible("a\x1b[2Jb\x00c\udcff") == r"a\x1b[2Jb\x00c\udcff"
    assert visible("Ärger über 天气\n") == "Ärger über 天气\n"
