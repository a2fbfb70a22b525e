"""The names of the feature sets, and how a person asks for some of them.

Kept apart from the code that computes them, so that a command line can be checked before any table is opened.
"""

from __future__ import annotations

from errors import GridfoldError, did_you_mean

BRAND_MODEL = "brand_model"
WEEKDAY_HOUR = "weekday_hour"
APP_LABELS = "app_labels"
TEXT_CATEGORY = "text_category"
ONE_HOT_CATEGORY = "one_hot_category"

FEATURE_SETS = (BRAND_MODEL, WEEKDAY_HOUR, APP_LABELS, TEXT_CATEGORY, ONE_HOT_CATEGORY)

_SHORTHANDS = {"all": FEATURE_SETS, "small": FEATURE_SETS[:4]}


def parse_feature_sets(text: str) -> tuple[str, ...]:
    """Return the feature sets that `text` asks for.

    Parameters
    ----------
    text : str
        Names joined by commas; ``all`` and ``small`` (the first four) stand for several.

    Returns
    -------
    tuple of str
        Each once, in the order of `FEATURE_SETS` whatever the order asked for: the same sets are the same features.

    Raises
    ------
    GridfoldError
        A name is unknown, or there is none.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise GridfoldError(f"feature_sets: no feature set is named. Expected 'all', 'small', or {_known()}.")
    wanted = {name for word in words for name in _sets_of(word)}
    return tuple(name for name in FEATURE_SETS if name in wanted)


def _sets_of(word: str) -> tuple[str, ...]:
    if word in FEATURE_SETS:
        return (word,)
    if word in _SHORTHANDS:
        return _SHORTHANDS[word]
    hint = did_you_mean(word, (*_SHORTHANDS, *FEATURE_SETS))
    raise GridfoldError(
        f"feature_sets: there is no feature set '{word}'. Expected 'all', 'small', or {_known()}.{hint}"
    )


def _known() -> str:
    return "a comma list of " + ", ".join(FEATURE_SETS)
