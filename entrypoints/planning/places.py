"""Where a plan is priced: here, and wherever else a backend's file could take the sweep."""

from __future__ import annotations

from collections.abc import Sequence

from backends.capacity import Capacity, cost
from backends.places import capacity_of
from entrypoints.terminal.results import Row
from entrypoints.terminal.tally import duration
from errors import SpecError
from tuning.forecast import Forecast

HERE = "here"


def places(asked: str) -> list[Capacity]:
    """Read what ``-P backends`` names; empty where nothing is asked.

    Raises
    ------
    SpecError, BackendError
        A name is empty, or a file is missing or wrong.
    """
    names = [name.strip() for name in asked.split(",")] if asked.strip() else []
    if not all(names):
        raise SpecError(f"-P backends={asked}: there is nothing between two commas. Name '{HERE}' or a backend's file.")
    return [Capacity(HERE) if name == HERE else capacity_of(name) for name in names]


def refuse_places(asked: str) -> None:
    """Refuse ``-P backends`` for what is no plan.

    Raises
    ------
    SpecError
    """
    if asked:
        raise SpecError(f"-P backends={asked} prices a plan. Add -P plan=true; to run a sweep elsewhere, -b and -c.")


def place_rows(plan: Forecast, asked: Sequence[Capacity]) -> list[Row]:
    """Return for each place what the sweep comes to there, in time and, where an hour has a price, in money."""
    return [(place.name, _here(plan) if place.name == HERE else _there(plan, place)) for place in asked]


def _here(plan: Forecast) -> str:
    return f"about {duration(plan.seconds)} on {_cores(plan.workers)}{' for the rest' if plan.n_known else ''}"


def _there(plan: Forecast, place: Capacity) -> str:
    if place.fits is None:
        return f"not known {place.unknown}"
    workers = place.fits
    if place.memory is not None and plan.need is not None:
        workers = plan.need.workers_within(place.memory, workers, plan.n_folds)
    if not workers:
        needed = plan.need.peak(1, plan.n_folds) if plan.need else 0.0
        return f"not enough memory: {(place.memory or 0) / 1e9:.1f} GB, and one fit takes about {needed / 1e9:.1f} GB"
    seconds = plan.seconds_on(workers)
    words = f"about {duration(seconds)} on {_cores(workers)}"
    return (
        f"{words}, {cost(place.price, seconds)} at {place.price} an hour" if place.price else f"{words}, no price given"
    )


def _cores(n: int) -> str:
    return f"{n:,} core{'' if n == 1 else 's'}"
