"""The face of the library: scikit-learn's search classes with gridfold's plan of fits, engines and live record.

    from gridfold import GridSearchCV, RandomizedSearchCV

Nothing else of a notebook changes. The rooms behind it have everyday names (``cache``, ``features``, ``tracking``), and
a user's own project may well have modules of the same names, before or after ours. So a program that imports gridfold
gets the rooms as ``gridfold.cache`` and so on, from the folder that this file is in, and what they import of each other
by the short names is found there too. Entry points, whose working directory is the project, use the short names alone.
"""

from __future__ import annotations

import builtins
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from numbers import Integral
from os.path import dirname
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import sklearn.model_selection as theirs
import sklearn.model_selection._search_successive_halving as halving
from sklearn.utils._param_validation import Interval, StrOptions

if TYPE_CHECKING:
    from report.timeline import Span
    from tracking import EntryRun
    from tuning import SweepResult, SweepSpec
    from tuning.dropin.swept import Swept
    from tuning.linting import Finding

__all__ = ["GridSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV", "RandomizedSearchCV", "sweep"]

_ROOMS = frozenset({"cache", "errors", "masking", "report", "tracking", "tuning", "yaml12"})
__path__: list[str] = []  # makes this file a package: its rooms are found by _Rooms alone


class _Rooms(MetaPathFinder):
    """Finds ``gridfold.ROOM`` beside this file, in a folder or in the archive that Spark's workers are sent."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        top, _, rest = fullname.partition(".")
        room, _, below = rest.partition(".")
        if top != __name__ or room not in _ROOMS:
            return None
        spec = PathFinder.find_spec(fullname, path if below else [dirname(__file__)])
        if spec is not None and spec.loader is not None:
            spec.loader = _RoomLoader(spec.loader)
        return spec


class _RoomLoader(Loader):
    """Runs a module of ours with an ``import`` that takes rooms for ours, whatever else has their names."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = _BUILTINS
        self._loader.exec_module(module)

    def __getattr__(self, name: str) -> Any:
        if name == "_loader":
            raise AttributeError(name)
        return getattr(self._loader, name)  # sources for tracebacks, resources


