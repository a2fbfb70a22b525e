"""The page that ``python -m entrypoints.NAME --help`` prints: the same parameters as MLproject, with what they must be.

Not argparse's: MLflow hands over ``--name value`` and nothing else, and what a parameter must be is said once, in its
model, where the refusal of a wrong value takes it from too.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator, Sequence

from entrypoints.parameters import Params

ASKED = ("-h", "--help")
_WIDTH = 80
_COLUMN = 17


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Whether the page is asked for."""
    return any(word in ASKED for word in arguments)


def usage(name: str, about: str, model: type[Params]) -> str:
    """Return the page.

    Parameters
    ----------
    name : str
        Of the entry point.
    about : str
        What it does: its docstring.
    model : type of Params
        Its parameters.
    """
    opening = [
        f"usage: mlflow run . -e {name} --env-manager local [-P NAME=VALUE ...]",
        f"       python -m entrypoints.{name} [--NAME VALUE ...]",
        "",
        *textwrap.wrap(" ".join(inspect.cleandoc(about).split()), _WIDTH),
        "",
    ]
    return "\n".join([*opening, *_parameters(model)])


def _parameters(model: type[Params]) -> Iterator[str]:
    for name, field in sorted(model.model_fields.items(), key=lambda each: each[0] == "debug"):
        default = _as_typed(field.default)
        described = f"{field.description or ''}{f'; by default {default}' if default else ''}"
        first = f"  {name:<{_COLUMN - 3}} "
        yield textwrap.fill(
            described, _WIDTH, initial_indent=first, subsequent_indent=" " * _COLUMN, break_long_words=False
        )


def _as_typed(default: object) -> str:
    if isinstance(default, float) and default.is_integer():
        return str(int(default))
    return str(default).lower() if isinstance(default, bool) else str(default)
