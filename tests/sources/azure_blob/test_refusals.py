"""Each way in which Azure says no is one line that says what to do, and none repeats a secret."""

from __future__ import annotations

import traceback

import pytest

from errors import SourceError
from sources import source_from
from sources.azure_blob.account import ACCESS_KEY, CONNECTION_STRING, ENDPOINT
from tests.services.azurite import ACCOUNT, KEY
from tests.services.startup import free_port

WRONG_KEY = "c2VjcmV0LWJ1dC13cm9uZw=="
SIGNATURE = "c2VjcmV0"


@pytest.fixture
def refusal(cache):
    """Read from a container and return the one line that came of it."""

    def refusal(container, account=ACCOUNT):
        source = source_from(f"wasbs://{container}@{account}.blob.core.windows.net/", scale=1.0, seed=0, leak=False)
        with pytest.raises(SourceError) as caught:
            source.identity(cache)
        shown = "".join(traceback.format_exception(caught.value))
        assert not [secret for secret in (KEY, WRONG_KEY, SIGNATURE) if secret in shown]
        message = str(caught.value)
        assert "\n" not in message
        return message

    return refusal


@pytest.fixture
def nobody_listens():
    """The address of a port that refuses connections."""
    return f"http://127.0.0.1:{free_port()}/{ACCOUNT}"


def test_a_wrong_key(azurite, container, refusal, monkeypatch):
    monkeypatch.setenv(ACCESS_KEY, WRONG_KEY)
    monkeypatch.setenv(ENDPOINT, azurite.endpoint)
    assert f"the account refused {ACCESS_KEY}" in refusal(container.container_name)


def test_a_key_that_is_none(azurite, container, refusal, monkeypatch):
    monkeypatch.setenv(ACCESS_KEY, "x")
    monkeypatch.setenv(ENDPOINT, azurite.endpoint)
    assert f"the account refused {ACCESS_KEY}" in refusal(container.container_name)


def test_a_connection_string_with_a_wrong_key(azurite, container, refusal, monkeypatch):
    monkeypatch.setenv(CONNECTION_STRING, azurite.connection_string.replace(KEY, WRONG_KEY))
    assert f"the account refused {CONNECTION_STRING}" in refusal(container.container_name)


def test_a_connection_string_that_is_none(refusal, monkeypatch):
    monkeypatch.setenv(CONNECTION_STRING, WRONG_KEY)
    assert refusal("dataset").startswith(f"{CONNECTION_STRING} is not a connection string")


def test_a_missing_container(azurite, refusal, monkeypatch):
    monkeypatch.setenv(CONNECTION_STRING, azurite.connection_string)
    message = refusal("nowhere")
    assert message.startswith(f"wasbs://nowhere@{ACCOUNT}.blob.core.windows.net/: ")
    assert "no container 'nowhere'" in message


@pytest.mark.parametrize("name", ["UPPER", "a_b", "-"])
def test_a_container_s_name_that_cannot_be(azurite, refusal, monkeypatch, name):
    monkeypatch.setenv(CONNECTION_STRING, azurite.connection_string)
    assert f"no container '{name}'" in refusal(name)


def test_an_account_that_cannot_be_reached(nobody_listens, refusal, monkeypatch):
    monkeypatch.setenv(ACCESS_KEY, KEY)
    monkeypatch.setenv(ENDPOINT, nobody_listens)
    assert "the account cannot be reached. Check its name and the network" in refusal("dataset")


def test_a_signature_in_the_connection_string_is_not_repeated(nobody_listens, refusal, monkeypatch):
    monkeypatch.setenv(
        CONNECTION_STRING, f"BlobEndpoint={nobody_listens};SharedAccessSignature=sv=2024&sig={SIGNATURE}"
    )
    assert "the account cannot be reached" in refusal("dataset")


def test_no_credentials_at_all(refusal, monkeypatch, caplog):
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"):
        monkeypatch.delenv(name, raising=False)
    message = refusal("dataset", "myaccount")
    assert f"Set {CONNECTION_STRING} or {ACCESS_KEY}, or sign in with 'az login'" in message
    assert caplog.text == ""