def _import(
    name: str,
    globals: Mapping[str, object] | None = None,
    locals: Mapping[str, object] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> ModuleType:
    room = name.partition(".")[0]
    if level or room not in _ROOMS:
        return builtins.__import__(name, globals, locals, fromlist or (), level)
    module = builtins.__import__(f"{__name__}.{name}", globals, locals, fromlist or (), 0)
    return module if fromlist else sys.modules[f"{__name__}.{room}"]


_BUILTINS = {**vars(builtins), "__import__": _import}
sys.meta_path.insert(0, _Rooms())
globals()["__builtins__"] = _BUILTINS  # for the functions below, which import the rooms when they are needed


_record: ContextVar[Any] = ContextVar("record", default=None)
"""Of the search whose ``fit`` is running."""


class _Search:
    """What gridfold adds to a search class of scikit-learn's.

    Parameters, attributes and results are scikit-learn's: scores to the bit, those of XGBoost to 1e-6. What gridfold
    cannot share so exactly is fitted as scikit-learn fits it. These are new, and keyword-only:

    Parameters
    ----------
    engine : {"auto", "local", "spark"}, default="auto"
        Where fits run; ``auto`` is spark where this process has a Spark session or `master` is given (over Spark
        Connect alone, where one task has shown that it can).
    master : str, default=None
        Address of a Spark master, to start a session at.
    cores : int, default=None
        Fits side by side. None follows `n_jobs`, and where that is None too, all cores are used; with 1 all fits run
        in this process and thread. Searches of a few seconds do so in any case.
    track : bool, default=None
        Whether to keep an MLflow run with a nested run for each candidate. None does where a run is active, a tracking
        URI is set or autologging is on, which is off while the search fits.

    Attributes
    ----------
    how_it_ran : str
        How many fits served how many candidates, and where; or why scikit-learn's own way was taken.
    """

    engine: str
    master: str | None
    cores: int | None
    track: bool | None

    _additions: ClassVar[dict[str, list[Any]]] = {
        "engine": [StrOptions({"auto", "local", "spark"})],
        "master": [str, None],
        "cores": [Interval(Integral, 1, None, closed="left"), None],
        "track": ["boolean", None],
    }

    def __init__(
        self,
        *args: Any,
        engine: str = "auto",
        master: str | None = None,
        cores: int | None = None,
        track: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.engine, self.master, self.cores, self.track = engine, master, cores, track

    def __init_subclass__(cls) -> None:
        """Give the class its own ``__init__`` with the parameters of both, which scikit-learn reads from there."""
        super().__init_subclass__()
        if _Search not in cls.__bases__:  # the user's own subclass of one of ours
            return
        own = inspect.signature(vars(cls.__mro__[2])["__init__"])
        additions = inspect.signature(_Search.__init__).parameters
        added = [additions[name] for name in _Search._additions]

        def initialise(self: Any, *args: Any, **kwargs: Any) -> None:
            _Search.__init__(self, *args, **kwargs)

        initialise.__signature__ = own.replace(parameters=[*own.parameters.values(), *added])  # type: ignore[attr-defined]
        cls.__init__ = initialise  # type: ignore[method-assign]
        cls.__doc__ = f"{cls.__doc__}\n\n    {inspect.getdoc(_Search)}"
        cls._parameter_constraints = {**cls._parameter_constraints, **_Search._additions}  # type: ignore[attr-defined]

    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Run fit with all sets of parameters; see the same method of scikit-learn's class.

        Afterwards ``how_it_ran`` says in a few words how many fits there were, and where.
        """
        with _recorded(self) as record, _autologging_off():
            before = _record.set(record)
            try:
                fitted = super().fit(X, y, **params)  # type: ignore[misc]
            finally:
                _record.reset(before)
            if record is not None:
                record.ended(self)
        return fitted

    def _run_search(self, evaluate_candidates: Any, *, callback_ctx: Any = None) -> None:
        from tuning.dropin.parallel import planned

        given = {} if callback_ctx is None else {"callback_ctx": callback_ctx}
        super()._run_search(planned(self, evaluate_candidates, _record.get()), **given)  # type: ignore[misc]


@contextmanager
def _recorded(search: Any) -> Iterator[Any]:
    """Give the live record of a search; None, and MLflow not imported, where it is not to be tracked."""
    from tuning.dropin.parallel import is_tracked

    if not is_tracked(search.track):
        yield None
        return
    from tracking.searches import SearchRecord

    with SearchRecord(search) as record:
        yield record


@contextmanager
def _autologging_off() -> Iterator[None]:
    """Keep MLflow from logging our fits as a person's own, where it is in use at all."""
    if "mlflow" not in sys.modules:
        yield
        return
    from tracking.autologging import held_off

    with held_off():
        yield


class GridSearchCV(_Search, theirs.GridSearchCV):  # type: ignore[misc]
    """scikit-learn's GridSearchCV, faster, on a cluster if there is one, and recorded live."""


class RandomizedSearchCV(_Search, theirs.RandomizedSearchCV):  # type: ignore[misc]
    """scikit-learn's RandomizedSearchCV, faster, on a cluster if there is one, and recorded live."""


class HalvingGridSearchCV(_Search, halving.HalvingGridSearchCV):  # type: ignore[misc]
    """scikit-learn's HalvingGridSearchCV, faster, on a cluster if there is one, and recorded live."""


class HalvingRandomSearchCV(_Search, halving.HalvingRandomSearchCV):  # type: ignore[misc]
    """scikit-learn's HalvingRandomSearchCV, faster, on a cluster if there is one, and recorded live."""


def sweep(
    spec: str | Path | Mapping[str, Any],
    X: Any,
    y: Any,
    *,
    groups: Any = None,
    sample_weight: Any = None,
    engine: str = "auto",
    master: str | None = None,
    cores: int = 0,
    track: bool | None = None,
) -> Swept:
    """Do what a sweep spec asks for on `X` and `y`.

    Parameters
    ----------
    spec : str, Path, dict or SweepSpec
        The path of a YAML file, or what stands in one.
    X : ndarray, sparse matrix or DataFrame of shape (n_rows, n_columns)
    y : array-like of shape (n_rows,)
    groups, sample_weight : array-like of shape (n_rows,), default=None
    engine, master, track
        As in `GridSearchCV`.
    cores : int, default=0
        Fits side by side; 0 for all cores.

    Returns
    -------
    Swept
        ``result``, ``cv_results_`` (a DataFrame), ``best_params_``, ``best_score_`` and the refitted
        ``best_estimator_``.
    """
    from tuning.dropin.parallel import is_tracked
    from tuning.dropin.swept import audited_or_refused, read_spec, rows_of, swept

    asked = read_spec(spec)
    rows = rows_of(asked, X, y, groups, sample_weight)
    warned = audited_or_refused(asked, rows)
    if not is_tracked(track):
        with _autologging_off():
            return swept(asked, rows, engine, master, cores, [])
    from errors import TrackingError
    from report.page import FILE
    from report.sweep_note import SweepNote
    from report.timeline import Timeline
    from tracking.heading import mark_sweep
    from tracking.report import log_result
    from tracking.searches import Dispensable, sweep_record, warn_of
    from tracking.views import Pages, open_views

    found = None
    try:
        with sweep_record("sweep") as (run, recorder):
            mark_sweep(run, asked)
            note, timeline = SweepNote(Pages(run, open_views(run, asked)), asked), Timeline()
            with note.live() as live, _autologging_off():
                found = swept(asked, rows, engine, master, cores, [timeline, Dispensable(recorder), live])
            log_result(run, asked, found.result)
            drawn = _illustrate(run, asked, found.result, timeline.spans, {"rows": f"{rows.n_rows:,}"}, warned)
            note.write(found.result, pictures=drawn, page=FILE, audited=warned)
    except TrackingError as error:
        if found is None:
            raise
        warn_of(error)
    return found


def _illustrate(
    run: EntryRun,
    spec: SweepSpec,
    result: SweepResult,
    spans: list[Span],
    data: dict[str, str],
    audited: list[Finding],
) -> list[str]:
    """Put the pictures and the page of a sweep into its run, and return the pictures' names."""
    from report.page import FILE, page
    from report.pictures import Album
    from report.story import Story
    from tracking.report import PLOTS_FOLDER
    from tuning.naming import estimator_name
    from tuning.results.significance import verdict

    album = Album()
    with TemporaryDirectory() as folder:
        album.add_result(result, spec, Path(folder))
        run.log_folder(Path(folder), PLOTS_FOLDER)
    title, estimator = run.title or run.name, estimator_name(spec)
    story = Story(
        title, estimator, spec, result, verdict(result), data, drawn=album.drawn, spans=spans, audited=audited
    )
    run.log_text(page(story), FILE)
    return [picture.name for picture in album.drawn]
