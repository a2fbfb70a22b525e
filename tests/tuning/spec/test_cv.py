"""A way to split has its own keys, and every mistake in them gets one line."""

import pytest
from pydantic import ValidationError

from tuning.spec.cv import CvSpec


@pytest.mark.parametrize(
    ("given", "kind", "n_folds"),
    [
        ({}, "folds", 5),
        ({"folds": 3, "repeats": 4}, "repeats", 12),
        ({"by": "time", "folds": 4, "gap": 7, "column": "DATE"}, "time", 4),
        ({"column": "FOLD"}, "column", None),
        ({"leave": "group"}, "leave", None),
        ({"class": "sklearn.model_selection.ShuffleSplit", "n_splits": 2}, "splitter", None),
        ("sklearn.model_selection.LeaveOneGroupOut", "splitter", None),
    ],
)
def test_the_keys_tell_the_kinds_apart(given, kind, n_folds):
    cv = CvSpec.model_validate(given)
    assert (cv.kind, cv.n_folds) == (kind, n_folds)
    assert CvSpec.model_validate(cv.model_dump(exclude_none=True)) == cv


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"column": "FOLD", "folds": 3}, "folds does not go with column. Remove one of the two."),
        ({"leave": "group", "seed": 3}, "seed does not go with leave: group."),
        ({"by": "time", "shuffle": False}, "shuffle does not go with by: time."),
        ({"repeats": 2, "shuffle": False}, "shuffle does not go with repeats."),
        ({"gap": 3}, "gap does not go with folds."),
        ({"repeats": 0}, "greater than or equal to 1"),
        ({"leave": "row"}, "should be 'group'"),
        ({"splitter": "a.B", "n_splits": 3}, "Write {class: a.B, ...}."),
        ({"class": "sklearn.model_selection.ShufleSplit"}, "has no class 'ShufleSplit'. Did you mean 'ShuffleSplit'?"),
        ({"class": "sklearn.svm.SVC"}, "'sklearn.svm.SVC' is not a splitter of scikit-learn's kind"),
        ({"class": "ShuffleSplit"}, "expected a dotted path, got 'ShuffleSplit'"),
        (
            {"class": "sklearn.model_selection.KFold", "n_split": 3},
            "KFold has no parameter 'n_split'. Did you mean 'n_splits'?",
        ),
        ({"class": "sklearn.model_selection.KFold", "n_splits": 1}, "k-fold cross-validation requires at least one"),
    ],
)
def test_a_mistake_gets_one_line(given, said):
    with pytest.raises(ValidationError) as caught:
        CvSpec.model_validate(given)
    sentence = caught.value.errors()[0]["msg"]
    assert said in sentence
    assert "\n" not in sentence
