"""Pictures and their data say what is true of sweeps whose truth is known; how they look was judged by eye."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from report import differences, effects, importance, pairs, rounds, tradeoffs, winner
from report.pictures import Album
from report.scales import Scale, is_geometric, scales
from report.style import drawable, families
from report.winner import Predicted
from sources.synthetic import phones
from tests.report.sweeps import spec, swept
from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore
from tuning.results.round_curves import steps
from tuning.results.statistics import paired_difference
from tuning.results.sweep_result import SweepResult

DEPTHS = [{"max_depth": depth, "rate": rate} for depth in (3, 6, None) for rate in (0.01, 0.1, 1.0)]


def depth_alone(params):
    return -abs((params["max_depth"] or 12) - 6) / 10


@pytest.fixture(scope="module")
def nine() -> SweepResult:
    return swept(DEPTHS, depth_alone, stopped={8: 2}, failed={0: "ValueError: no"}, scorers=("accuracy", "f1"))


@pytest.fixture(scope="module")
def drawn(nine: SweepResult, tmp_path_factory: pytest.TempPathFactory) -> tuple[Album, Path]:
    folder = tmp_path_factory.mktemp("plots")
    album = Album()
    album.add_result(nine, None, folder)
    labels = ["<b>小米</b>", "华为", "a & $b$"]
    album.add_winner(
        Predicted(labels, np.array([[8, 1, 1], [0, 10, 0], [5, 0, 5]]), np.array([0.1, 0.6]), np.array([0.2, 0.5])),
        pd.DataFrame({"column": ["brand=小米", "hour=1", "hour=2"], "set": ["b", "h", "h"], "share": [0.5, 0.5, 0.0]}),
        folder,
    )
    return album, folder


def test_every_picture_that_applies_comes_with_its_data(drawn):
    album, folder = drawn
    names = ["candidates", "parameters", "pairs", "time", "scorers", "confusion", "reliability", "features"]
    assert album.failed == {}
    assert [each.name for each in album.drawn] == names
    assert {path.name for path in folder.iterdir()} == {f"{name}.{end}" for name in names for end in ("png", "csv")}
    assert all(each.question.endswith("?") and each.caption for each in album.drawn)


def test_drawings_on_one_page_share_no_id_and_run_nothing(drawn):
    album, _ = drawn
    ids = [name for each in album.drawn for name in re.findall(r' id="([^"]+)"', each.svg)]
    assert len(ids) == len(set(ids))
    for each in album.drawn:
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', each.svg)) <= set(ids)
        assert "<b>" not in each.svg
        assert "<script" not in each.svg


def test_the_distance_to_the_winner_is_the_corrected_paired_interval(nine):
    data = differences.differences(nine).set_index("number")
    splits = nine.split_scores()
    judged = data[data["status"] == "judged"]
    assert len(judged) == 6
    for number, row in judged.iterrows():
        expected = paired_difference(splits[number - 1], splits[nine.best_index], 1 / 4)
        assert (row["difference"], row["low"], row["high"]) == pytest.approx(
            (expected.mean, expected.low, expected.high)
        )


def test_a_stopped_candidate_is_compared_on_its_own_folds_and_without_an_interval(nine):
    row = differences.differences(nine).set_index("number").loc[9]
    gap = nine.split_scores()[8, :2] - nine.split_scores()[nine.best_index, :2]
    assert row["status"] == "stopped"
    assert row["difference"] == pytest.approx(gap.mean())
    assert np.isnan(row["low"])


def test_candidates_with_the_same_scores_are_one_row():
    same = swept([{"a": a, "b": b} for a in (1, 2) for b in (1, 2)], lambda params: 0.0, noise=0.0)
    assert differences.differences(same)["equals"].tolist() == [1, 1, 1, 1]
    axes = differences.picture(same).draw().axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a=1 b=1 = 3 more"]


def test_every_value_has_a_place_numbers_by_size_and_words_beyond():
    scale = scales(swept([{"x": x} for x in (10, "auto", 0.1, None, 1, True)], lambda params: 0.0))["x"]
    assert scale.log
    places = [scale.place(value) for value in (0.1, 1, 10, "auto", None, True)]
    assert places[:3] == [0.0, 0.5, 1.0]
    assert places[3:] == sorted(places[3:])
    assert min(places[3:]) > 1


def test_an_axis_is_logarithmic_where_the_space_is():
    asked = spec(
        grid={},
        distributions={"learning_rate": {"loguniform": [0.01, 1]}, "subsample": {"uniform": [0.1, 1]}},
        search={"strategy": "random", "candidates": 2},
    )
    result = swept([{"learning_rate": 0.3, "subsample": 0.1}, {"learning_rate": 0.4, "subsample": 1.0}], lambda _: 0.0)
    assert {name: scale.log for name, scale in scales(result, asked).items()} == {
        "learning_rate": True,
        "subsample": False,
    }
    assert [is_geometric(values) for values in ([1, 10, 100], [1, 2, 3, 4, 5, 6, 7, 8], [0, 10, 100], [1, 100])] == [
        True,
        False,
        False,
        False,
    ]


def test_numbers_are_joined_and_words_are_not(nine):
    words, numbers = {"booster": ["gbtree", "dart", "gblinear"]}, {"rate": [0.01, 0.1, 1.0]}
    for values, n_joined in ((words, 0), (numbers, 3)):
        [(name, listed)] = values.items()
        figure = effects.picture(swept([{name: value} for value in listed], lambda _: 0.0)).draw()
        joined = [line for line in figure.axes[0].lines if line.get_linestyle() == "-"]
        assert sum(len(line.get_xdata()) for line in joined) == n_joined


def test_the_data_of_a_picture_have_every_value_and_every_candidate(nine):
    table = effects.picture(nine).data
    assert table["max_depth"].tolist() == [3, 3, 3, 6, 6, 6, "None", "None", "None"]
    assert table["status"].value_counts().to_dict() == {"judged": 6, "winner": 1, "stopped": 1, "failed": 1}


def test_a_map_holds_the_best_of_each_pair_of_values(nine):
    cells = pairs.picture(nine).data
    means = nine.means()
    assert len(cells[cells["candidates"] > 0]) == 7
    assert cells["best_mean"].max() == pytest.approx(np.nanmax(means[:8]))


def test_importance_finds_the_parts_that_were_planted():
    draw = np.random.default_rng(0)
    X = draw.random((300, 4))
    y = 3 * X[:, 0] + np.sqrt(3) * X[:, 1] + 0.05 * draw.normal(size=300)  # variances 9/12 and 3/12
    found, explained = importance.importance(X, y, ["a", "b", "c", "d"])
    shares = found.set_index("parameter")["share"]
    assert list(shares.index[:2]) == ["a", "b"]
    assert shares["a"] == pytest.approx(0.75, abs=0.1)
    assert shares["b"] == pytest.approx(0.25, abs=0.1)
    assert shares[["c", "d"]].max() < 0.03
    assert (found["low"] <= found["share"]).all()
    assert (found["share"] <= found["high"]).all()
    assert explained > 0.9


def test_an_interaction_is_no_parameters_own():
    X = np.random.default_rng(0).integers(0, 2, (200, 2)).astype(float)
    found, _ = importance.importance(X, (X[:, 0] != X[:, 1]).astype(float), ["a", "b"])
    assert found.set_index("parameter")["share"][importance.TOGETHER] > 0.8


@pytest.mark.parametrize(("n_candidates", "is_drawn"), [(19, False), (20, True)])
def test_importance_is_withheld_where_candidates_are_few(n_candidates, is_drawn):
    settings = [{"a": place % 5, "b": place} for place in range(n_candidates)]
    found = importance.picture(swept(settings, lambda params: float(params["a"])))
    assert (found is not None) == is_drawn


def test_the_front_is_what_nothing_beats():
    costs = np.array([1.0, 2.0, 2.0, 3.0, 4.0])
    gains = np.array([0.1, 0.3, 0.2, 0.25, 0.4])
    assert tradeoffs.pareto(costs, gains) == [True, True, False, False, True]


def test_curves_are_thinned_and_keep_the_chosen_round():
    kept = steps(5_000, 1_234)
    assert len(kept) <= 200
    assert {1, 1_234, 5_000} <= set(kept)
    assert steps(3) == [1, 2, 3]


def test_the_curve_drawn_is_the_mean_as_far_as_all_folds_have_come():
    candidate = Candidate({"max_depth": 3})
    curves = [[-3.0, -2.0, -1.0], [-3.0, -1.0]]
    folds = [FoldScore(candidate, k, {"s": -1.0}, curves={"s": curve}) for k, curve in enumerate(curves)]
    result = SweepResult([candidate], {candidate: folds}, 2, ["s"], "s", 2, 1.0, rounds={candidate: 2})
    picture = rounds.picture(result)
    assert picture.data["mean"].tolist() == [-3.0, -1.5]
    assert picture.data["chosen"].tolist() == [2, 2]


def test_a_confusion_tells_rows_and_shares():
    data = winner.confusion(Predicted(["a", "b"], np.array([[3, 1], [0, 0]]))).data
    assert data["rows"].tolist() == [3, 1, 0, 0]
    assert data["share"].tolist()[:2] == [0.75, 0.25]
    assert data["share"].isna().tolist()[2:] == [True, True]


def test_every_brand_that_our_data_have_can_be_drawn_without_an_installed_font():
    assert families()[-1] == "Gridfold Hanzi"
    words = "".join([*phones._BRANDS, *phones._LINES.values()])
    assert drawable(words) == words


def test_a_character_that_no_font_has_is_written_as_its_code():
    assert drawable("a\n\U000200a4") == "a\\n\\U000200a4"


def test_a_sweep_of_one_candidate_is_drawn(tmp_path):
    album = Album()
    album.add_result(swept([{"a": 1}], lambda _: 0.0), None, tmp_path)
    assert album.failed == {}
    assert [each.name for each in album.drawn] == ["candidates"]


def test_a_picture_that_fails_takes_no_other_away(nine, tmp_path, monkeypatch):
    def fails(*_):
        raise ValueError("no")

    monkeypatch.setattr(effects, "picture", fails)
    album = Album()
    album.add_result(nine, None, tmp_path)
    assert list(album.failed) == ["parameters"]
    assert "candidates" in [each.name for each in album.drawn]


def test_a_single_number_lies_in_the_middle():
    assert Scale("x", [3, "auto"], log=False).place(3) == 0.5
