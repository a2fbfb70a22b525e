from pathlib import Path

import numpy as np
import pytest

from errors import SpecError
from release.gates import Figures, Finding, GateError, Rules, check, findings
from release.judging import Judged
from release.verdict import Verdict, metrics, table, tags

ROOT = Path(__file__).parents[2]
ALL = np.ones(200, bool)
HALF = np.arange(200) < 100


def figures(gain=0.1, slices=None, limits=None, n_rows=200) -> Figures:
    losses = np.full(n_rows, 2.3)
    return lost(losses, losses + gain, slices or {"brand": {}, "events": {}}, limits or {})


def lost(ours, theirs, slices, limits) -> Figures:
    return Figures(Judged.by_row(-ours), None if theirs is None else Judged.by_row(-theirs), slices, limits)


def failed(rules: Rules, of: Figures) -> list[str]:
    return [finding.gate for finding in findings(rules, of) if not finding.passed]


def test_the_repos_own_gates_are_well_formed_and_have_every_gate():
    rules = Rules.load(str(ROOT / "promotion.yaml"))
    assert None not in rules.model_dump().values()


def test_a_better_model_passes_and_a_worse_one_is_told_by_how_much():
    assert failed(Rules(), figures(gain=0.1)) == []
    worse = findings(Rules(), figures(gain=-0.1))
    with pytest.raises(GateError) as raised:
        check(worse, "demo version 2")
    assert str(raised.value) == (
        "demo version 2 does not pass the gate gain: -0.1 is 0.1 below the minimum 0. Nothing was changed."
    )


def test_it_is_the_lower_end_of_the_interval_that_counts():
    noisy = np.random.default_rng(0).normal(0.01, 1, 200)
    assert failed(Rules(), lost(np.zeros(200), noisy, {"brand": {}, "events": {}}, {})) == ["gain"]


def test_a_slice_may_not_lose_more_than_the_tolerance_unless_it_is_small():
    gains = np.where(HALF, 0.5, -0.1)
    few = np.arange(200) >= 180
    of = lost(np.zeros(200), gains, {"brand": {"vivo": ~HALF, "rare": few}, "events": {"some": HALF}}, {})
    assert failed(Rules(), of) == ["gain where brand is vivo"]
    rules = Rules.model_validate({"slices": {"tolerance": 0.2}})
    assert failed(rules, of) == []
    assert failed(Rules.model_validate({"slices": {"by": ["events"]}}), of) == []


@pytest.mark.parametrize("name", ["calibration_error", "latency_ms", "size_mb"])
def test_a_limit_holds_where_the_file_has_it(name):
    of = figures(limits={name: 3.0})
    assert failed(Rules(), of) == []
    assert failed(Rules.model_validate({name: {"maximum": 3}}), of) == []
    assert failed(Rules.model_validate({name: {"maximum": 2.5}}), of) == [name]


def test_a_first_champion_needs_rows_and_limits_only():
    first = lost(np.full(200, 2.3), None, {"brand": {"vivo": ALL}, "events": {}}, {"size_mb": 3.0})
    assert [finding.gate for finding in findings(Rules.load(str(ROOT / "promotion.yaml")), first)] == [
        "rows",
        "size_mb",
    ]


def test_without_held_out_devices_it_is_the_rows_that_fail():
    assert failed(Rules(), figures(n_rows=0)) == ["rows"]


def test_the_table_has_a_row_for_each_gate_and_the_tags_have_the_figures():
    found = Verdict(Rules(), figures(gain=-0.1), n_left_out=7)
    assert "200 (7 more left out, which the champion has learned from)" in table(found)
    assert "| gain | -0.1 | ≥ 0 | **failed** |" in table(found)
    assert metrics(found)["champion_log_loss"] == pytest.approx(2.2)
    assert tags(found)["promotion.gain"] == "-0.1"


def test_a_sentence_says_which_side_was_missed():
    assert Finding("size_mb", 12, 10, at_least=False).sentence == "size_mb: 12 is 2 above the maximum 10"
    assert Finding("size_mb", 9, 10, at_least=False).sentence == "size_mb: 9 (the maximum is 10)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gains: {minimum: 0}", "gains: unknown key. Did you mean 'gain'?"),
        ("gain: {minimun: 0}", "gain.minimun: unknown key. Did you mean 'minimum'?"),
        ("gain: {minimum: much}", "gain.minimum: should be a number, got 'much'."),
        ("size_mb: {}", "size_mb.maximum: the key is missing. Add it."),
        ("slices: {by: [1]}", "slices.by.0: should be text, got 1."),
        ("gain: [", "not YAML"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_it(tmp_path, text, said):
    path = tmp_path / "gates.yaml"
    path.write_text(text)
    with pytest.raises(SpecError) as raised:
        Rules.load(str(path))
    assert str(raised.value).startswith(f"{path}: {said}")
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_one_line():
    with pytest.raises(SpecError, match=r"none\.yaml: cannot be read"):
        Rules.load("none.yaml")
