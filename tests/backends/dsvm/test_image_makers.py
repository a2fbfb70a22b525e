"""Two commands that make the same image: the second waits for the first, and takes over once that is gone."""

from __future__ import annotations

import threading
import time

import pytest

from backends.dsvm import image
from backends.dsvm.engine import Engine
from backends.dsvm.settings import DsvmSettings
from tests.services.docker_engine import BASE_IMAGE

pytestmark = pytest.mark.disturbs

NAME = "gridfold-env:twice"


@pytest.fixture
def place(engine):
    """The engine as a command knows it."""
    place = Engine(DsvmSettings(host=f"unix://{engine.socket}"))
    place.open()
    yield place
    place.close()


def test_a_builder_that_has_yet_to_begin_is_let_be_and_an_idle_one_is_removed(place, monkeypatch):
    monkeypatch.setattr(image, "_SECONDS_BETWEEN_STEPS", 5)
    name = NAME.replace(":", "-build-")
    builder = place.client.containers.create(BASE_IMAGE, "sleep 60", name=name, network_mode="host")
    took_over = []
    other = threading.Thread(target=lambda: took_over.append(image._wait_for_other(place, NAME)))
    began = time.monotonic()
    other.start()
    try:
        time.sleep(1)
        builder.start()  # which fails once it is removed
        other.join(60)
        assert took_over == [True]
        assert time.monotonic() - began > 5
        assert not place.client.containers.list(all=True, filters={"name": name})
    finally:
        image._discard(builder)
