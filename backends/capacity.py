"""What a backend's configuration says of the place where a sweep would run: how many fits at once, at what price.

Nothing is reached for this: a plan is made where the person sits. What the file leaves to the place, such as the size
of a cluster that is there, is not known, and is said to be so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

_AMOUNT = re.compile(r"\d+(?:\.\d+)?")


def _is_a_price(text: str) -> str:
    if len(_AMOUNT.findall(text)) != 1 or re.search(r"[,\n]|-\s*\d", text):
        raise ValueError(f"{text!r} is not one number of 0 or more, with a point, and a currency: write '0.504 EUR'")
    return text


def _as_text(given: object) -> object:
    return str(given) if isinstance(given, int | float) and not isinstance(given, bool) else given


Price = Annotated[
    str,
    BeforeValidator(_as_text, json_schema_input_type=str | float),
    AfterValidator(_is_a_price),
]
"""What an hour costs, with the currency as a person writes it: ``0.504 EUR``, ``$0.50``, or a number alone."""


def cost(price: str, seconds: float) -> str:
    """Return what so many seconds cost at `price` an hour, written as the price is."""
    found = _AMOUNT.search(price)
    assert found is not None, "a checked price has an amount"
    amount = float(found[0]) * seconds / 3600
    shown = f"{amount:,.2f}" if amount >= 1 or not amount else f"{amount:.2g}"
    return f"{price[: found.start()]}{shown}{price[found.end() :]}"


@dataclass(frozen=True)
class Capacity:
    """A place where fits run.

    Attributes
    ----------
    name : str
        What a person calls it.
    fits : int or None
        How many run side by side; None where the file does not say.
    memory : float or None
        Bytes that they share; None where nothing limits them.
    price : str or None
        Of an hour of all of it.
    unknown : str
        What would have to be known, where `fits` is None.
    """

    name: str
    fits: int | None = None
    memory: float | None = None
    price: str | None = None
    unknown: str = ""
