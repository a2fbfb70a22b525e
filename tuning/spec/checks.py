"""Does the spec make sense? Everything that can be known before data are read.

Each check takes the values that it looks at, so that what is right in a spec is checked although something else is
wrong in it; ``sweep_spec`` asks them all and says everything at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from errors import SpecError, did_you_mean
from tuning.candidates import as_json
from tuning.learners import learner_for
from tuning.learners.unfitted import seeds_of
from tuning.spec import file as spec_file
from tuning.spec.messages import problem
from tuning.spec.mistakes import Mistakes
from tuning.spec.objects import OBJECT_PARAMETERS
from tuning.spec.scoring import ESTIMATOR, Metric
from tuning.strategies import STRATEGIES, Options


def options_of(strategy: str, options: Mapping[str, Any]) -> Options:
    """Return what the spec tells its strategy.

    Raises
    ------
    SpecError
        There is no such strategy, or it does not know such an option.
    """
    mistakes = Mistakes()
    if strategy not in STRATEGIES:
        hint = did_you_mean(strategy, STRATEGIES) or f" Known strategies: {', '.join(STRATEGIES)}."
        mistakes.note(f"there is no strategy '{strategy}'.{hint}", "search", "strategy")
        mistakes.raise_found()
    with mistakes.at("search"):
        found: Options = spec_file.validate(STRATEGIES[strategy].Options, options)
    mistakes.raise_found()
    return found


def check_grid(grid: Any) -> None:
    """Refuse what is neither a mapping of lists nor a list of such mappings."""
    if isinstance(grid, dict):
        return _check_grid_values(grid)
    if not isinstance(grid, list):
        raise problem(f"expected a mapping of lists, or a list of such mappings, got {grid!r}")
    for place, each in enumerate(grid):
        if not isinstance(each, dict):
            raise problem(f"expected a mapping of lists, got {each!r}", str(place))
        _check_grid_values(each, f"{place}.")
    return None


def _check_grid_values(grid: Mapping[Any, Any], within: str = "") -> None:
    """Refuse a grid entry that is no list, an empty one, or one that names a value twice."""
    for key, values in grid.items():
        name = f"{within}{key}"
        if not isinstance(values, list):
            raise problem(f"expected a list of values, got {values!r}. Write [{values}]", str(name))
        if not values:
            raise problem("the list is empty. Give at least one value, or remove the key", str(name))
        texts = [_text(name, value) for value in values]
        for place, text in enumerate(texts):
            if text in texts[:place]:
                raise problem(f"the value {text} stands twice. Remove one", str(name))


def _text(name: Any, value: Any) -> str:
    try:
        return as_json(value)
    except TypeError:
        kind = type(value).__name__
        raise problem(f"{value} is a {kind}; expected numbers, text, booleans, lists or null", str(name)) from None


def check_scorers(metrics: Sequence[Metric], refit: str | None, mistakes: Mistakes) -> None:
    """Note scorers that do not exist, and a winner that nothing chooses."""
    if not metrics:
        mistakes.note("the list is empty. Name at least one scorer, such as neg_log_loss.", "scoring")
        return
    for metric in metrics:
        with mistakes.at("scoring"):
            metric.build()
    names = [metric.name for metric in metrics]
    if len(set(names)) < len(names):
        mistakes.note("a scorer stands twice. Remove one.", "scoring")
        return
    if refit is not None and refit not in names:
        mistakes.note(f"'{refit}' is not among the scorers {', '.join(names)}.{did_you_mean(refit, names)}", "refit")
    if len(names) > 1 and refit is None:
        mistakes.note(
            f"the key is missing. With several scorers, name the one that chooses the winner: refit: {names[0]}.",
            "refit",
        )


def check_seeds(estimator: Any, mistakes: Mistakes) -> None:
    """Note that other seeds are asked for where nothing draws random numbers."""
    if not seeds_of(estimator):
        kind = type(getattr(estimator, "steps", [("", estimator)])[-1][1]).__name__
        mistakes.note(f"{kind} has no random_state, so no seed changes its scores. Remove the key.", "seeds")


def check_responses(metrics: Sequence[Metric], estimator: Any, mistakes: Mistakes) -> None:
    """Note scorers of probabilities for an estimator that has none, which would fail every single fit."""
    for metric in metrics:
        try:
            scorer = metric.build()
        except SpecError:
            continue  # noted by check_scorers
        needed: Any = getattr(scorer, "_response_method", "predict")  # not public; without it, fits report
        methods = (needed,) if isinstance(needed, str) else tuple(needed)
        if methods != ("default",) and not any(_responds(estimator, method) for method in methods):
            mistakes.note(
                f"{metric.name} needs {' or '.join(methods)}, which {type(estimator).__name__} does not have. "
                "Choose another scorer or estimator.",
                "scoring",
            )


def _responds(estimator: Any, method: str) -> bool:
    """Whether `estimator` has the method, or may have it once it is fitted with the defaults of what it contains."""
    unset = any(value is None and name in OBJECT_PARAMETERS for name, value in estimator.get_params(deep=False).items())
    return hasattr(estimator, method) or (unset and hasattr(type(estimator), method))


def check_own_early_stopping(values: Iterable[tuple[tuple[str, ...], str, Any]], mistakes: Mistakes) -> None:
    """Note an estimator's own early stopping, which has nothing to stop on in a fold."""
    for key, name, value in values:
        if name.rpartition("__")[2] == "early_stopping_rounds" and value is not None:
            mistakes.note(
                "a fold has no rows to stop on but its test rows, one fold at a time, which would "
                "leak. Remove it and write early_stopping: {patience: 20}, which chooses the rounds over all folds.",
                *key,
                name,
            )


