"""Waiting for a store: in pauses that nothing but a change of terms cuts short, and for each of its services apart."""

from __future__ import annotations

import threading

import pytest

from errors import StoreAwayError
from tracking import patience
from tracking.patience import ARTIFACTS, FOR_EVER, Patience


def away() -> None:
    raise ConnectionError("Connection refused")


def test_another_threads_answers_do_not_cut_a_pause_short(monkeypatch):
    monkeypatch.setattr(patience, "_FIRST_PAUSE", 3600.0)
    monkeypatch.setattr(patience, "_LONGEST_PAUSE", 3600.0)
    waiting = Patience("the store", FOR_EVER)
    asked: list[int] = []
    first = threading.Event()

    def counted() -> None:
        asked.append(1)
        first.set()
        away()

    ended: list[BaseException] = []

    def wait() -> None:
        try:
            waiting.until_done(counted)
        except StoreAwayError as error:
            ended.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert first.wait(60)
    for _ in range(50):
        waiting.until_done(lambda: None, service=ARTIFACTS)
    assert asked == [1]
    waiting.leave(0.0)
    thread.join()
    assert len(ended) == 1


def test_what_is_given_up_is_not_asked_again_at_once_and_other_services_still_are():
    waiting = Patience("the store", 0.0)
    asked: list[int] = []

    def counted() -> None:
        asked.append(1)
        away()

    for _ in range(3):
        with pytest.raises(StoreAwayError, match=r"^the artifact store does not answer"):
            waiting.until_done(counted, service=ARTIFACTS)
    assert asked == [1]
    assert waiting.until_done(lambda: "yes") == "yes"


def test_without_its_runs_a_store_is_of_no_use():
    waiting = Patience("the store", 0.0)
    with pytest.raises(StoreAwayError):
        waiting.until_done(away)
    with pytest.raises(StoreAwayError, match=r"^the store does not answer"):
        waiting.until_done(lambda: "never asked", service=ARTIFACTS)


def test_new_terms_begin_anew():
    waiting = Patience("the store", 0.0)
    with pytest.raises(StoreAwayError):
        waiting.until_done(away)
    waiting.allow(0.0)
    assert waiting.until_done(lambda: "back") == "back"
    assert waiting.given_up is None


def test_what_is_no_fault_is_raised_as_it_is():
    with pytest.raises(ZeroDivisionError):
        Patience("the store").until_done(lambda: 1 / 0)
