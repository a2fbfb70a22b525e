"""Show which backends there are, what each can do, and what is missing on this machine to use it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from backends.abilities import Abilities, declared
from entrypoints.command.entry import entrypoint
from entrypoints.parameters import Params
from tracking import EntryRun

_HEADER = ("-b", "runs on", "store", "cache", "follow", "GPUs", "Spark")
_HERE = ("", "this machine", "any", "yes", "no", "yes", "master")
_KEY = """store    where runs are recorded: anywhere, on a server, or here too by a tunnel
cache    whether the next run finds tables, features and fits of this one
follow   whether a run goes on without this machine, to be followed again
Spark    whether fits run on many machines; here by -P engine=spark"""


@entrypoint("backends")
def backends(params: Params, run: EntryRun) -> None:
    """Show which backends there are, what each can do, and what is missing here to use it."""
    found = declared()
    missing = {name: list(each.missing(Path.cwd(), run.tracking_uri)) for name, each in found.items()}
    lines = [*_table(found), "", *_KEY.splitlines()]
    run.set_note("\n".join(f"    {line}" for line in lines))
    print(*lines, sep="\n")
    for name, sentences in missing.items():
        print(f"\n{name}: missing here" if sentences else f"\n{name}: ready, with -b {name} -c {found[name].file}")
        for sentence in sentences:
            print(textwrap.fill(sentence, 78, initial_indent="  - ", subsequent_indent="    ", break_long_words=False))


def _table(found: Mapping[str, Abilities]) -> list[str]:
    rows = [_HEADER, _HERE, *(_row(name, each) for name, each in found.items())]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEADER))]
    return ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(name: str, each: Abilities) -> Sequence[str]:
    store = "tunnel" if each.tunnels else "server"
    can = ["yes" if able else "no" for able in (each.keeps_cache, each.attaches, each.gpus, each.spark)]
    return (name, each.place, store, *can)


if __name__ == "__main__":
    backends.main()
