"""Strategies by their contract: what they propose, what they learn, and that a seed repeats them."""

import math
import sys

import pytest

from errors import SpecError
from tuning import FoldScore
from tuning.spec.space import Distribution, Space
from tuning.strategies import STRATEGIES, Setting
from tuning.strategies.halving import rungs

GRID = Space({"x": [1, 2, 3, 4, 5, 6, 7, 8, 9]})
RANGE = Space({}, {"x": Distribution(uniform=(-3.0, 3.0)), "kind": Distribution(choice=["good", "bad"])})


BOTH = pytest.mark.parametrize("sampler", ["optuna", "hyperopt"])


def setting(n_folds=5, max_candidates=None):
    return Setting(n_folds, "r2", 1 / (n_folds - 1), max_candidates)


def make(name, space=GRID, n_folds=5, max_candidates=None, **options):
    kind = STRATEGIES[name]
    return kind(space, kind.Options(**options), setting(n_folds, max_candidates))


def run(strategy, objective, n_folds=5, reverse=False):
    """Play the loop: ask, score by `objective(params, fold)`, tell. Returns the batches of proposals."""
    batches = []
    while proposals := strategy.ask():
        batches.append(list(proposals))
        scores = [
            score(proposal, fold, objective) for proposal in proposals for fold in (proposal.folds or range(n_folds))
        ]
        for each in reversed(scores) if reverse else scores:
            strategy.tell([each])
    return batches


def score(proposal, fold, objective):
    value = objective(proposal.candidate.params, fold)
    if value is None:
        return FoldScore(proposal.candidate, fold, error="ValueError: no")
    return FoldScore(proposal.candidate, fold, {"r2": value})


def names(batches):
    return [[(p.candidate.key, p.folds, p.rows, p.rounds) for p in batch] for batch in batches]


def parabola(params, fold):
    return -((params["x"] - 1.0) ** 2) - (5.0 if params.get("kind") == "bad" else 0.0) + 0.01 * fold


def test_the_grid_is_proposed_whole_and_in_order():
    batches = run(make("grid"), parabola)
    assert [[p.candidate.params["x"] for p in batch] for batch in batches] == [list(range(1, 10))]


def test_a_budget_spends_the_grid_on_a_seeded_sample_rather_than_its_beginning():
    chosen = [p.candidate.params["x"] for p in make("grid", max_candidates=3).ask()]
    assert len(chosen) == 3
    assert chosen != [1, 2, 3]
    assert chosen == [p.candidate.params["x"] for p in make("grid", max_candidates=3).ask()]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("random", {"candidates": 12}),
        ("tpe", {"candidates": 16, "startup": 6}),
        ("tpe", {"candidates": 16, "startup": 6, "sampler": "hyperopt"}),
        ("racing", {"candidates": 12}),
        ("halving", {"candidates": 12}),
    ],
)
def test_proposals_do_not_depend_on_the_order_in_which_fits_end(name, options):
    first = run(make(name, RANGE, seed=3, **options), parabola)
    again = run(make(name, RANGE, seed=3, **options), parabola, reverse=True)
    other = run(make(name, RANGE, seed=4, **options), parabola)
    assert names(first) == names(again)
    assert names(first) != names(other)


@pytest.mark.parametrize("name", ["random", "tpe"])
def test_as_many_candidates_as_asked_for_and_none_twice(name):
    proposed = [p.candidate.key for batch in run(make(name, RANGE, candidates=23), parabola) for p in batch]
    assert len(proposed) == len(set(proposed)) == 23


@BOTH
def test_tpe_proposes_better_candidates_than_chance_once_it_has_learnt(sampler):
    def mean_of_last(name, **options):
        values = []
        for seed in range(5):
            batches = run(make(name, RANGE, candidates=40, seed=100 * seed, **options), parabola)
            last = [p.candidate.params for batch in batches for p in batch][-15:]
            values += [parabola(params, 0) for params in last]
        return sum(values) / len(values)

    assert mean_of_last("tpe", sampler=sampler) > 0.75 * mean_of_last("random"), "both are below zero"


@BOTH
def test_tpe_survives_candidates_that_fail(sampler):
    batches = run(
        make("tpe", RANGE, candidates=20, sampler=sampler),
        lambda params, fold: None if params["x"] < 0 else params["x"],
    )
    assert sum(map(len, batches)) == 20


@BOTH
def test_tpe_ends_where_the_space_holds_no_more(sampler):
    batches = run(make("tpe", Space({"x": [1, 2, 3]}), candidates=50, sampler=sampler), parabola)
    assert sorted(p.candidate.params["x"] for batch in batches for p in batch) == [1, 2, 3]


def test_racing_drops_who_cannot_win_and_keeps_the_winner_to_the_end():
    batches = run(make("racing"), parabola)
    assert [p.folds for p in batches[0]] == [(0, 1, 2)] * 9
    assert {p.candidate.params["x"] for p in batches[-1]} == {1}
    fits = sum(len(p.folds) for batch in batches for p in batch)
    assert fits == 9 * 3 + 2


def test_racing_keeps_whom_the_evidence_does_not_separate():
    def noisy(params, fold):
        return math.sin(37.0 * params["x"] * (fold + 1))

    batches = run(make("racing"), noisy)
    assert len(batches[-1]) > 1


