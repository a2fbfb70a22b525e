"""A terminal as a person sees it: what a program writes, interpreted by pyte into the characters that stand there."""

import fcntl
import io
import os
import pty
import select
import struct
import termios
import time

import pyte
from rich.console import Console

LOUD = {"TERM": "xterm-256color", "CI": "", "NO_COLOR": ""}
"""Variables of a terminal where nobody has asked for plain lines."""


class Terminal:
    """Shows what is fed to it.

    Parameters
    ----------
    columns, rows : int
    """

    def __init__(self, columns: int = 80, rows: int = 50) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    def feed(self, data: bytes) -> None:
        """Write to it."""
        self._stream.feed(data)

    @property
    def lines(self) -> list[str]:
        """What stands there, without empty lines."""
        return [line.rstrip() for line in self._screen.display if line.strip()]


def console_for(columns: int) -> tuple[Console, "callable"]:
    """Return a console of that width, and a function that gives the lines which stand on it."""
    written = io.StringIO()

    def lines() -> list[str]:
        terminal = Terminal(columns)
        terminal.feed(written.getvalue().replace("\n", "\r\n").encode())
        return terminal.lines

    return Console(file=written, force_terminal=True, width=columns, height=50, highlight=False), lines


class Program:
    """A program on a terminal of its own, whose Ctrl-C reaches all of it.

    Parameters
    ----------
    command : list of str
    environment : dict of str to str
        Beside that of this process.
    """

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.terminal = Terminal()
        self.pid, self._leader = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, os.environ | LOUD | environment)
        fcntl.ioctl(self._leader, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
        self.ended = False

    def until(self, done: "callable", seconds: float = 120) -> None:
        """Let it go on until `done`, given the lines that stand there, or until it ends."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit and not self.ended and not done(self.terminal.lines):
            if select.select([self._leader], [], [], 0.2)[0]:
                try:
                    self.terminal.feed(os.read(self._leader, 65536))
                except OSError:  # the other end is closed
                    self.ended = True

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self._leader, b"\x03")

    def exit_code(self) -> int:
        """Wait for its end."""
        self.until(lambda _: False)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
