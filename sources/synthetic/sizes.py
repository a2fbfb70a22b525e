"""How big the made-up population is.

The figures are those of the real files. ``scale`` is the share of the people who are kept, so whatever belongs to
people (devices, phones, events) shrinks with it; what belongs to the world (brands, apps, labels) keeps its full size,
as it would if one drew a sample of the real devices.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from errors import SourceError
from sources.schema import GROUPS

SMALLEST, LARGEST = 0.001, 1.0

GROUP_DEVICES = dict(
    zip(GROUPS, (5050, 4190, 3118, 4628, 5561, 4194, 7488, 9605, 5445, 7309, 9476, 8581), strict=True),
)


@dataclass(frozen=True)
class Sizes:
    """Counts of what belongs to people; the defaults are the real ones.

    Attributes
    ----------
    train, test : int
        Devices of the two device lists.
    train_active, test_active, strangers : int
        Devices with events: of each list, and of neither.
    duplicates, conflicts : int
        Devices listed twice in the phone table, and those among them whose second row differs.
    events, app_events : int
        Rows of the two event tables; `app_events` is met on average.
    events_with_apps, events_nowhere : int
        Events that have rows in app_events; events at exactly (0, 0).
    early, late : int
        Events on the day before the week and on the day after it.
    """

    train: int = 74_645
    test: int = 112_071
    train_active: int = 23_309
    test_active: int = 35_194
    strangers: int = 2_362
    duplicates: int = 529
    conflicts: int = 6
    events: int = 3_252_950
    app_events: int = 32_473_067
    events_with_apps: int = 1_486_598
    events_nowhere: int = 969_379
    early: int = 40
    late: int = 8

    @property
    def people(self) -> int:
        """Devices of both lists: those with a phone."""
        return self.train + self.test

    @classmethod
    def at(cls, scale: float) -> Sizes:
        """Every count times `scale`, and at least 1, so that no oddity of the real files is lost.

        Raises
        ------
        SourceError
            `scale` lies outside 0.001 to 1.
        """
        if not SMALLEST <= scale <= LARGEST:
            raise SourceError(
                f"synthetic data: scale is {scale}, but must be from {SMALLEST} to {LARGEST:g}. "
                "It is the share of the real data's size: 1 makes all 74,645 training devices, 0.01 makes 746."
            )
        return cls(**{field.name: max(1, round(getattr(cls, field.name) * scale)) for field in fields(cls)})


def apportion(total: int, weights: np.ndarray, least: int = 0) -> np.ndarray:
    """Whole numbers that sum to `total` and follow `weights`, by largest remainder.

    Parameters
    ----------
    total : int
        At least ``least * len(weights)``.
    weights : ndarray of shape (n,)
        Not negative; their sum is positive.
    least : int
        The least that each receives.

    Returns
    -------
    ndarray of shape (n,), int64
    """
    quota = weights * ((total - least * len(weights)) / weights.sum())
    whole = np.floor(quota).astype(np.int64)
    short = total - least * len(weights) - int(whole.sum())
    whole[np.argsort(whole - quota, kind="stable")[:short]] += 1
    return np.asarray(whole + least)
