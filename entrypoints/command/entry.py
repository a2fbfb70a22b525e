"""What turns a function into an entry point: arguments in, a run around it, one line and an exit code out.

The only place that catches. We do not use click or typer: MLflow hands over ``--name value`` pairs and nothing else,
and the same line must reach the terminal and the run's note, which a command-line library would print and exit past.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import Generic, NoReturn, TypeVar, get_type_hints

from entrypoints.command import interrupts
from entrypoints.command.failures import Failure, explain
from entrypoints.command.launcher import typed
from entrypoints.command.usage import asks_for_help, usage
from entrypoints.command.waking import waking
from entrypoints.parameters import Params, contradicted, parse, wants_debug
from entrypoints.terminal.results import where_to_look
from errors import TrackingError
from masking import libraries_masked, masked
from tracking import EntryRun
from tracking.autologging import held_off
from tracking.links import links_of
from tuning.engines.threads import left_behind

Model = TypeVar("Model", bound=Params)
Body = Callable[[Model, EntryRun], None]

_HOSTED = "GRIDFOLD_HOSTED"  # set by a cluster's driver: it has a log to send after us, and ends the process itself
_INTERRUPTED = 128  # and the signal's number: how a shell has exit codes


class EntryPoint(Generic[Model]):
    """A function that ``mlflow run`` can start.

    Parameters
    ----------
    name : str
        Its name in MLproject.
    body : callable
        Takes the parameters, whose class its first annotation names, and the run.
    """

    def __init__(self, name: str, body: Body[Model]) -> None:
        self.name = name
        self.body = body
        self.model: type[Model] = next(iter(get_type_hints(body).values()))
        self._run: EntryRun | None = None
        self._is_program = False
        self._typed: str | None = None
        self.__doc__ = body.__doc__

    def __call__(self, arguments: Sequence[str] | None = None) -> int:
        """Run it on `arguments`, by default the command line's, and return the exit code."""
        arguments = sys.argv[1:] if arguments is None else arguments
        debug = wants_debug(arguments)
        try:
            with (
                _quiet_libraries(debug),
                libraries_masked(),
                held_off(),
                interrupts.raised(self._last_resort if self._is_program else None),
            ):
                self._recorded(arguments)
        except (Exception, KeyboardInterrupt) as error:
            waking.end()
            if debug:
                print(masked("".join(traceback.format_exception(error))), end="", file=sys.stderr)
            failure = explain(error)
            words = last_words(self._run, self._typed) if failure.status == "KILLED" else []
            with suppress(OSError):  # nobody reads it any more
                print(*words, failure.line, sep="\n", file=sys.stderr, flush=True)
            return failure.exit_code
        return 0

    def main(self) -> NoReturn:
        """Be the program: run on the command line's arguments, and end the process."""
        if asks_for_help(sys.argv[1:]):
            print(usage(self.name, self.__doc__ or "", self.model))
            sys.exit(0)
        self._is_program, self._typed = True, typed()  # by the end, whoever knows what was typed may be gone
        if isinstance(
            sys.stdout, TextIOWrapper
        ):  # a file or pipe of Windows may lack letters of ours; stderr spells them
            sys.stdout.reconfigure(errors="backslashreplace")
        code = self()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        if (code > _INTERRUPTED or left_behind()) and _HOSTED not in os.environ:
            os._exit(code)  # nobody is to wait for threads that do not end
        sys.exit(code)

    def _last_resort(self, interrupted: interrupts.Interrupted) -> None:
        """End the run though the main thread does not get to it, and say so."""
        line = explain(interrupted).line
        print(line, file=sys.stderr, flush=True)
        if self._run is not None:
            self._run.abandon(line)

    def _recorded(self, arguments: Sequence[str]) -> None:
        self._run = None
        with EntryRun.begin(self.name, lambda held: contradicted(self.model, arguments, held)) as run:
            waking.end()
            self._run = run
            try:
                run.hold()
                run.end_abandoned()
                params = parse(self.model, arguments)
                run.log_params(params.model_dump())
                self.body(params, run)
            except (Exception, KeyboardInterrupt) as error:
                _record(run, explain(error))
                raise


def last_words(run: EntryRun | None, command: str | None) -> list[str]:
    """Return what a person who has interrupted a run wants to know: what it has come to, where, and how it goes on."""
    rows = [words() for words in run.last_words] if run else []
    rows += where_to_look(links_of(run)) if run else []
    rows += [("go on", command)] if command else []
    return [masked(f"{name:<8} {text}") for name, text in rows]


def entrypoint(name: str) -> Callable[[Body[Model]], EntryPoint[Model]]:
    """Make the decorated function the entry point called `name`."""
    return lambda body: EntryPoint(name, body)


def _record(run: EntryRun, failure: Failure) -> None:
    """End the run with the line that the terminal will show; an unreachable store must not hide that line."""
    try:
        (run.kill if failure.status == "KILLED" else run.fail)(failure.line)
    except TrackingError as error:
        print(f"The run could not be ended as {failure.status}: {error}", file=sys.stderr)


@contextmanager
def _quiet_libraries(debug: bool) -> Iterator[None]:
    """Keep to ourselves what libraries say to programmers; the person at the terminal can do nothing about it."""
    if debug:
        yield
        return
    with warnings.catch_warnings():
        if any(option.startswith("error") for option in sys.warnoptions):
            warnings.simplefilter("default")  # PYTHONWARNINGS=error is for a person's own code: MLflow warns of itself
        for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
