"""What candidates are judged by, as a spec says it: names, objects with parameters, functions of the user's own.

| written under ``scoring`` | the scorer |
| --- | --- |
| ``accuracy`` | scikit-learn's, by name |
| ``{scorer: f1, average: macro}`` | that scorer with other parameters |
| ``{scorer: fbeta_score, beta: 2}`` | ``make_scorer(sklearn.metrics.fbeta_score, beta=2)`` |
| ``cost: {function: mine.cost, greater_is_better: false, needs: predict_proba, ...}`` | the same of any function |

``needs`` and ``greater_is_better`` need not be said for a function of scikit-learn's: its own scorers show what it
takes, and by its convention what ends in _loss, _error or _deviance is better when smaller.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sklearn.metrics
from pydantic_core import PydanticCustomError
from sklearn.metrics import get_scorer, get_scorer_names, make_scorer

import yaml12
from errors import SpecError, did_you_mean
from tuning.spec.allowed import function_named
from tuning.spec.messages import problem

METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function")
ESTIMATOR = "estimator"
"""What a function needs that is called as ``function(estimator, X, y)``."""

_SETTINGS = ("scorer", "function", "greater_is_better", "needs")
_SMALLER_IS_BETTER = ("_loss", "_error", "_deviance")


@dataclass(frozen=True)
class Metric:
    """One scorer that a spec asks for.

    Attributes
    ----------
    name : str
        Of its columns and metrics.
    what : str
        A scorer's name, a function of ``sklearn.metrics``, or a dotted path.
    params : mapping of str to object
        For the function.
    needs : sequence of str
        Methods of the estimator, the first that it has is called; empty where the function tells.
    greater_is_better : bool or None
        None where the function tells.
    """

    name: str
    what: str
    params: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    greater_is_better: bool | None = None

    def build(self) -> Any:
        """Make the scorer.

        Raises
        ------
        SpecError
            There is no such scorer or function, or it does not take these parameters.
        """
        if self.what in get_scorer_names():
            scorer = get_scorer(self.what)
            if not (self.params or self.needs or self.greater_is_better is not None):
                return scorer
            return self._made(scorer._score_func, scorer)
        function = function_of(self.what)
        return self._made(function, _scorer_with(function, self.params))

    def _made(self, function: Callable[..., Any], like: Any) -> Any:
        """Make a scorer of `function` that is like another one wherever the spec says nothing else."""
        params = {**(like._kwargs if like is not None and like._score_func is function else {}), **self.params}
        _check_parameters(self.name, function, params, 3 if self.needs == (ESTIMATOR,) else 2)
        greater = self.greater_is_better
        if greater is None:
            greater = like._sign > 0 if like is not None else not self.what.endswith(_SMALLER_IS_BETTER)
        if self.needs == (ESTIMATOR,):
            return EstimatorScorer(function, params, 1 if greater else -1)
        response = self.needs or (like._response_method if like is not None else "predict")
        return make_scorer(function, response_method=response, greater_is_better=greater, **params)


@dataclass(frozen=True)
class EstimatorScorer:
    """A function that looks at the fitted estimator itself, as a scorer."""

    function: Callable[..., Any]
    params: Mapping[str, Any]
    sign: int

    def __call__(self, estimator: Any, X: Any, y: Any, **more: Any) -> float:
        """Score `estimator` on the rows."""
        return float(self.sign * self.function(estimator, X, y, **self.params, **more))

    def _accept_sample_weight(self) -> bool:  # what scikit-learn asks of a scorer before it hands weights over
        return "sample_weight" in inspect.signature(self.function).parameters


def metrics_of(scoring: Any) -> tuple[Metric, ...]:
    """Read what stands under ``scoring``, in its order.

    Raises
    ------
    PydanticCustomError
        It is none of the ways to say a scorer; the key is counted from ``scoring``.
    """
    if isinstance(scoring, str):
        return (Metric(scoring, scoring),)
    if isinstance(scoring, list):
        return tuple(metric for place, each in enumerate(scoring) for metric in _entry(each, str(place)))
    if isinstance(scoring, Mapping):
        return _entry(scoring, "")
    raise problem(f"expected the name of a scorer, a list, or an object such as {{scorer: f1}}, got {scoring!r}")


def metric_of(given: Any, where: str) -> Metric:
    """Read one scorer that is asked for outside a spec's ``scoring``, as a spec has it, and see that it can be made.

    Parameters
    ----------
    given : object
        A name or an object; or the text of an object, as a parameter of a command is.
    where : str
        What begins the refusal: the key or the parameter.

    Raises
    ------
    SpecError
        There is no such scorer, or it is none.
    """
    try:
        is_text = isinstance(given, str) and given.lstrip().startswith("{")
        metrics = metrics_of([yaml12.read(given) if is_text else given])
        if len(metrics) != 1:
            raise SpecError(f"expected one scorer, got {len(metrics)}")
        metrics[0].build()
    except (SpecError, PydanticCustomError, yaml12.YamlError, ValueError) as error:
        why = str(error)
        raise SpecError(f"{where}: {why if why.endswith(('.', '?')) else f'{why}.'}") from error
    return metrics[0]


def _entry(given: Any, key: str) -> tuple[Metric, ...]:
    if isinstance(given, str):
        return (Metric(given, given),)
    if not isinstance(given, Mapping):
        raise problem(f"expected the name of a scorer, or an object such as {{scorer: f1}}, got {given!r}", key)
    if isinstance(given.get("scorer"), str) or isinstance(given.get("function"), str):
        return (_object(given, None, key),)
    within = f"{key}." if key else ""
    return tuple(_named(str(name), each, f"{within}{name}") for name, each in given.items())


def _named(name: str, given: Any, key: str) -> Metric:
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise problem(f"'{name}' cannot be a metric's name. Use letters, digits, '_', '-' and '.'", key)
    if isinstance(given, str):
        return Metric(name, given)
    if not isinstance(given, Mapping):
        raise problem(f"expected an object such as {{function: mine.cost}}, got {given!r}", key)
    return _object(given, name, key)


def _object(given: Mapping[str, Any], name: str | None, key: str) -> Metric:
    said = [which for which in ("scorer", "function") if which in given]
    if len(said) != 1 or not isinstance(given[said[0]], str):
        hint = f". Write {{function: {given['make_scorer']}, ...}}" if "make_scorer" in given else ""
        raise problem(f"expected either scorer or function, and its name{hint}", key)
    params = {parameter: value for parameter, value in given.items() if parameter not in _SETTINGS}
    needs = given.get("needs", ())
    needs = (needs,) if isinstance(needs, str) else tuple(needs)
    if wrong := [method for method in needs if method not in (*METHODS, ESTIMATOR)]:
        raise problem(f"needs: expected {', '.join(METHODS)} or {ESTIMATOR}, got {wrong[0]!r}", key)
    greater = given.get("greater_is_better")
    if greater not in (None, True, False):
        raise problem(f"greater_is_better: expected true or false, got {greater!r}", key)
    what = given[said[0]]
    return Metric(name or _derived(what, params), what, params, needs, greater)


def _derived(what: str, params: Mapping[str, Any]) -> str:
    """Name a scorer after its function and parameters: ``fbeta_score_beta_2``."""
    words = [what.rpartition(".")[2], *(f"{name}_{value}" for name, value in params.items())]
    return re.sub(r"[^\w.-]+", "_", "_".join(words)).strip("_")


def function_of(path: str) -> Callable[..., Any]:
    """Import a function of ``sklearn.metrics``, by its name alone, or of any module, by its dotted path.

    Raises
    ------
    SpecError
        There is no such function.
    """
    if "." not in path:
        found = getattr(sklearn.metrics, path, None) if path in sklearn.metrics.__all__ else None
        if not inspect.isfunction(found):
            known = [*get_scorer_names(), *(name for name in sklearn.metrics.__all__ if name[0].islower())]
            raise SpecError(f"scikit-learn has no scorer '{path}'.{did_you_mean(path, known)}")
        return found
    return function_named(path)


def _scorer_with(function: Callable[..., Any], params: Mapping[str, Any]) -> Any:
    """Find scikit-learn's own scorer of `function` whose parameters are nearest to `params`; None where it has none."""
    scorers = [get_scorer(name) for name in get_scorer_names()]
    own = [scorer for scorer in scorers if getattr(scorer, "_score_func", None) is function]
    fitting = [each for each in own if all(params.get(name) == value for name, value in each._kwargs.items())]
    if fitting:
        return max(fitting, key=lambda scorer: len(scorer._kwargs))
    return own[0] if own else None


def _check_parameters(name: str, function: Callable[..., Any], params: Mapping[str, Any], n_given: int) -> None:
    """Refuse what would fail every call of the function, which is given so many arguments without a name."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*(None,) * n_given, **params)
    except TypeError as error:
        takes = [known for known in signature.parameters if known not in ("y_true", "y_pred", "sample_weight")]
        unknown = next((parameter for parameter in params if parameter not in signature.parameters), "")
        raise SpecError(f"{name}: {error}.{did_you_mean(unknown, takes)}") from error
