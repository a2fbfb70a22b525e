"""From the spec's ``search`` to a strategy, and what the choice gives up."""

from __future__ import annotations

from collections.abc import Sequence

from tuning.plan import Workload
from tuning.spec.checks import options_of
from tuning.spec.sweep_spec import SweepSpec
from tuning.strategies import STRATEGIES, Setting, Strategy

_DEFAULT_BINS = 256


def make_strategy(spec: SweepSpec, workload: Workload) -> Strategy:
    """Build the strategy that `spec` names.

    Raises
    ------
    SpecError
        The strategy and the space do not go together.
    """
    fold = workload.folds[0]
    setting = Setting(
        len(workload.folds), spec.refit_scorer, len(fold.test) / len(fold.train), spec.budget.max_candidates
    )
    strategy: Strategy = STRATEGIES[spec.search.strategy](spec.space, options_of(spec), setting)
    return strategy


def may_stop(spec: SweepSpec) -> bool:
    """Whether candidates may end before they are judged on every fold in full."""
    return STRATEGIES[spec.search.strategy].approximation is not None or spec.budget.max_time is not None


def approximations(spec: SweepSpec) -> Sequence[str]:
    """Say what `spec` gives up for speed, a sentence each; nothing where every figure is exact."""
    said = [STRATEGIES[spec.search.strategy].approximation]
    bins = [value for value in [spec.fixed.get("max_bin"), *spec.grid.get("max_bin", [])] if value is not None]
    if any(value < _DEFAULT_BINS for value in bins):
        said.append(f"max_bin {', '.join(map(str, bins))} cuts features more coarsely than XGBoost's {_DEFAULT_BINS}")
    if spec.budget.max_candidates is not None or spec.budget.max_time is not None:
        said.append("the budget may leave candidates untried")
    return [sentence for sentence in said if sentence is not None]
