"""The pictures hold what they should, whatever was swept; how they look was judged by eye."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.tracking.outcomes import SPEC, outcome
from tracking import parameter_plots, plots

GRIDS = {
    "one value": {"C": [1]},
    "one parameter": {"C": [0.1, 1, 10]},
    "two": {"n_estimators": [300, 400], "max_depth": [3, 4, 5]},
    "words and none": {"kind": ["gbtree", "dart"], "weight": [None, "balanced"], "flag": [True, False]},
    "many": {"a": list(range(10)), "b": list(range(10)), "c": list(range(5))},
    "drawn": {"C": list(np.geomspace(1e-4, 1, 30))},
}


def made_up(grid, failures=0):
    spec = SPEC.model_copy(update={"grid": grid})
    draw = np.random.default_rng(0)
    settings = itertools.product(*grid.values())
    scores = {
        values: ["ValueError: no"] * 2 if place < failures else draw.normal(-2, 0.1, 2).tolist()
        for place, values in enumerate(settings)
    }
    return outcome(spec, scores)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("failures", [0, 1])
def test_every_kind_of_sweep_is_drawn(grid, failures, tmp_path):
    drawn = plots.draw(made_up(grid, failures), tmp_path)
    assert tmp_path / "candidates.png" in drawn
    assert all(path.stat().st_size > 1000 for path in drawn)


def test_a_few_candidates_are_all_listed_best_first():
    figure = plots.candidates_figure(made_up({"C": [0.1, 1, 10]}))
    (axes,) = figure.axes
    shown = [label.get_text() for label in axes.get_yticklabels()]
    result = made_up({"C": [0.1, 1, 10]})
    best_first = np.argsort(-result.split_scores().mean(axis=1))
    assert shown == [f"C={[0.1, 1, 10][place]}" for place in best_first]


def test_many_candidates_are_one_curve_and_the_best_by_name():
    curve, listed = plots.candidates_figure(made_up(GRIDS["many"])).axes
    means = curve.lines[0].get_ydata()
    assert len(means) == 500
    assert (np.diff(means) <= 0).all()
    assert len(listed.get_yticklabels()) == 25


def test_failed_candidates_are_counted_in_the_title_and_not_drawn():
    figure = plots.candidates_figure(made_up({"C": [0.1, 1, 10]}, failures=1))
    assert figure.get_suptitle().endswith("(not shown: 1 failed)")
    assert len(figure.axes[0].get_yticklabels()) == 2


def test_two_parameters_make_a_map_with_a_hole_where_a_candidate_failed():
    figure = parameter_plots.figure(made_up(GRIDS["two"], failures=1))
    cells = figure.axes[0].images[0].get_array().filled(np.nan)
    assert cells.shape == (2, 3)
    assert np.isnan(cells).sum() == 1


def test_nothing_varied_or_nothing_scored_makes_no_picture_of_parameters():
    assert parameter_plots.figure(made_up({"C": [1]})) is None
    assert parameter_plots.figure(made_up({"C": [1, 2]}, failures=2)) is None
