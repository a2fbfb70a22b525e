"""Cells: what one candidate scores on one fold, and the address under which it is known for good.

An address stands for all that decides the scores: the rows, the fold, the estimator with every parameter, the scorers,
the share of rows and rounds, early stopping, our code and the user's own, the libraries' versions. It does not stand
for what decides none of them: the order of keys, cores and engine, dates and paths of files, the run, the place in the
grid, and whether a parameter is written under ``fixed`` or as the only value in ``grid``.

Equal addresses mean equal scores where the estimator draws its random numbers from a seed. Where it has none, a cell's
scores are one draw of many, and the known one is as true as another: it is kept, so that a sweep can be continued.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import Any, Protocol

from tuning import versions
from tuning.candidates import Candidate, as_json
from tuning.content import digest_of, files_digest, indices_digest, rows_digest
from tuning.plan import Fit
from tuning.results.fold_score import FoldScore
from tuning.spec.modules import installed_imports, local_modules, modules_named
from tuning.spec.sweep_spec import SweepSpec
from tuning.workload import Workload

Record = Mapping[str, Any]


class Memory(Protocol):
    """What remembers cells between sweeps; the loop asks it before it plans, and tells it of every fit.

    Thread
        ``begin`` may be called from any thread, the others come from the sweep's own.
    Failure
        A memory that cannot be read knows nothing, and one that cannot be written says so itself: neither ends a
        sweep. What it raises does.
    """

    def open(self, cells: Cells) -> None:
        """A sweep begins whose addresses `cells` makes."""

    def find(self, addresses: Sequence[str]) -> Mapping[str, Record]:
        """Return the records that are known of `addresses`."""

    def begin(self, addresses: Sequence[str]) -> None:
        """These cells are about to be fitted in this very process."""

    def suspects(self) -> Collection[str]:
        """Return the cells that have, or may have, taken an earlier process down."""

    def keep(self, records: Mapping[str, Record], lost: Collection[str]) -> None:
        """Remember `records`, by address; of those in `lost` a later sweep tries again."""


class Cells:
    """The addresses of one sweep's cells.

    Parameters
    ----------
    spec : SweepSpec
    workload : Workload
        Made of it.

    Attributes
    ----------
    ground : str
        Stands for what sweeps over the same rows have in common, whatever they fit: rows, code, Python, machine.
    family : str
        Stands for what candidates of one estimator have in common, whatever their parameters and folds.
    """

    def __init__(self, spec: SweepSpec, workload: Workload) -> None:
        self._spec, self._workload = spec, workload
        self._texts: dict[str, str] = {}
        self._versions: dict[str, str] = {}
        always = (*versions.ALWAYS, *(["pandas"] if hasattr(workload.data.X, "iloc") else []))
        self.ground = digest_of(
            rows_digest(workload.data), our_code(), versions.python_and_machine(), self._versions_of(always)
        )
        self.family = digest_of(self.ground, self._estimator(), self._judged_by(), self._code_of(self._used()))
        self._folds = [indices_digest(fold.train, fold.test) for fold in workload.folds]

    def address(
        self, candidate: Candidate, fold: int, rows: float = 1.0, rounds: float = 1.0, alone: bool = False
    ) -> str:
        """Name the cell of `candidate` on a fold, or on a share of its training rows and of the rounds.

        Fitted `alone` it scores the same, unless the sweep stops early: alone, a fit takes all of its rounds.
        """
        drawn_by = str(fold) if rows < 1.0 else ""  # a share is drawn with the fold's index as seed
        parts = [self.family, self._text(candidate), self._folds[fold], repr(rows), repr(rounds), drawn_by]
        return digest_of(*parts, *(["all rounds"] if alone and self._spec.early_stopping is not None else []))

    def of_fit(self, fit: Fit) -> dict[Candidate, str]:
        """Name the cells that `fit` will score."""
        return {each: self.address(each, fit.fold, fit.rows, fit.rounds, fit.alone) for each in fit.candidates}

    def _text(self, candidate: Candidate) -> str:
        """All parameters of a candidate, fixed ones included, and the code that its own values bring in."""
        if candidate.key not in self._texts:
            fixed, own = dict(self._spec.fixed), dict(candidate.params)
            # A whole step and its parameters are set in the order fixed, own; flat parameters in any.
            layers = [fixed, own] if _nested([*fixed, *own]) else [{**fixed, **own}]
            plain = all(map(_is_plain, own.values()))
            self._texts[candidate.key] = digest_of(*map(as_json, layers), "" if plain else self._code_of(own))
        return self._texts[candidate.key]

    def _estimator(self) -> str:
        written = self._spec.estimator
        return as_json({"class": written} if isinstance(written, str) else written)

    def _judged_by(self) -> str:
        scorers = {metric.name: list(astuple(metric)[1:]) for metric in self._spec.metrics}
        stopping = self._spec.early_stopping
        if stopping is None:
            return as_json(scorers)
        return as_json([scorers, stopping.model_dump(), self._spec.refit_scorer])

    def _used(self) -> list[Any]:
        """What every candidate needs, as written and as built."""
        spec, workload = self._spec, self._workload
        return [spec.estimator, spec.fixed, spec.scoring, workload.estimator, *workload.scorers.by_name.values()]

    def _code_of(self, used: Any) -> str:
        """Stand for the libraries, by version, and for the user's own modules, by content, that `used` needs."""
        own = local_modules(used)
        names = modules_named(used) - {place.stem for place in own}
        return digest_of(self._versions_of([*names, *installed_imports(own)]), files_digest(own))

    def _versions_of(self, packages: Iterable[str]) -> str:
        unknown = [package for package in packages if package not in self._versions]
        self._versions |= dict.fromkeys(unknown, "") | dict(versions.versions(unknown))
        return as_json({package: self._versions[package] for package in packages if self._versions[package]})


