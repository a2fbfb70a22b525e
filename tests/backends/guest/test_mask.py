"""Secrets are masked wherever a piece of output begins or ends."""

import pytest

from backends.guest.mask import Mask, hide, stars

TEXT = b"a secretsecret b secre\nsecret"


@pytest.mark.parametrize("size", range(1, len(TEXT) + 1))
def test_a_secret_is_masked_however_the_stream_is_cut(size):
    mask = Mask(stars(["secret"]))
    shown = b"".join(mask.through(TEXT[i : i + size]) for i in range(0, len(TEXT), size)) + mask.rest()
    assert shown == b"a ****** b secre\n***"


def test_the_longer_secret_goes_first_and_short_values_are_left_alone():
    mask = Mask(stars(["secret", "secretive", "a"]))
    assert mask.through(b"a secretive a") + mask.rest() == b"a *** a"


def test_of_an_address_the_password_alone_is_a_secret_too():
    address = "postgresql://me:hunter2%40x@db/mlflow"
    assert hide(f"{address} or hunter2%40x or hunter2@x of me", [address]) == "*** or *** or *** of me"


def test_nothing_is_held_back_that_cannot_become_a_secret():
    mask = Mask(stars(["secret"]))
    assert mask.through(b"50% ...") == b"50% ..."
    assert mask.through(b"s") == b""
    assert mask.through(b"o") == b"so"
