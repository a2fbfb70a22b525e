"""What the note says, and that it fits where it is kept."""

from dataclasses import replace

import pytest

from report.note import LIMIT, Places, note, running_note
from tests.tracking.outcomes import SPEC, outcome
from tuning.linting import Finding
from tuning.naming import Names
from tuning.results.fold_score import Verification
from tuning.spec.refit import RefitSpec
from tuning.spec.sweep_spec import EarlyStopping

SCORES = {(300, 3): [-2.4, -2.2], (400, 3): [-2.2, -2.0], (300, 4): [-2.3, -2.3], (400, 4): [-2.5, -2.1]}
FOUND = Finding("GF101", "The winner stands at the edge", "Look beyond it", "grid: {max_depth: [4, 5]}")


def result_of(scores=SCORES, spec=SPEC, **changes):
    """An outcome whose candidates have their names."""
    result = outcome(spec, scores)
    names = Names.of(spec.space, len(result.candidates))
    fold_scores = {names.named(each): names.on(result.fold_scores[each]) for each in result.candidates}
    return replace(result, candidates=list(fold_scores), fold_scores=fold_scores, **changes)


def test_the_first_line_is_the_winner_its_score_the_hold_out_and_the_verdict():
    assert note(SPEC, result_of(), {"neg_log_loss": -2.15}).splitlines()[0] == (
        "**`#2 n_estimators=400 max_depth=3`** wins: neg_log_loss **-2.10000**, **-2.15000** on the hold-out."
        " It is better than 1 of 3 others (95% paired interval)."
    )


def test_the_table_is_one_that_mlflow_reads():
    text = note(SPEC, result_of())
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert table[0] == "|  | &emsp;candidate | &emsp;neg_log_loss | &emsp;behind | &emsp;fit, s |"
    assert table[1] == "| --: | :-- | --: | --: | --: |"
    assert table[2] == "| 1 | &emsp;**`#2 n_estimators=400 max_depth=3`** | &emsp;-2.10000 | &emsp; | &emsp;1.5 |"
    assert table[3].startswith("| 2 | &emsp;`#1 n_estimators=300 max_depth=3` | &emsp;-2.30000 | &emsp;0.20000 (")
    assert len(table) == 6


def test_no_more_than_the_ten_best_are_listed():
    scores = {(rounds, 3): [-rounds / 100, -rounds / 100] for rounds in range(1, 31)}
    assert len([line for line in note(SPEC, result_of(scores)).splitlines() if line.startswith("|")]) == 12


def test_findings_and_what_may_be_done_come_with_the_next_grid_and_their_page():
    places = Places(findings="https://example.org/findings.md#{}")
    text = note(SPEC, result_of(), found=[FOUND], places=places, then=["Promote it."])
    assert "- **[GF101](https://example.org/findings.md#gf101)** The winner stands at the edge. Look beyond it:" in text
    assert "  ```yaml\n  grid: {max_depth: [4, 5]}\n  ```" in text
    assert "\n- Promote it.\n" in text


def test_failures_are_gathered_by_message_with_one_link_each():
    scores = {
        (300, 3): [-2.4, "ValueError: column 3 is `bad`"],
        (400, 3): [-2.2, -2.0],
        (300, 4): ["ValueError: column 4 is `bad`"],
    }
    result = result_of(scores)
    places = Places(failed={result.candidates[0]: "#/runs/1"})
    text = note(SPEC, result, places=places)
    assert "**2 of 3 candidates failed**\n" in text
    reason = "- 2 × `ValueError: column 3 is 'bad'`, such as [`#1 n_estimators=300 max_depth=3`](#/runs/1)\n"
    assert reason in text
    assert "There is no other candidate to compare it with." in text.splitlines()[0]


def test_all_scorers_are_shown_with_their_hold_outs():
    spec = SPEC.model_copy(update={"scoring": ["neg_log_loss", "accuracy"], "refit": RefitSpec(scorer="neg_log_loss")})
    text = note(spec, result_of(spec=spec), {"neg_log_loss": -2.5, "accuracy": -2.25})
    assert "| accuracy | &emsp;-2.10000 | &emsp;0.10000 | &emsp;-2.25000 |" in text
    assert "| &emsp;candidate | &emsp;neg_log_loss | &emsp;behind | &emsp;accuracy |" in text


