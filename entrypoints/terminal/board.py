"""The picture of a sweep at work: a bar, who runs, who failed and why, and the best five."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from entrypoints.terminal.facts import Facts, name_of
from entrypoints.terminal.screen import one_line, wheel
from entrypoints.terminal.tally import Standing, duration, number
from tuning.engines.ledger import Running

_MOST_RUNNING = 4
_BAR = 20


def board(facts: Facts, memory: str, at_work: bool = True) -> RenderableType:
    """Draw `facts`; without what is only true for a moment where the sweep is no longer `at_work`."""
    return Group(*_lines(facts, memory, at_work))


def _lines(facts: Facts, memory: str, at_work: bool) -> Iterator[Text]:
    yield _bar(facts, at_work)
    yield one_line(f"  {_counts(facts)}", "")
    if facts.rungs:
        yield one_line(f"  {facts.rungs_words()}", "")
    yield from _failed(facts)
    if at_work:
        yield from _at_work(facts, memory)
    yield from _best(facts)


def _bar(facts: Facts, at_work: bool) -> Text:
    tally = facts.tally
    total = tally.n_total or tally.n_done + facts.n_waiting + len(facts.running)
    part = sum(each.share or 0.0 for each in facts.running) * tally.n_done / max(1, tally.n_done)
    filled = min(_BAR, int(_BAR * (tally.n_done + part) / total)) if total else 0
    line = one_line(f"{wheel() if at_work and not facts.has_ended else ' '} ")
    line.append("━" * filled, "green").append("─" * (_BAR - filled), "bright_black")
    of = f" of {tally.n_total:,}" if tally.n_total else ""
    words = [f"  {tally.n_done:,}{of} fits", duration(facts.elapsed), facts.left_words() if at_work else ""]
    return line.append("   ".join(filter(None, words)))


def _counts(facts: Facts) -> str:
    tally = facts.tally
    of = f" of {tally.n_candidates:,}" if tally.n_candidates else ""
    return f"{tally.n_whole:,}{of} candidates done"


def _failed(facts: Facts) -> Iterator[Text]:
    failures = facts.tally.failures
    if len(failures):
        commonest = failures.reasons()[0]
        how_many = f"{len(commonest.candidates):,} times" if len(commonest.candidates) < len(failures) else "all"
        yield one_line(f"  {len(failures):,} failed, {how_many}: {commonest.text}", "red")


def _at_work(facts: Facts, memory: str) -> Iterator[Text]:
    if facts.has_ended:
        yield one_line("  the fits have ended, recording them")
        return
    if facts.tally.n_done == 0 and not facts.running:
        yield one_line("  starting the workers")
        return
    waiting = f", {facts.n_waiting:,} waiting" if facts.n_waiting else ""
    yield one_line(f"  {len(facts.running):,} of {facts.workers:,} workers busy{waiting}, memory {memory}")
    for each in facts.running[:_MOST_RUNNING]:
        yield _running(each, facts.at)
    if len(facts.running) > _MOST_RUNNING:
        yield one_line(f"    and {len(facts.running) - _MOST_RUNNING:,} more")


def _running(each: Running, at: float) -> Text:
    """Rounds and time first: names may be longer than the line."""
    rounds = f"round {each.rounds[0]:,} of {each.rounds[1]:,}" if each.rounds else ""
    count = len(each.fit.candidates)
    first = name_of(each.fit.candidates[0])
    name = f"{count:,} candidates, {first} …" if count > 1 else first
    words = f"{duration(at - each.began):>9}  fold {each.fit.fold}  {rounds}{'  ' if rounds else ''}"
    return one_line(f"    {words}").append(name, "bright_black")


def _best(facts: Facts) -> Iterator[Text]:
    if facts.leaders:
        yield one_line(f"  best by {facts.tally.scorer}", "bold")
    width = max((len(number(each.mean)) for each in facts.leaders), default=0)
    for place, each in enumerate(facts.leaders, start=1):
        yield _leader(place, each, facts, width)


def _leader(place: int, each: Standing, facts: Facts, width: int) -> Text:
    line = one_line(f"    {place}  {number(each.mean):>{width}}  ", "" if each.is_whole else "bright_black")
    so_far = facts.tally.so_far(each)
    return line.append(f"{so_far.strip()}  " if so_far else "").append(name_of(each.candidate))
