"""Sixty random sweeps end as GridSearchCV ends them on the same folds, or are refused in one line before any fit.

``python -m benchmarks.differential --case SEED`` shows one of them whole.
"""

import functools
from collections import Counter

import numpy as np
import pytest
import yaml

from benchmarks.differential.cases import KNOWN, random_case
from benchmarks.differential.compare import Kind, difference, outcome_of
from benchmarks.differential.families import FAMILIES
from benchmarks.differential.folds import KINDS as CV_KINDS
from benchmarks.differential.peer import Judged
from benchmarks.differential.steps import DENSE, ENCODERS, SAMPLERS, SPARSE
from benchmarks.differential.tables import FEATURES, GROUPS, LABELS

SEEDS = range(60)
MOST_REFUSED = 0.25


outcome = functools.cache(outcome_of)


def drawn(axis):
    return Counter(random_case(seed).kinds[axis] for seed in SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_sweep_is_that_of_grid_search_cv(seed):
    found = outcome(seed)
    assert found.kind in (Kind.EQUAL, Kind.BOTH_RAISE, Kind.REFUSED), f"{found.line}\n{random_case(seed).yaml}"


def test_few_are_refused_and_most_are_equal():
    kinds = Counter(outcome(seed).kind for seed in SEEDS)
    assert kinds[Kind.REFUSED] <= MOST_REFUSED * len(SEEDS)
    assert kinds[Kind.EQUAL] >= len(SEEDS) / 2


def test_every_family_that_is_installed_has_its_turn():
    assert set(drawn("family")) == {family.name for family in FAMILIES if family.is_here}


@pytest.mark.parametrize(
    ("axis", "kinds", "least"),
    [
        ("features", FEATURES, 5),
        ("labels", LABELS, 2),
        ("groups", GROUPS, 2),
        ("weights", ("True", "False"), 8),
        ("scorers", ("one", "several"), 8),
        ("cv", ("shuffled", "in file order"), 8),
        ("cv", CV_KINDS, 1),
        ("grids", ("one", "several"), 4),
        ("file", (".csv", ".parquet", ".npz"), 8),
        ("early stopping", ("True", "False"), 4),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_kind_comes_often_enough(axis, kinds, least):
    counts = drawn(axis)
    assert {kind: counts[kind] for kind in kinds if counts[kind] < least} == {}


def test_every_step_comes():
    used = {step.kind for seed in range(600) for step in random_case(seed).steps}
    assert used == {*(step.kind for step in (*DENSE, *SPARSE, *ENCODERS, *SAMPLERS)), "SimpleImputer"}


def test_every_kind_that_once_went_wrong_comes():
    counts = Counter(kind for seed in SEEDS for kind in random_case(seed).known)
    assert {kind: counts[kind] for kind in KNOWN if counts[kind] < 2} == {}


def test_a_seed_draws_the_same_case_again():
    one, again = random_case(3), random_case(3)
    assert one.yaml == again.yaml
    assert one.table.frame.equals(again.table.frame)


def test_what_yaml_1_1_and_1_2_read_alike_is_what_the_peer_is_given():
    """The texts say their values: read by a reader that has no part in either side."""
    for seed in SEEDS:
        case = random_case(seed)
        asked = yaml.safe_load(case.yaml)
        for name, written in case.parameters.fixed.items():
            plain = isinstance(written.value, str | int | float | None) and not written.is_text_to_yaml_1_1
            assert not plain or asked["fixed"][name] == written.value


def judged(*rows, rounds=()):
    return Judged({"accuracy": np.array(rows)}, list(rounds))


@pytest.mark.parametrize(
    ("ours", "theirs", "largest", "lost"),
    [
        (judged([0.5, 0.25]), judged([0.5, 0.25]), 0.0, 0),
        (judged([0.5, np.nan]), judged([0.5, np.nan]), 0.0, 0),
        (judged([0.5, -np.inf]), judged([0.5, -np.inf]), 0.0, 0),
        (judged([0.5, 0.25]), judged([0.5, 0.5]), 0.25, 0),
        (judged([-8.0, 0.25]), judged([-16.0, 0.25]), 0.5, 0),
        (judged([0.5, np.nan]), judged([0.75, 0.5]), 0.25, 1),
        (judged([0.5, 0.25]), judged([np.nan, np.nan]), 0.0, 2),
        (judged([0.5, 0.25]), judged([0.5, np.inf]), 0.0, 1),
        (judged([0.5, np.nan]), judged([0.5, -np.inf]), 0.0, 1),
        (judged([0.5, 0.25]), judged([0.5, 0.25], [0.5, 0.25]), 0.0, 4),
        (judged([0.5, 0.25], rounds=[3]), judged([0.5, 0.25], rounds=[4]), 0.0, 1),
    ],
)
def test_a_difference_in_any_cell_is_found(ours, theirs, largest, lost):
    found = difference(ours, theirs)
    assert (found.largest, found.lost) == (largest, lost)
