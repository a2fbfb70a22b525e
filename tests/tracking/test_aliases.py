"""The champion changes one promotion at a time, and back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from errors import TrackingError
from tracking import EntryRun, aliases
from tracking.aliases import CHALLENGER, CHAMPION, at_alias, challenger_of, promote, roll_back


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    monkeypatch.setattr(aliases, "_SECONDS_TO_SETTLE", 0.05)


@pytest.fixture
def run(client):
    with EntryRun.begin("promote") as started:
        yield started


@pytest.fixture
def versions(run, client):
    """Three versions of a model that need no files."""
    client.create_registered_model("demo")
    for number in ("1", "2", "3"):
        client.create_model_version("demo", source=f"runs:/{run.run_id}/model", run_id=run.run_id)
        client.set_registered_model_alias("demo", f"number-{number}", number)
    return [at_alias(client, "demo", f"number-{number}") for number in (1, 2, 3)]


def champion(client) -> int | None:
    found = at_alias(client, "demo", CHAMPION)
    return found and found.number


def test_promotions_move_the_alias_and_say_who_when_why_and_over_whom(run, versions, client):
    first, second, _ = versions
    promote(run, first, "demo", None, {})
    promote(run, second, "demo", first, {"promotion.reason": "better on tablets"})
    tags = at_alias(client, "demo", CHAMPION).tags
    assert champion(client) == 2
    assert tags["promotion.over"] == "1"
    assert tags["promotion.run"] == run.run_id
    assert tags["promotion.reason"] == "better on tablets"
    assert tags["promotion.by"]
    assert tags["promotion.at"].startswith("20")


def test_each_promotion_can_be_undone_in_turn_down_to_the_first(run, versions, client):
    first, second, third = versions
    promote(run, first, "demo", None, {})
    promote(run, second, "demo", first, {})
    promote(run, third, "demo", second, {})
    assert [pair[1].number for pair in (roll_back(run, "demo", "slow"), roll_back(run, "demo", ""))] == [2, 1]
    assert champion(client) == 1
    assert client.get_model_version("demo", "3").tags["rollback.reason"] == "slow"
    with pytest.raises(TrackingError, match="demo version 1 is the first champion"):
        roll_back(run, "demo", "")
    assert champion(client) == 1


def test_a_version_that_was_champion_before_can_be_so_again_as_the_first(run, versions, client):
    first, second, _ = versions
    promote(run, first, "demo", None, {})
    promote(run, second, "demo", first, {})
    client.delete_registered_model_alias("demo", CHAMPION)
    promote(run, at_alias(client, "demo", "number-2"), "demo", None, {})
    assert "promotion.over" not in at_alias(client, "demo", CHAMPION).tags


def test_there_is_nothing_to_go_back_to_without_a_champion(run, versions):
    with pytest.raises(TrackingError, match="demo@champion: there is no champion"):
        roll_back(run, "demo", "")


def test_a_challenger_that_was_compared_with_another_champion_is_refused(run, versions, client):
    first, second, third = versions
    promote(run, first, "demo", None, {})
    promote(run, second, "demo", first, {})
    with pytest.raises(TrackingError, match="the champion is demo version 2 now, not demo version 1"):
        promote(run, third, "demo", first, {})
    assert champion(client) == 2
    assert "promotion.by" not in client.get_model_version("demo", "3").tags


def test_of_promotions_at_once_one_succeeds(versions, client, monkeypatch):
    first, second, third = versions
    monkeypatch.setattr(aliases, "_SECONDS_TO_SETTLE", 0.5)
    start = threading.Barrier(2)
    runs = [EntryRun.begin("promote") for _ in range(3)]
    promote(runs[0], first, "demo", None, {})

    def attempt(pair):
        start.wait()
        with suppress(TrackingError):
            return promote(*pair, "demo", first, {}).number

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(attempt, [(runs[1], second), (runs[2], third)]))
    assert sorted(outcomes, key=str) == sorted([champion(client), None], key=str)
    for run in runs:
        run.finish()


def test_a_copy_is_promoted_under_another_name_and_known_as_the_same_model(run, versions, client):
    crowned = promote(run, versions[1], "production", None, {})
    assert (crowned.name, crowned.number) == ("production", 1)
    there = at_alias(client, "production", CHAMPION)
    assert there.is_copy_of(versions[1])
    assert not there.is_copy_of(versions[0])
    assert champion(client) is None


def test_a_missing_alias_or_model_is_none_and_a_missing_challenger_says_what_to_do(client, versions):
    assert at_alias(client, "demo", CHALLENGER) is None
    assert at_alias(client, "nobody", CHALLENGER) is None
    with pytest.raises(TrackingError, match=r"demo@challenger: no version has this alias\. Run a sweep"):
        challenger_of(client, "demo")
