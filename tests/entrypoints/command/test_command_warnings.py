"""PYTHONWARNINGS=error makes errors of a person's own warnings, not of those that libraries give about themselves."""

from __future__ import annotations

import sys
import warnings

import pytest

from entrypoints.command.entry import _quiet_libraries


def test_a_librarys_warning_ends_nothing_where_warnings_are_errors(monkeypatch):
    monkeypatch.setattr(sys, "warnoptions", ["error"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with _quiet_libraries(debug=False), pytest.warns(UserWarning, match="of itself"):
            warnings.warn("of itself", UserWarning, stacklevel=1)
        with pytest.raises(UserWarning):
            warnings.warn("afterwards", UserWarning, stacklevel=1)
