"""What a strategy will still ask for, as far as anyone can know: rungs of halving, folds of racing, draws of TPE."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tuning.engines.ledger import State
from tuning.pace import Work
from tuning.spec.checks import options_of
from tuning.spec.sweep_spec import SweepSpec
from tuning.strategies.halving import HalvingStrategy, rungs
from tuning.strategies.racing import RacingStrategy

Counts = Mapping[tuple[float, int], int]
"""How many candidates have been tried, by share of rows and rounds and by fold."""


@dataclass(frozen=True)
class Rung:
    """Candidates that are tried on the same.

    Attributes
    ----------
    where : str
        ``11% of the rounds``, ``fold 3``.
    candidates : int
    share : float
        Of a candidate's work on all folds.
    asked : bool
        Whether it has begun.
    """

    where: str
    candidates: int
    share: float
    asked: bool = True


def ladder(spec: SweepSpec, n_folds: int, counts: Counts) -> list[Rung]:
    """Return the rungs that candidates climb, those that have not begun with the most that can reach them.

    Empty for strategies that judge everyone on the same.
    """
    options = options_of(spec.search.strategy, spec.search.options)
    if isinstance(options, HalvingStrategy.Options):
        return _halving(options, counts)
    return _racing(options, n_folds, counts) if isinstance(options, RacingStrategy.Options) else []


def ahead(spec: SweepSpec, n_candidates: int | None, n_folds: int, counts: Counts, state: State) -> tuple[Work, Work]:
    """Return the work that will still be asked for, at least and at most."""
    steps = ladder(spec, n_folds, counts)
    if not steps:
        asked = sum(count for (_, fold), count in counts.items() if fold == 0)
        missing = state.cell.times(max(0, (n_candidates or 0) - asked) * n_folds) if asked else Work()
        return missing, missing
    least = most = Work()
    for rung in steps:
        if not rung.asked:
            fewest = rung.candidates if spec.search.strategy == "halving" else 1
            least += state.cell.times(rung.share * n_folds * fewest)
            most += state.cell.times(rung.share * n_folds * rung.candidates)
    return least, most


def _halving(options: HalvingStrategy.Options, counts: Counts) -> list[Rung]:
    climbing = max((count for (_, fold), count in counts.items() if fold == 0), default=0)
    if not climbing:
        return []
    steps: list[Rung] = []
    for share in rungs(climbing, options.factor, options.min_share):
        begun = max((count for (seen, _), count in counts.items() if math.isclose(seen, share)), default=0)
        climbing = begun or math.ceil(climbing / options.factor if steps else climbing)
        steps.append(Rung(f"{share:.0%} of the {options.resource}", climbing, share, bool(begun)))
    return steps


def _racing(options: RacingStrategy.Options, n_folds: int, counts: Counts) -> list[Rung]:
    begun = {fold: count for (_, fold), count in sorted(counts.items())}
    if not begun:
        return []
    first = min(n_folds, options.min_folds)
    steps = [Rung(f"folds 0 to {first - 1}", begun.get(0, 0), first / n_folds)]
    for fold in range(first, n_folds):
        racing = begun.get(fold, steps[-1].candidates)
        steps.append(Rung(f"fold {fold}", racing, 1 / n_folds, fold in begun))
    return steps
