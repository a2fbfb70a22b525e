"""Secrets are named in the file and valued in the environment."""

import pytest

from backends import secrets
from backends.failures import BackendError


def test_named_variables_are_taken_and_others_are_not():
    assert secrets.values(["A"], "dsvm", {"A": "1", "B": "2"}) == {"A": "1"}


def test_a_name_without_a_value_is_refused_with_what_to_type():
    with pytest.raises(BackendError, match=r"environment names A, which is not set here. Set it \(export A=...\)"):
        secrets.values(["A"], "dsvm", {})


def test_what_signs_in_to_a_tracking_server_goes_along():
    here = {"MLFLOW_TRACKING_TOKEN": "t", "MLFLOW_TRACKING_USERNAME": "", "HOME": "/"}
    assert secrets.tracking_credentials(here) == {"MLFLOW_TRACKING_TOKEN": "t"}
