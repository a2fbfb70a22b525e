"""Kill sweeps at random moments, give the same command again, and compare with a sweep that nobody disturbed.

    python -m benchmarks.chaos --kills 100 --seed 0
    python -m benchmarks.chaos --kills 10 --kinds driver,worker

Wanted of every kind: no fit again of a cell that the journal holds, no process left behind, no run left RUNNING, no
candidate with two runs under the sweep, and a table that equals the undisturbed one to the last character.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import psutil

from benchmarks.chaos.kills import KINDS, Kind, end_all
from benchmarks.chaos.place import Place
from benchmarks.measuring import table

_KILLS_PER_SWEEP = 5  # that end the command; of others a sweep takes twice as many
_LATE = 900.0  # seconds: who takes longer hangs
_LEFT_BEHIND = 60.0


@dataclass
class Tally:
    """What was seen; each figure but the first three is wanted to be 0."""

    kills: int = 0
    sweeps: int = 0
    resumed: int = 0
    refits: int = 0
    orphans: int = 0
    running: int = 0
    doubled: int = 0
    failed: int = 0
    differing: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, doubled or left behind."""
        return not any((self.refits, self.orphans, self.running, self.doubled, self.failed, self.differing))


Measured = dict[bool, tuple[float, Sequence[object]]]
"""By whether fits are in threads: the seconds of an undisturbed sweep, and its table."""


class Disturbed:
    """One sweep that is killed until it has been killed enough, and then left to end.

    Parameters
    ----------
    place : Place
    kind : Kind
    draw : random.Random
    seconds : float
        About what an undisturbed sweep takes.
    """

    def __init__(self, place: Place, kind: Kind, draw: random.Random, seconds: float) -> None:
        self.place, self.kind, self.draw, self.seconds = place, kind, draw, seconds
        self.tally = Tally(sweeps=1)
        self._held: dict[str, int] = {}  # how often each cell had been begun when the journal was seen to hold it
        self._hit: set[str] = set()  # cells that the last kill may have hit: the next waits until they are known

    def run(self, kills: int, undisturbed: Sequence[object]) -> Tally:
        """Kill `kills` times, or as often as the sweep goes on for, and take stock."""
        again = undisturbed_again = False
        while True:
            process = self.place.start(self.kind.by_mlflow)
            self.tally.resumed += again
            again = self._disturb(psutil.Process(process.pid), kills)
            code = process.wait(_LATE)
            self._count_orphans()
            if not again and (code == 0 or undisturbed_again):
                break
            undisturbed_again = not again  # a store that was away for long at the start is a line, and the same command
            again = True
        if code:
            self.tally.failed = 1
            print((self.place.folder / "log").read_text(errors="replace")[-3000:], file=sys.stderr)
        else:
            self._take_stock(undisturbed)
        end_all(self.place)
        return self.tally

    def _disturb(self, command: psutil.Process, kills: int) -> bool:
        """Kill at random moments while the command runs; whether it is to be given again."""
        while self.tally.kills < kills:
            until = time.monotonic() + self.draw.uniform(0, self.seconds / (1 if self.kind.ends_the_command else kills))
            while time.monotonic() < until:
                if not _lives(command):
                    return False
                time.sleep(0.01)
            before = self.place.known(), self.place.begun()
            if not self._hit <= before[0] or not _lives(command) or not self.kind.kill(command, self.draw):
                if not _lives(command):
                    return False
                continue
            self.tally.kills += 1
            self._remember(*before)
            self._hit = self.place.begun().keys() - before[0] if self.kind.hits_fits else set()
            if self.kind.ends_the_command:
                return True
        return False

    def _remember(self, known: set[str], begun: dict[str, int]) -> None:
        """From now on each of the `known` cells is to be begun no more."""
        self._held = {cell: begun[cell] for cell in known} | self._held

    def _count_orphans(self) -> None:
        """Wait for what the command has started to end as well; what does not is an orphan."""
        deadline = time.monotonic() + _LEFT_BEHIND
        while (left := self.place.processes()) and time.monotonic() < deadline:
            time.sleep(0.2)
        self.tally.orphans += len(left)
        for each in left:
            with suppress(psutil.Error):
                print("orphan:", each.pid, " ".join(each.cmdline())[:150], file=sys.stderr)
        end_all(self.place)

    def _take_stock(self, undisturbed: Sequence[object]) -> None:
        begun = self.place.begun()
        again = sum(begun[cell] - count for cell, count in self._held.items())
        self.tally.refits += self.place.begun_though_known() if self.place.threads else again
        runs = self.place.runs()
        self.tally.running += sum(run.info.status == "RUNNING" for run in runs)
        keys = [run.data.tags["candidate.key"] for run in self.place.children()]
        self.tally.doubled += len(keys) - len(set(keys))
        self.tally.differing += self.place.table() != undisturbed


def disturb(
    kind_name: str, kills: int, folder: Path, draw: random.Random, size: tuple[int, float], measured: Measured
) -> Tally:
    """Kill sweeps `kills` times in all, and hold them against the undisturbed ones that were `measured` before."""
    total, number = Tally(), 0
    n_candidates, seconds = size
    with KINDS[kind_name](folder / kind_name) as kind:
        while total.kills < kills:
            number += 1
            threads = kind.ends_the_command and number % 3 == 0
            given: dict[str, Any] = {"threads": threads, "n_candidates": n_candidates, "seconds": seconds}
            if threads not in measured:
                measured[threads] = _undisturbed(Place(folder / f"undisturbed-{threads:d}", **given))
            duration, wanted = measured[threads]
            place = Place(folder / f"{kind_name}-{number}", store=kind.store, engine=kind.engine, **given)
            most = _KILLS_PER_SWEEP if kind.ends_the_command else 2 * _KILLS_PER_SWEEP
            found = Disturbed(place, kind, draw, duration).run(min(most, kills - total.kills), wanted)
            total += found
            print(f"{kind_name}: {found}", file=sys.stderr, flush=True)
    return total


def _undisturbed(place: Place) -> tuple[float, Sequence[object]]:
    began = time.monotonic()
    if place.start().wait(_LATE):
        raise RuntimeError((place.folder / "log").read_text()[-2000:])
    return time.monotonic() - began, place.table()


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def main(arguments: Sequence[str] | None = None) -> Tally:
    """Do it, print the table, and return what was seen in all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="shared out evenly among the kinds")
    parser.add_argument("--kinds", default=",".join(KINDS), help="a comma list of " + ", ".join(KINDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--candidates", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.05, help="that a fit takes")
    options = parser.parse_args(arguments)
    kinds = options.kinds.split(",")
    draw = random.Random(options.seed)
    seen: dict[str, Tally] = {}
    measured: Measured = {}
    with tempfile.TemporaryDirectory(prefix="gridfold-chaos-") as folder:
        for place, kind in enumerate(kinds):
            kills = options.kills // len(kinds) + (place < options.kills % len(kinds))
            seen[kind] = disturb(kind, kills, Path(folder), draw, (options.candidates, options.seconds), measured)
    total = sum(seen.values(), Tally())
    columns = [each.name for each in fields(Tally)]
    seen["all"] = total
    rows = [[name, *(str(getattr(each, column)) for column in columns)] for name, each in seen.items()]
    print("\n" + table(["", *columns], rows))
    return total


if __name__ == "__main__":
    sys.exit(not main().is_clean)