def test_racing_goes_on_without_those_who_failed():
    batches = run(make("racing"), lambda params, fold: None if params["x"] == 1 else parabola(params, fold))
    assert {p.candidate.params["x"] for p in batches[-1]} == {2}


def test_racing_ends_when_all_have_failed():
    assert len(run(make("racing"), lambda params, fold: None)) == 1


def test_halving_climbs_rungs_of_growing_share_and_shrinking_company():
    batches = run(make("halving", factor=3), parabola)
    assert [len(batch) for batch in batches] == [9, 3, 1]
    assert [batch[0].rounds for batch in batches] == pytest.approx([1 / 9, 1 / 3, 1])
    assert {p.rows for batch in batches for p in batch} == {1.0}
    assert batches[-1][0].candidate.params == {"x": 1}


def test_halving_over_rows():
    batches = run(make("halving", resource="rows", factor=3), parabola)
    assert [batch[0].rows for batch in batches] == pytest.approx([1 / 9, 1 / 3, 1])


def test_no_rung_is_below_the_smallest_share_or_without_company():
    assert rungs(1000, 3, min_share=0.1) == pytest.approx([1 / 9, 1 / 3, 1])
    assert rungs(4, 3, min_share=0.01) == pytest.approx([1 / 3, 1])
    assert rungs(1, 3, min_share=0.01) == [1]


@pytest.mark.parametrize(
    ("name", "space", "options", "said"),
    [
        ("grid", RANGE, {}, "distributions.x: a grid needs lists"),
        ("grid", Space(), {}, "grid: the key is missing"),
        ("random", RANGE, {}, "search.candidates: the key is missing"),
        ("tpe", RANGE, {}, "search.candidates: the key is missing"),
        ("racing", RANGE, {}, "search.candidates: the key is missing"),
        ("halving", Space(), {"candidates": 3}, "grid: the key is missing"),
    ],
)
def test_a_space_that_a_strategy_cannot_use_is_refused(name, space, options, said):
    with pytest.raises(SpecError, match=said.replace(".", r"\.")):
        make(name, space, **options)


TEN_TO_THE_8 = Space({name: list(range(10)) for name in "abcdefgh"})


@pytest.mark.parametrize("name", ["grid", "racing", "halving"])
def test_a_grid_too_large_to_list_is_counted_and_a_budget_draws_from_it(name):
    assert make(name, TEN_TO_THE_8).n_candidates == 10**8
    strategy = make(name, TEN_TO_THE_8, max_candidates=5)
    assert strategy.n_candidates == 5
    assert len({proposal.candidate for proposal in strategy.ask()}) == 5


@pytest.mark.parametrize(("name", "options"), [("random", {"candidates": 4}), ("racing", {}), ("halving", {})])
def test_lists_of_grids_are_drawn_from_whole(name, options):
    space = Space([{"x": [1, 2]}, {"x": [3], "y": [4, 5]}])
    batches = run(make(name, space, **options), parabola)
    assert len({proposal.candidate for proposal in batches[0]}) == 4


def test_tpe_learns_over_one_grid_only():
    with pytest.raises(SpecError, match=r"search\.strategy: tpe learns over one grid"):
        make("tpe", Space([{"x": [1]}, {"x": [2]}]), candidates=2)


@BOTH
def test_tpe_takes_values_that_are_mappings_or_lists(sampler):
    space = Space({"model": [{"class": "a.B"}, [1, 2]], "x": [1, 2, 3]})
    batches = run(make("tpe", space, candidates=6, sampler=sampler), parabola)
    assert {str(p.candidate.params["model"]) for batch in batches for p in batch} == {"{'class': 'a.B'}", "[1, 2]"}


@pytest.mark.parametrize("name", ["racing", "halving"])
def test_a_candidate_whose_score_is_nan_goes_no_further(name):
    batches = run(make(name), lambda params, fold: math.nan if params["x"] == 1 else parabola(params, fold))
    assert {proposal.candidate.params["x"] for proposal in batches[-1]} == {2}


@BOTH
def test_tpe_learns_on_where_scores_are_nan(sampler):
    batches = run(
        make("tpe", RANGE, candidates=20, sampler=sampler),
        lambda params, fold: math.nan if params["x"] < 0 else params["x"],
    )
    assert sum(map(len, batches)) == 20


def test_tpe_ends_once_so_many_beyond_the_startup_were_not_better():
    last = {"best": 0.0}

    def falls(params, fold):
        last["best"] -= 1
        return last["best"]

    batches = run(make("tpe", RANGE, candidates=40, startup=6, batch=2, patience=3), falls)
    assert [len(batch) for batch in batches] == [6, 2, 2]
    assert sum(map(len, run(make("tpe", RANGE, candidates=40, startup=6, batch=2), falls))) == 40


@BOTH
def test_a_library_that_is_not_there_is_named(sampler, monkeypatch):
    monkeypatch.setitem(sys.modules, sampler, None)
    with pytest.raises(SpecError, match=rf"search\.sampler: tpe by {sampler} needs the package {sampler}"):
        make("tpe", RANGE, candidates=2, sampler=sampler)


def test_tpe_by_optuna_warns_and_says_nothing(capfd, recwarn):
    run(make("tpe", RANGE, candidates=12, startup=4), parabola)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
