"""What a sweep could not make after its last fit, gathered so that it closes with one line about all of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from errors import GridfoldError, KeptForLaterError, UnfinishedError

_LONGEST_REASON = 300


class Missing:
    """What could not be made after the last fit, a clause each, and the first error for whoever debugs."""

    def __init__(self) -> None:
        self.clauses: list[str] = []
        self.cause: Exception | None = None
        self.table = "in the run"

    @contextmanager
    def unless(self, lost: str, cure: str = "") -> Iterator[None]:
        """Run the block; should it raise, note what is `lost`, why, and what to do."""
        try:
            yield
        except KeptForLaterError:
            pass  # not missing: it is made when the store is back
        except Exception as error:  # whatever it is, the result of the sweep outlives it
            self.add(lost, error, cure)

    def add(self, lost: str, error: Exception, cure: str = "") -> None:
        """Note what is `lost` by `error`."""
        self.cause = self.cause or error
        self.clauses.append(f"{lost} ({_reason(error)}){f': {cure}' if cure else ''}")

    def raise_if_any(self) -> None:
        """Say in one line what is there and what is not.

        Raises
        ------
        UnfinishedError
        """
        if self.clauses:
            line = f"the sweep's table is {self.table}, but {'; '.join(self.clauses)}."
            raise UnfinishedError(line) from self.cause


def _reason(error: Exception) -> str:
    if isinstance(error, GridfoldError):
        return str(error).rstrip(".")
    name = type(error).__name__.lstrip("_")
    said = next(iter(str(error).strip().splitlines()), "").strip().rstrip(".")
    return f"{name}: {said[:_LONGEST_REASON]}" if said else name
