"""What the rows and the folds say against a sweep before its first fit: scores that new rows would not repeat.

Each check is a module here and a line in ``audited``; each code has its section in ``docs/findings.md``. None compares
rows with rows: copies are found by a key of each row, columns are refuted by a few rows before all are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from errors import SpecError
from tuning.audit.copies import copies
from tuning.audit.giveaways import giveaways
from tuning.audit.groups import undeclared_groups
from tuning.audit.order import neighbours, times
from tuning.audit.table import Audited
from tuning.dataset import Dataset
from tuning.linting.finding import Finding
from tuning.spec.sweep_spec import SweepSpec

_CHECKS: tuple[Callable[[Audited], Iterator[Finding]], ...] = (copies, undeclared_groups, neighbours, times, giveaways)


def audited(spec: SweepSpec, train: Dataset, holdout: Dataset | None = None) -> list[Finding]:
    """Look at the rows that `spec` is to be swept over.

    Parameters
    ----------
    spec : SweepSpec
        With ``audit: off`` nothing is looked at.
    train : Dataset
    holdout : Dataset or None
        Rows that no fold sees.

    Returns
    -------
    list of Finding
        In the order of their codes. Rows are named by their ids, or numbered from 0, training rows first.

    Raises
    ------
    SpecError
        The folds do not fit the data.
    """
    if spec.audit == "off" or len(train.X.shape) != 2:
        return []
    rows = Audited(spec, train, holdout)
    return [finding for check in _CHECKS for finding in check(rows)]


def refuse_if_strict(spec: SweepSpec, found: Sequence[Finding]) -> None:
    """Refuse a sweep whose spec has ``audit: strict``, if anything was found.

    Raises
    ------
    SpecError
    """
    if not found or spec.audit != "strict":
        return
    first, *others = found
    more = f" (and {', '.join(each.code for each in others)})" if others else ""
    raise SpecError(
        f"audit: {first.code} {first.words}{more}. {first.advice}; or write `audit: warn` to sweep all the same."
    )
