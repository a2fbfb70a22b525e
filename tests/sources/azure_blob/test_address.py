"""The address has the form that Hadoop, Spark and MLflow share."""

import pytest
from mlflow.store.artifact.azure_blob_artifact_repo import AzureBlobArtifactRepository

from errors import SourceError
from sources.azure_blob.address import Address


@pytest.mark.parametrize("suffix", ["windows.net", "chinacloudapi.cn"])
@pytest.mark.parametrize("path", ["", "/", "/2016/may", "/2016/may/"])
def test_an_address_is_understood_as_mlflow_understands_it(suffix, path):
    text = f"wasbs://dataset@myaccount.blob.core.{suffix}{path}"
    container, account, blob_path, api_suffix = AzureBlobArtifactRepository.parse_wasbs_uri(text)
    address = Address.parse(text)
    assert (address.container, address.account, address.suffix) == (container, account, api_suffix)
    assert address.path == blob_path.rstrip("/")
    assert address.endpoint == f"https://myaccount.blob.core.{suffix}"


def test_the_government_s_cloud_is_one_too():
    address = Address.parse("wasbs://dataset@myaccount.blob.core.usgovcloudapi.net/")
    assert address.endpoint == "https://myaccount.blob.core.usgovcloudapi.net"


def test_blob_names_start_with_the_path_as_a_folder():
    assert Address.parse("wasbs://c@a.blob.core.windows.net/x/y").prefix == "x/y/"
    assert Address.parse("wasbs://c@a.blob.core.windows.net").prefix == ""


@pytest.mark.parametrize(
    "text",
    [
        "wasbs://dataset.blob.core.windows.net/",
        "wasbs://dataset@myaccount.dfs.core.windows.net/",
        "wasbs://dataset@blob.core.windows.net/",
        "wasbs://@myaccount.blob.core.windows.net/",
    ],
)
def test_any_other_form_is_refused_with_the_right_one(text):
    with pytest.raises(SourceError) as caught:
        Address.parse(text)
    assert str(caught.value) == (
        f"data: '{text}' is not of the form wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/PATH."
    )


def test_a_signature_pasted_with_the_address_is_not_repeated():
    with pytest.raises(SourceError) as caught:
        Address.parse("wasbs://c@a.blob.core.windows.net/x?sv=2024&sig=c2VjcmV0")
    assert "c2VjcmV0" not in str(caught.value)