def our_code() -> str:
    """Stand for the code of this room, which makes estimators, fits and scores them."""
    import tuning
    from cache import code_digest

    return code_digest(tuning)


def to_record(score: FoldScore) -> Record:
    """Write down a score as JSON has it; floats keep every bit there."""
    record: dict[str, Any] = {
        "params": as_json(score.candidate.params),
        "fold": score.fold,
        "scores": dict(score.scores),
        "seconds": [score.fit_seconds, score.score_seconds],
        "share": score.share,
        "error": score.error,
        "warning": score.warning,
        "curves": {name: [float(value) for value in curve] for name, curve in score.curves.items()},
        "shared": score.shared,
    }
    return {name: value for name, value in record.items() if value not in (None, "", {})}


def from_record(record: Record, candidate: Candidate, fold: int, address: str) -> FoldScore | None:
    """Read a score of a candidate on a fold; None where the record is not what ``to_record`` writes."""
    try:
        fit_seconds, score_seconds = record["seconds"]
        return FoldScore(
            candidate,
            fold,
            {str(name): float(value) for name, value in record.get("scores", {}).items()},
            float(fit_seconds),
            float(score_seconds),
            _line(record.get("error")),
            _line(record.get("warning")),
            float(record["share"]),
            {str(name): [float(value) for value in curve] for name, curve in record.get("curves", {}).items()},
            str(record.get("shared", "")),
            cell=address,
            reused=True,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _line(said: Any) -> str | None:
    return None if said is None else str(said)


def _is_plain(value: Any) -> bool:
    """Whether `value` can name no code."""
    return "." not in value if isinstance(value, str) else isinstance(value, int | float | None)


def _nested(names: Collection[str]) -> bool:
    """Whether some name stands for a whole of which another names a part, as ``model`` and ``model__C`` do."""
    known = set(names)
    return any(name[:place] in known for name in names for place in _joints(name))


def _joints(name: str) -> list[int]:
    return [place for place in range(1, len(name) - 1) if name.startswith("__", place)]
