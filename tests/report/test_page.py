"""The page of a sweep, opened in a browser: what it shows, what it does when it is used, and what it never does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from report.page import marked, page
from report.pictures import Album
from report.story import Story
from report.timeline import Span, Timeline, lanes
from tests.report.sweeps import spec, swept
from tests.services.browser import complaints, resize, violations
from tuning.candidates import Candidate
from tuning.kept.bias import Corrected
from tuning.results.fold_score import FoldScore

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

EVIL = "</script><script>window.hit=1</script><img src=x onerror=window.hit=1>\"'&小米"
GRID = {"max_depth": [3, 6, 9, None], "rate": [0.01, 0.1, 1.0], "kind": ["plain", EVIL, "auto"]}
SETTINGS = [dict(zip(GRID, values, strict=True)) for values in product(*GRID.values())]


def score(params):
    return -abs((params["max_depth"] or 12) - 6) / 10 - abs(params["rate"] - 0.1)


def story_of(settings, folder: Path | None = None, **told) -> Story:
    errors = {1: f"ValueError: column 3 of {EVIL}", 4: f"ValueError: column 5 of {EVIL}"}
    result = swept(settings, score, failed=errors, stopped={7: 2}, scorers=("accuracy", "f1"))
    album = Album()
    if folder:
        album.add_result(result, None, folder)
        weights = pd.DataFrame({"column": [f"brand={EVIL}", "hour=1"], "set": ["b", "h"], "share": [0.7, 0.3]})
        album.add_winner(None, weights, folder)
    assert album.failed == {}
    spans = [
        Span(place, place + 1.5, 0, (each,), each in result.failed) for place, each in enumerate(result.candidates)
    ]
    asked = {
        "title": f"sweep of {EVIL}",
        "estimator": EVIL,
        "verdict": f"It is **clear** (`{EVIL}`).",
        "data": {EVIL: EVIL},
    }
    return Story(
        **{**asked, "spec": spec(), "result": result, "drawn": album.drawn, "spans": spans, "command": EVIL} | told
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return story_of(SETTINGS, tmp_path_factory.mktemp("plots"), holdout={"accuracy": -0.125})


@pytest.fixture(scope="module")
def file(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(story), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser: Chrome, file: Path) -> Iterator[Chrome]:
    resize(browser, 1300, 900)
    browser.get(file.as_uri())
    yield browser
    assert complaints(browser) == []


def column(browser: Chrome, name: str) -> list[str]:
    """Cells of a column of the table of candidates, as they are shown."""
    return browser.execute_script(
        "const table = document.getElementById('table');"
        "const place = [...table.tHead.rows[0].cells].findIndex(each => each.textContent === arguments[0]);"
        "return [...table.tBodies[0].rows].map(row => row.cells[place].textContent)",
        name,
    )


def sort_by(browser: Chrome, name: str) -> None:
    browser.execute_script(
        "[...document.querySelectorAll('#table th button')].find(each => each.textContent === arguments[0]).click()",
        name,
    )


def search(browser: Chrome, words: str) -> str:
    """Type a filter, and return what the page counts."""
    field = browser.find_element("id", "filter")
    field.clear()
    field.send_keys(words)
    return browser.find_element("id", "count").text


def test_the_table_opens_with_the_best_first_a_page_at_a_time(opened, story):
    shown = column(opened, "#")
    assert len(shown) == 25
    assert shown == [str(number) for number in story.table["number"]][:25]
    assert opened.find_element("id", "count").text == "36 of 36 candidates"
    opened.find_element("id", "next").click()
    assert column(opened, "#") == [str(number) for number in story.table["number"]][25:]


def test_a_heading_sorts_and_what_has_no_value_comes_last_either_way(opened):
    sort_by(opened, "seconds")
    rising = [float(text) for text in column(opened, "seconds")]
    assert rising == sorted(rising)
    sort_by(opened, "seconds")
    falling = [float(text) for text in column(opened, "seconds")]
    assert falling == sorted(falling, reverse=True)
    for _ in range(2):
        sort_by(opened, "mean accuracy")
        assert "" not in column(opened, "mean accuracy")
    assert len(opened.find_elements("css selector", "#table th[aria-sort]")) == 1


@pytest.mark.parametrize(
    ("words", "n_found"),
    [
        ("max_depth=3", 9),
        ("max_depth=none rate<0.5", 6),
        ("rate>=0.1 status=failed", 1),
        ("onerror", 12),
        ("nothing-of-that-name", 0),
    ],
)
def test_words_filter(opened, words, n_found):
    assert search(opened, words) == f"{n_found} of 36 candidates"


def test_dragging_along_an_axis_keeps_what_crosses_there(opened):
    from selenium.webdriver import ActionChains

    box = opened.find_element("css selector", "#parallel .axis:nth-of-type(2)")  # rate: 0.01 below, 1 above
    opened.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", box)
    half = box.size["height"] / 2
    drag = ActionChains(opened, duration=0).move_to_element_with_offset(box, 0, round(0.4 * half)).click_and_hold()
    drag.move_by_offset(0, round(0.55 * half)).release().perform()
    assert opened.find_element("id", "count").text == "12 of 36 candidates"
    assert set(column(opened, "rate")) == {"0.01"}
    ActionChains(opened, duration=0).move_to_element_with_offset(box, 0, 0).click().perform()
    assert opened.find_element("id", "count").text == "36 of 36 candidates"


def test_names_are_words_and_never_markup(opened, file):
    assert opened.execute_script("return window.hit") is None
    assert opened.execute_script("return document.images.length") == 0
    assert opened.title == f"sweep of {EVIL}"
    assert EVIL in column(opened, "kind")
    assert opened.execute_script("return document.querySelectorAll('script').length") == 2
    assert file.read_text(encoding="utf-8").count("<script") == 2


def test_nothing_is_asked_of_any_network(opened, file):
    asked = opened.execute_script("return performance.getEntriesByType('resource').map(each => each.name)")
    assert asked == []
    text = file.read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href|action)="(?!#|data:)[^"]*"|url\((?!#)|@import', text) == []


@pytest.mark.parametrize("width", [1300, 360])
def test_it_passes_axe_and_never_scrolls_sideways_as_a_whole(opened, width):
    resize(opened, width, 800)
    assert violations(opened) == []
    wide = opened.execute_script("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1]


def test_it_prints_without_what_only_a_screen_can_use(opened):
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        hidden = opened.execute_script(
            "return ['nav', '.controls', '.pages'].map(each => getComputedStyle(document.querySelector(each)).display)"
        )
        assert hidden == ["none"] * 3
        assert opened.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    finally:
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_the_sections_tell_the_whole_story(opened, story):
    titles = [each.text for each in opened.find_elements("css selector", "main h2")]
    expected = ["Question", "Data", "Verdict", "Findings", "Candidates", "Pictures", "Timeline", "Failures", "Cost"]
    assert titles == [*expected, "What fits shared", "How to repeat it"]
    text = opened.execute_script("return document.body.textContent")
    assert "-0.12500" in text
    assert opened.find_element("css selector", "#again pre").text == EVIL
    assert "GF102 kind has no effect" in opened.find_element("id", "findings").text
    failures = opened.find_element("css selector", "#failures tbody").text
    assert failures.startswith("2 ValueError: column 3 of")  # one reason: it differs in its numbers alone
    assert len(opened.find_elements("css selector", "figure svg")) == len(story.drawn) >= 6


def test_thousands_of_candidates_are_a_page_of_rows(browser, tmp_path):
    five = [3, 4, 5, 6, 7]
    settings = [dict(zip("abcde", values, strict=True)) for values in product(five, repeat=5)]
    story = story_of([{"max_depth": each["a"], "rate": each["b"] / 10, **each} for each in settings])
    path = tmp_path / "report.html"
    path.write_text(page(story), encoding="utf-8")
    browser.get(path.as_uri())
    assert browser.find_element("id", "count").text == "3,125 of 3,125 candidates"
    assert len(browser.find_elements("css selector", "#table tbody tr")) == 25
    assert path.stat().st_size < 2_000_000
    assert complaints(browser) == []


def test_before_the_refit_the_page_says_so(story):
    assert '<p class="warning">no winner <b>yet</b></p>' in page(replace(story, notes=["no winner **yet**"]))


def test_the_corrected_score_is_part_of_the_verdict(story):
    assert "no part in the choice" not in page(story)
    corrected = Corrected("neg_log_loss", -2.5, -2.6, -2.4, draws=1000, candidates=60)
    told = replace(story, result=replace(story.result, corrected=corrected))
    assert "among 60, a winner scores neg_log_loss <b>-2.50000</b> (95%: -2.60000 to -2.40000)" in page(told)


def test_a_sweep_without_anything_varied_has_a_page():
    result = swept([{"a": 1}], lambda _: 0.5)
    text = page(Story("one", "Estimator", spec(), result, "There is no other candidate to compare it with."))
    assert "There is no other candidate" in text
    assert 'id="timeline"' not in text


def test_marks_are_all_of_markdown_that_there_is():
    assert marked("**a** `b<c` <i>") == "<b>a</b> <code>b&lt;c</code> &lt;i&gt;"


def test_fits_on_one_lane_never_overlap():
    each = Candidate({})
    spans = [
        Span(begin, begin + length, 0, (each,), False) for begin, length in [(0, 3), (1, 1), (2, 4), (3, 1), (2.5, 1)]
    ]
    found = lanes(spans)
    assert max(found) == 2
    for lane in set(found):
        mine = sorted((span for span, at in zip(spans, found, strict=True) if at == lane), key=lambda span: span.began)
        assert all(one.ended <= next_.began + 1e-3 for one, next_ in pairwise(mine))


def test_a_fit_that_candidates_shared_is_one_bar_as_long_as_its_longest():
    times = iter([100.0, 110.0, 118.0, 119.0])
    watched = Timeline(clock=lambda: next(times))
    watched.started(spec(), 2, 1)
    one, other = Candidate({"n": 1}), Candidate({"n": 2})
    fold = FoldScore(one, 0, {"s": 1.0}, 2.0, 0.5)
    watched.scored([fold, FoldScore(other, 0, {"s": 1.0}, 4.0, 0.5)])
    watched.scored([replace(fold, fold=1, reused=True)])
    [span] = watched.spans
    assert (span.began, span.ended, span.candidates) == (3.0, 8.0, (one, other))
