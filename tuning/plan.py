"""Plan the fits of a sweep.

A fit is one fold times one group of candidates that one training serves (``tuning.grouping``). Where groups have steps
of a pipeline in common, it is one fold times all groups that do, so that a worker fits the steps once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuning.candidates import Candidate
from tuning.grouping import Group, grouped
from tuning.kept.responses import Keeps
from tuning.learners import learner_for
from tuning.strategies import Proposal
from tuning.workload import Workload


@dataclass(frozen=True, eq=False)
class Fit:
    """The unit of work: one fold, and the candidates that are fitted together on it.

    Attributes
    ----------
    fold : int
        Index of the fold.
    candidates : tuple of Candidate
    cost : float
        Relative to other fits of the same sweep.
    threads : int
        Threads that the fit may use.
    rows, rounds : float
        Shares of the fold's training rows and of the candidates' rounds.
    device : str or None
        The graphics card that the engine gives it to.
    alone : bool
        Whether to fit in the plainest way, sharing nothing.
    apart : bool
        Whether it is suspected of having ended its process once, and is to be run where it does no harm.
    keeps : {'nothing', 'seen', 'all'}
        Which of the models' answers for the test rows it brings back, see ``tuning.kept.responses``.
    """

    fold: int
    candidates: tuple[Candidate, ...]
    cost: float = 1.0
    threads: int = 1
    rows: float = 1.0
    rounds: float = 1.0
    device: str | None = None
    alone: bool = False
    apart: bool = False
    keeps: Keeps = "nothing"


def plan_fits(workload: Workload, proposals: Sequence[Proposal], workers: int) -> list[Fit]:
    """Turn `proposals` into fits, the costliest first.

    Parameters
    ----------
    workload : Workload
    proposals : sequence of Proposal
    workers : int
        Fits that run side by side. One-thread fits side by side beat one fit with many threads, so a fit gets more
        than one only where there are fewer fits than workers.
    """
    work = _work(workload, proposals)
    bundled = bundles(work, workers)
    threads = max(1, workers // max(1, len(bundled)))
    planned = [
        Fit(
            tried.fold,
            tuple(candidate for _, group in bundle for candidate in group.candidates),
            sum(group.cost for _, group in bundle) * tried.rounds,
            threads,
            tried.rows,
            tried.rounds,
        )
        for bundle in bundled
        for tried in [bundle[0][0]]
    ]
    return _with_idle_threads(sorted(planned, key=lambda fit: -fit.cost), workers, workload)


@dataclass(frozen=True)
class Tried:
    """On what candidates are tried together."""

    fold: int
    rows: float
    rounds: float


Work = tuple[Tried, Group]


def _work(workload: Workload, proposals: Sequence[Proposal]) -> list[Work]:
    """Every training that `proposals` need: by share of rows and rounds, by group, by fold."""
    shares: dict[tuple[float, float], dict[Candidate, Proposal]] = {}
    for proposal in proposals:
        shares.setdefault((proposal.rows, proposal.rounds), {})[proposal.candidate] = proposal
    return [
        (Tried(fold, *share), group.of([each for each in group.candidates if _is_tried_on(proposed[each], fold)]))
        for share, proposed in shares.items()
        for group in grouped(workload, list(proposed))
        for fold in range(len(workload.folds))
        if any(_is_tried_on(proposed[each], fold) for each in group.candidates)
    ]


def _is_tried_on(proposal: Proposal, fold: int) -> bool:
    return proposal.folds is None or fold in proposal.folds


def bundles(work: Sequence[Work], workers: int) -> list[list[Work]]:
    """Put together what has steps in common, as long as every worker still has something to do.

    The more steps are asked to be equal, the smaller the bundles and the more of them; the largest bundles that keep
    all workers busy are taken. The last few, which would keep some workers waiting, are cut in parts.
    """
    deepest = max((len(group.preparation) for _, group in work), default=0)
    for depth in range(1, deepest + 1):
        bundled = _bundled(work, depth)
        if len(bundled) >= workers:
            return _evened(bundled, workers)
    return [[each] for each in work]


def _bundled(work: Sequence[Work], depth: int) -> list[list[Work]]:
    bundles: dict[Any, list[Work]] = {}
    for place, (tried, group) in enumerate(work):
        prepared = group.preparation
        bundles.setdefault((tried, prepared[:depth]) if prepared else place, []).append((tried, group))
    return [sorted(bundle, key=lambda each: each[1].preparation) for bundle in bundles.values()]


def _evened(bundles: list[list[Work]], workers: int) -> list[list[Work]]:
    over = len(bundles) % workers
    if not over:
        return bundles
    parts = workers // over
    return [*bundles[:-over], *(part for bundle in bundles[-over:] for part in _parts(bundle, parts))]


def _parts(bundle: list[Work], n_parts: int) -> list[list[Work]]:
    size = -(-len(bundle) // n_parts)
    return [bundle[begin : begin + size] for begin in range(0, len(bundle), size)]


def _with_idle_threads(fits: list[Fit], workers: int, workload: Workload) -> list[Fit]:
    """Give the last fits the cores that would stand idle while they run, where threads change nothing."""
    over = len(fits) % workers
    if not over or len(fits) < workers or not learner_for(workload.estimator).any_threads:
        return fits
    return [*fits[:-over], *(replace(fit, threads=workers // over) for fit in fits[-over:])]
