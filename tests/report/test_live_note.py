"""The note while a sweep goes on."""

from queue import SimpleQueue

from report.live_note import LiveNote
from report.note import Places
from tests.tracking.outcomes import SPEC, outcome

FAILING = {(300, 3): ["ValueError: no", -2.0], (400, 3): [-2.2, -2.0]}


class Page:
    """Keeps what is written, and refuses for as long as it is told to."""

    def __init__(self, refusals=0):
        self.notes, self.refusals = SimpleQueue(), refusals

    def write(self, note, lasting):
        if self.refusals:
            self.refusals -= 1
            raise OSError("away")
        self.notes.put((note, lasting))


def test_there_is_a_note_before_the_first_score_and_one_with_every_news():
    page, result = Page(), outcome(SPEC, FAILING)
    with LiveNote(page.write, lambda candidate: "", Places(), seconds=0.01) as live:
        live.started(SPEC, 2, 2)
        note, lasting = page.notes.get(timeout=60)
        assert note.startswith("0 of 2 candidates judged so far.")
        assert not lasting
        live.scored(list(result.fold_scores[result.candidates[1]]))
        note, lasting = page.notes.get(timeout=60)
        assert note.startswith("1 of 2 candidates judged on all 2 folds; best so far")
        assert lasting


def test_a_failure_has_the_address_of_its_run_as_soon_as_there_is_one():
    page, result, addresses = Page(), outcome(SPEC, FAILING), iter(["", "#/runs/1"])
    with LiveNote(page.write, lambda candidate: next(addresses), Places(), seconds=0.01) as live:
        live.started(SPEC, 2, 2)
        page.notes.get(timeout=60)
        for candidate in result.candidates:
            live.scored(list(result.fold_scores[candidate]))
            note, _ = page.notes.get(timeout=60)
    assert "](#/runs/1)" in note


def test_a_store_that_is_away_gets_the_note_when_it_is_back():
    page = Page(refusals=2)
    with LiveNote(page.write, lambda candidate: "", Places(), seconds=0.01) as live:
        live.started(SPEC, 2, 2)
        note, _ = page.notes.get(timeout=60)
    assert note.startswith("0 of 2 candidates judged so far.")


def test_nothing_is_written_after_the_end():
    page, result = Page(), outcome(SPEC, FAILING)
    with LiveNote(page.write, lambda candidate: "", Places(), seconds=0.01) as live:
        live.started(SPEC, 2, 2)
        page.notes.get(timeout=60)
        live.ended(result)
        live.scored(list(result.fold_scores[result.candidates[1]]))
    assert page.notes.empty()