def test_the_chosen_rounds_are_named_and_listed():
    spec = SPEC.model_copy(update={"early_stopping": EarlyStopping()})
    result = result_of()
    rounds = dict(zip(result.candidates, (10, 20, 30, 40), strict=True))
    text = note(spec, replace(result, rounds=rounds))
    assert "Rounds that the winner's folds chose together: **20**; all candidates' lie from 10 to 40." in text
    assert "| &emsp;behind | &emsp;rounds | &emsp;fit, s |" in text


def test_what_was_given_up_checked_and_tried_under_other_seeds_is_said():
    changes = {"approximations": ["racing stops"], "verification": Verification(3, 1e-9), "seed_means": [-2.11, -2.09]}
    text = note(SPEC, result_of(**changes))
    assert "racing stops" in text
    assert "Verified: 3 fits repeated alone, the largest difference of a score 1e-09." in text
    assert "Under 2 other seeds the winner scores -2.11000 to -2.09000." in text


def test_links_and_pictures_are_addresses():
    places = Places(
        "#/charts", "#/sweeps", pictures={"Candidates": "get-artifact?path=plots/candidates.png&run_uuid=1"}
    )
    text = note(SPEC, result_of(), places=places)
    assert "[Candidates as charts](#/charts) · [all sweeps here](#/sweeps)" in text
    assert "![Candidates](get-artifact?path=plots/candidates.png&run_uuid=1)" in text


@pytest.mark.parametrize("write", [lambda r: note(SPEC, r, found=[FOUND] * 5), lambda r: running_note(SPEC, r, 40)])
def test_a_note_fits_whatever_a_sweep_is_like(write):
    long = "x" * 300
    scores = {(rounds, 3): [-float(rounds), -2.0] for rounds in range(1, 31)}
    scores |= {(rounds, 4): [f"{long} {'abcdefgh'[rounds % 8]}: no"] for rounds in range(31, 60)}
    spec = SPEC.model_copy(update={"fixed": {f"parameter_{n}": long for n in range(40)}})
    text = write(result_of(scores, spec))
    assert len(text) <= LIMIT
    assert "| 1 | &emsp;**`#01 n_estimators=1 max_depth=3`**" in text


def test_a_running_sweep_tells_how_far_it_is_and_who_leads():
    scores = {(300, 3): [-2.4, -2.2], (400, 3): [-2.2]}
    text = running_note(SPEC, result_of(scores), 4, Places("#/charts"))
    assert text.splitlines()[0] == (
        "1 of 4 candidates judged on all 2 folds; best so far **`#1 n_estimators=300 max_depth=3`**,"
        " neg_log_loss **-2.30000**."
    )
    assert "[Candidates as charts](#/charts)" in text


def test_a_sweep_that_has_just_begun_has_a_note_too():
    text = running_note(SPEC, result_of({}), None)
    assert text.startswith("0 candidates judged so far.\n")
    assert "Swept: `n_estimators` in 300, 400; `max_depth` in 3, 4.  \nFixed: `objective=multi:softprob`." in text


def test_the_note_owns_up_to_what_it_does_not_compare():
    result = result_of({(300, 3): [-2.4, "ValueError: no"], (400, 3): [-2.2, -2.0], (300, 4): [-1.0]})
    text = note(SPEC, result)
    assert "XGBClassifier: 3 candidates × 2 folds, of whom 1 failed, 1 stopped early." in text
    assert "hold-out" not in text


def test_the_note_of_a_pipeline_names_its_steps():
    steps = [{"scale": "sklearn.preprocessing.MaxAbsScaler"}, {"fit": "a.b.Model"}]
    assert "MaxAbsScaler → Model: 4 candidates" in note(SPEC.model_copy(update={"estimator": steps}), result_of())
