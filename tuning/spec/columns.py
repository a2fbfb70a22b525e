"""A step that treats columns apart: ``columns: [{columns: [a, b], do: object}, ...]`` as a ``ColumnTransformer``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.pipeline import Pipeline

from errors import SpecError, did_you_mean
from tuning.spec.mistakes import Mistakes
from tuning.spec.objects import build

REST = "rest"
_DTYPES = {"text": ["object", "string", "category"], "number": ["number", "bool"]}
_PLAIN = ("drop", "passthrough")
_KEYS = ("columns", "do", "name")


def is_columns(value: Any) -> bool:
    """Whether `value` is written as ``{columns: [...]}``."""
    return isinstance(value, Mapping) and list(value) == ["columns"] and isinstance(value["columns"], list)


def column_transformer(entries: Sequence[Any]) -> ColumnTransformer:
    """Build the transformer that `entries` describe.

    Parameters
    ----------
    entries : sequence
        Of mappings ``{columns: [a, b] | {dtype: text | number} | rest, do: object | steps | drop | passthrough}``; a
        ``name`` beside them says how parameters reach it, else the class's name in small letters does.

    Returns
    -------
    ColumnTransformer
        Columns that no entry names are dropped, as they are by scikit-learn.

    Raises
    ------
    MistakesError
        All that is wrong, keys counted from `entries`.
    """
    mistakes, transformers, remainders = Mistakes(), [], []
    for place, entry in enumerate(entries):
        with mistakes.at(str(place)):
            _check_keys(entry)
            does = _does(entry["do"])
            if entry["columns"] == REST:
                remainders.append(does)
            else:
                transformers.append((entry.get("name") or _name(does), does, _columns(entry["columns"])))
    if len(remainders) > 1:
        mistakes.note("'columns: rest' stands twice. Remove one.")
    if not (transformers or remainders or mistakes.found):
        mistakes.note("the list is empty. Write - {columns: [a, b], do: sklearn.preprocessing.StandardScaler}.")
    mistakes.raise_found()
    return ColumnTransformer(_with_distinct_names(transformers), remainder=(*remainders, "drop")[0])


def _check_keys(entry: Any) -> None:
    if not isinstance(entry, Mapping):
        raise SpecError(f"expected {{columns: ..., do: ...}}, got {entry!r}.")
    unknown = [str(key) for key in entry if key not in _KEYS]
    if unknown:
        hint = did_you_mean(unknown[0], _KEYS) or f" Known keys here: {', '.join(_KEYS)}."
        raise SpecError(f"unknown key '{unknown[0]}'.{hint}")
    missing = [key for key in ("columns", "do") if key not in entry]
    if missing:
        raise SpecError(f"the key '{missing[0]}' is missing. Write {{columns: [a, b], do: an object}}.")
    name = entry.get("name", "")
    if not isinstance(name, str) or "__" in name:
        raise SpecError(f"name: a part cannot be called {name!r}: text without '__' is wanted. Rename it.")


def _does(value: Any) -> Any:
    from tuning.spec.estimators import steps_of

    mistakes, built = Mistakes(), None
    with mistakes.at("do"):
        if isinstance(value, list):
            built = Pipeline(steps_of(value))
        else:
            built = value if value in _PLAIN else build(value, expected=True)
            if built not in _PLAIN and not hasattr(built, "fit"):
                raise SpecError(f"expected an object, steps, drop or passthrough, got {value!r}.")
    mistakes.raise_found()
    return built


def _columns(written: Any) -> Any:
    if isinstance(written, list) and written and all(isinstance(name, str | int) for name in written):
        return written
    if isinstance(written, Mapping) and list(written) == ["dtype"] and written["dtype"] in tuple(_DTYPES):
        return make_column_selector(dtype_include=_DTYPES[written["dtype"]])
    raise SpecError(f"columns: expected a list of names, {{dtype: text}}, {{dtype: number}} or rest, got {written!r}.")


def _name(does: Any) -> str:
    return does if isinstance(does, str) else type(does).__name__.lower()


def _with_distinct_names(transformers: list[tuple[str, Any, Any]]) -> list[tuple[str, Any, Any]]:
    """Number equal names, as scikit-learn's ``make_column_transformer`` does."""
    totals, seen, named = Counter(name for name, _, _ in transformers), Counter[str](), []
    for name, does, columns in transformers:
        seen[name] += 1
        named.append((f"{name}-{seen[name]}" if totals[name] > 1 else name, does, columns))
    return named
