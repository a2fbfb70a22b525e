import pytest

from errors import GridfoldError
from features import FEATURE_SETS, parse_feature_sets


def test_all_is_the_five_sets_and_small_the_first_four():
    five = ("brand_model", "weekday_hour", "app_labels", "text_category", "one_hot_category")
    assert five == FEATURE_SETS
    assert parse_feature_sets("all") == five
    assert parse_feature_sets("small") == five[:4]


@pytest.mark.parametrize(
    "text", ["app_labels,brand_model", " brand_model , app_labels,", "app_labels,brand_model,app_labels"]
)
def test_the_same_sets_are_the_same_answer_however_they_are_listed(text):
    assert parse_feature_sets(text) == ("brand_model", "app_labels")


def test_a_shorthand_may_stand_in_a_list():
    assert parse_feature_sets("small,one_hot_category") == FEATURE_SETS


def test_an_unknown_set_is_answered_with_the_nearest_spelling():
    with pytest.raises(GridfoldError, match=r"no feature set 'app_label'.*brand_model.*Did you mean 'app_labels'\?$"):
        parse_feature_sets("brand_model,app_label")


@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_no_set_at_all_is_an_error(text):
    with pytest.raises(GridfoldError, match=r"^feature_sets: no feature set is named\. Expected 'all', 'small', or"):
        parse_feature_sets(text)
