"""Several mistakes at once: a check notes each under its key and goes on, and all are raised together at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from errors import SpecError


@dataclass(frozen=True)
class Mistake:
    """One mistake of a spec.

    Attributes
    ----------
    key : tuple of str
        Where: the keys from the top of the file.
    sentence : str
        What is wrong and what to do.
    """

    key: tuple[str, ...]
    sentence: str

    def __str__(self) -> str:
        return f"{'.'.join(self.key)}: {self.sentence}" if self.key else self.sentence


class MistakesError(SpecError):
    """Every mistake that was found, a line each.

    Parameters
    ----------
    found : list of Mistake
        At least one; what stands there twice is said once.
    """

    def __init__(self, found: list[Mistake]) -> None:
        self.found = list(dict.fromkeys(found))
        super().__init__("\n".join(map(str, self.found)))

    def __reduce__(self) -> tuple[type[MistakesError], tuple[list[Mistake]]]:
        return type(self), (self.found,)


class Mistakes:
    """Collects mistakes.

    Attributes
    ----------
    found : list of Mistake
    """

    def __init__(self) -> None:
        self.found: list[Mistake] = []

    def note(self, sentence: str, *key: str) -> None:
        """Note a mistake at `key`."""
        self.found.append(Mistake(key, sentence))

    @contextmanager
    def at(self, *key: str) -> Iterator[None]:
        """Note what is raised in the block, below `key`, and go on after it."""
        try:
            yield
        except MistakesError as error:
            self.found += [Mistake((*key, *mistake.key), mistake.sentence) for mistake in error.found]
        except SpecError as error:
            self.note(str(error), *key)

    def raise_found(self) -> None:
        """Raise all of them, where there are any.

        Raises
        ------
        MistakesError
        """
        if self.found:
            raise MistakesError(self.found)
