"""How long the fits that remain will take, told by those that have ended.

A fit takes a constant time and a part that grows with its ``cost``; which of the two counts for more differs between
libraries and data by a factor of ten. So the answer is a range: while all fits seen had one cost, from as if time
followed the cost to as if all took equally long; after that the straight line through them, and what they strayed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tuning.plan import Fit

_FLOOR = 0.08  # nothing is foretold more closely than so much of it


@dataclass(frozen=True)
class Work:
    """Fits, counted and weighed.

    Attributes
    ----------
    n : float
        Their number; a share of a fit counts as that share.
    cost : float
    """

    n: float = 0.0
    cost: float = 0.0

    @classmethod
    def of(cls, fit: Fit) -> Work:
        """Weigh one fit, by the rows that it has too."""
        return cls(1.0, fit.cost * fit.rows)

    def times(self, factor: float) -> Work:
        """Return so much of it."""
        return Work(self.n * factor, self.cost * factor)

    def __add__(self, other: Work) -> Work:
        return Work(self.n + other.n, self.cost + other.cost)

    def __sub__(self, other: Work) -> Work:
        return Work(self.n - other.n, self.cost - other.cost)


@dataclass(frozen=True)
class Range:
    """From ``low`` to ``high`` seconds."""

    low: float = 0.0
    high: float = 0.0

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def over(self, workers: int) -> Range:
        """Return the range where so many share the work."""
        return Range(self.low / workers, self.high / workers)

    def at_least(self, other: Range) -> Range:
        """Return the later of the two, at each end."""
        return Range(max(self.low, other.low), max(self.high, other.high))


@dataclass(frozen=True)
class Pace:
    """What fits have taken: the sums that a straight line through them needs.

    Attributes
    ----------
    seen_work : Work
    seconds : float
    cost_squared, seconds_squared, product : float
    """

    seen_work: Work = Work()
    seconds: float = 0.0
    cost_squared: float = 0.0
    seconds_squared: float = 0.0
    product: float = 0.0

    def seen(self, work: Work, seconds: float) -> Pace:
        """Add a fit that took so many seconds."""
        return Pace(
            self.seen_work + work,
            self.seconds + seconds,
            self.cost_squared + work.cost**2,
            self.seconds_squared + seconds**2,
            self.product + work.cost * seconds,
        )

    def __bool__(self) -> bool:
        return self.seen_work.n > 0

    def foretell(self, work: Work) -> Range:
        """Say how many seconds of one worker `work` will take; only where something was seen."""
        if work.n <= 0:
            return Range()
        n, mean = self.seen_work.n, self.seconds / self.seen_work.n
        line = self._line()
        if line is None:
            ends = mean * work.n, (self.seconds / self.seen_work.cost * work.cost if self.seen_work.cost else 0.0)
            low, high = (min(ends), max(ends)) if all(ends) else (max(ends), max(ends))
        else:
            low = high = line[0] * work.n + line[1] * work.cost
        strayed = self._strayed(line) / mean if mean > 0 else 0.0
        width = _FLOOR + strayed * (1 / math.sqrt(n) + 1 / math.sqrt(max(1.0, work.n)))
        return Range(low * max(0.25, 1 - width), high * (1 + width))

    def _line(self) -> tuple[float, float] | None:
        """Seconds of a fit, and seconds per cost; None where all fits had about one cost."""
        n, costs = self.seen_work.n, self.seen_work.cost
        spread = n * self.cost_squared - costs**2
        if n < 3 or spread <= 1e-9 * n * self.cost_squared:
            return None
        slope = (n * self.product - costs * self.seconds) / spread
        fixed = (self.seconds - slope * costs) / n
        if slope <= 0:
            return self.seconds / n, 0.0
        return (fixed, slope) if fixed >= 0 else (0.0, self.product / self.cost_squared)

    def _strayed(self, line: tuple[float, float] | None) -> float:
        """Standard deviation of what was seen about the line, or about the mean; half the mean for a single one."""
        n = self.seen_work.n
        if n < 2:
            return 0.25 * self.seconds
        fixed, slope = line or (self.seconds / n, 0.0)
        square = (
            self.seconds_squared
            - 2 * (fixed * self.seconds + slope * self.product)
            + n * fixed**2
            + 2 * fixed * slope * self.seen_work.cost
            + slope**2 * self.cost_squared
        )
        return math.sqrt(max(0.0, square) / (n - 1))
