"""Credentials are taken in MLflow's order, each seen to open a real account."""

from __future__ import annotations

import datetime
import ipaddress
from urllib.parse import unquote

import pytest
from azure.storage.blob import BlobServiceClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from errors import SourceError
from sources.azure_blob.account import ACCESS_KEY, CONNECTION_STRING, ENDPOINT, open_container
from sources.azure_blob.address import Address
from tests.services import azurite as azurite_service
from tests.services import managed_identity
from tests.services.azurite import ACCOUNT, KEY

WRONG_KEY = "d3Jvbmc="


@pytest.fixture
def address(container):
    return Address.parse(f"wasbs://{container.container_name}@{ACCOUNT}.blob.core.windows.net/")


def opened_with(address):
    """Open the container, see that it answers, and return what opened it."""
    account = open_container(address)
    assert account.container.exists()
    return account.opened_with


def test_a_connection_string_opens_the_account(address, azurite, monkeypatch):
    monkeypatch.setenv(CONNECTION_STRING, azurite.connection_string)
    assert opened_with(address) == CONNECTION_STRING


def test_an_account_key_opens_the_account(address, azurite, monkeypatch):
    monkeypatch.setenv(ACCESS_KEY, KEY)
    monkeypatch.setenv(ENDPOINT, azurite.endpoint)
    assert opened_with(address) == ACCESS_KEY


def test_a_connection_string_comes_before_a_key(address, azurite, monkeypatch):
    monkeypatch.setenv(CONNECTION_STRING, azurite.connection_string)
    monkeypatch.setenv(ACCESS_KEY, WRONG_KEY)
    assert opened_with(address) == CONNECTION_STRING


def test_an_empty_variable_counts_as_absent(address, azurite, monkeypatch):
    monkeypatch.setenv(CONNECTION_STRING, "")
    monkeypatch.setenv(ACCESS_KEY, KEY)
    monkeypatch.setenv(ENDPOINT, azurite.endpoint)
    assert opened_with(address) == ACCESS_KEY


def test_without_an_endpoint_the_account_is_at_its_public_address(monkeypatch):
    monkeypatch.setenv(ACCESS_KEY, KEY)
    account = open_container(Address.parse("wasbs://dataset@myaccount.blob.core.chinacloudapi.cn/"))
    assert account.container.url == "https://myaccount.blob.core.chinacloudapi.cn/dataset"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate of 127.0.0.1 and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def with_tokens(azurite_program, certificate, monkeypatch):
    """An account that takes bearer tokens over HTTPS, and a machine whose managed identity hands them out."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    with azurite_service.running(azurite_program, *certificate) as server, managed_identity.running() as identity:
        monkeypatch.setenv(ENDPOINT, server.endpoint)
        monkeypatch.setenv("IDENTITY_ENDPOINT", identity.endpoint)
        monkeypatch.setenv("IDENTITY_HEADER", identity.header)
        BlobServiceClient.from_connection_string(server.connection_string).create_container("dataset")
        yield identity


def test_without_either_the_machine_s_own_identity_opens_the_account(with_tokens):
    address = Address.parse(f"wasbs://dataset@{ACCOUNT}.blob.core.windows.net/")
    assert opened_with(address) == "DefaultAzureCredential"
    [asked_for] = with_tokens.asked_for
    assert unquote(asked_for).endswith("resource=https://storage.azure.com")


def test_a_key_comes_before_the_machine_s_own_identity(with_tokens, monkeypatch):
    monkeypatch.setenv(ACCESS_KEY, KEY)
    assert opened_with(Address.parse(f"wasbs://dataset@{ACCOUNT}.blob.core.windows.net/")) == ACCESS_KEY
    assert with_tokens.asked_for == []


def test_a_token_is_never_sent_without_encryption(monkeypatch):
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:10000/devstoreaccount1")
    with pytest.raises(SourceError, match=rf"^{ENDPOINT}: .* must begin with https:// unless {ACCESS_KEY} is set\.$"):
        open_container(Address.parse("wasbs://dataset@myaccount.blob.core.windows.net/"))
