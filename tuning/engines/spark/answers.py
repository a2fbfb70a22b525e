"""What a worker's answer means on the driver's side."""

from __future__ import annotations

from errors import EngineError
from tuning.engines.spark.worker import OVERDUE, SCORES, Answer
from tuning.engines.tasks import too_long
from tuning.results.fold_score import FoldScore


class OverdueError(Exception):
    """A fit took longer than it may; the cluster is well."""


def scores_in(answer: Answer) -> list[FoldScore]:
    """Return the scores of an answer.

    Raises
    ------
    OverdueError
        The fit took too long.
    EngineError
        The worker cannot run fits.
    """
    kind, content, _ = answer
    if kind == OVERDUE:
        raise OverdueError(too_long(content))
    if kind == SCORES:
        scores: list[FoldScore] = content
        return scores
    if kind == "lacking":
        host, package, python = content
        content = (
            f"worker {host} lacks the package '{package}' (its Python is {python}). "
            f"Install {package} there, or set PYSPARK_PYTHON to the Python of an environment that has it."
        )
    raise EngineError(content)