def check_can_keep(metrics: Sequence[Metric], stops_early: bool, mistakes: Mistakes) -> None:
    """Note why the predictions of all candidates cannot be kept."""
    if stops_early:
        mistakes.note(
            "early_stopping chooses the rounds when all folds have been scored, so only the winner's are kept. Remove "
            "one of the two keys.",
            "keep",
        )
    for metric in metrics:
        if metric.needs == (ESTIMATOR,):
            mistakes.note(
                f"{metric.name} looks at the estimator itself, so there are no predictions that make its score. Remove "
                "the key, or the scorer.",
                "keep",
            )


def check_early_stopping(
    estimator: Any, varied: Mapping[str, tuple[str, ...]], strategy: str, mistakes: Mistakes
) -> None:
    """Note what does not go with stopping that the folds decide on together.

    Parameters
    ----------
    estimator : object
        One of the candidates'.
    varied : mapping of str to tuple of str
        The keys under which parameters vary.
    strategy : str
    mistakes : Mistakes
    """
    learner = learner_for(estimator)
    if not learner.can_stop_early(estimator):
        kind = type(getattr(estimator, "steps", [("", estimator)])[-1][1]).__name__
        mistakes.note(
            f"{kind} with these parameters has no rounds of which the first are a shorter fit. Remove the key.",
            "early_stopping",
        )
    rounds = learner.rounds_name(estimator)
    if rounds is not None and rounds in varied:
        mistakes.note("early_stopping chooses it. Put the largest allowed under fixed.", *varied[rounds], rounds)
    if strategy in ("racing", "halving"):
        mistakes.note(f"it needs every fold in full, which {strategy} does not give.", "early_stopping")


def check_devices(values: Iterable[tuple[tuple[str, ...], str, Any]]) -> None:
    """Refuse a graphics card that is not there.

    Raises
    ------
    SpecError
    """
    asked = [value for _, name, value in values if name.rpartition("__")[2] == "device" and value is not None]
    if asked:
        from tuning.learners import graphics_cards

        graphics_cards.check_devices(asked)
