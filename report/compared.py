"""The page of sweeps side by side: one file that asks no network, reads on a phone, says nothing by colour alone."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

from report.page import seconds, section, table
from tuning.results.side_by_side import SideBySide, Swept
from tuning.results.statistics import LEVEL, Difference

FILE = "compare.html"
_ROOM = Path(__file__).parent
_WIDTH, _ROW, _EDGE = 640, 34, 70


def compare_page(found: SideBySide) -> str:
    """Return the whole page."""
    sections = [
        ("result", "Result", _result(found)),
        ("difference", "Behind the best", _picture(found) + _why_not(found)),
        ("folds", "Fold by fold", _folds(found)),
        ("shared", "Candidates in common", _shared(found)),
        ("differs", "What differed", _differs(found)),
        ("cost", "Cost", _cost(found)),
    ]
    return Template((_ROOM / "compared.html").read_text(encoding="utf-8")).substitute(
        title=escape(f"{len(found.sweeps)} sweeps by {found.scorer}"),
        style=(_ROOM / "page.css").read_text(encoding="utf-8"),
        lead=_lead(found),
        contents=" ".join(f'<a href="#{name}">{escape(title)}</a>' for name, title, _ in sections),
        sections="\n".join(section(*each) for each in sections),
    )


def words_of(difference: Difference) -> str:
    """Say how far a sweep's winner is behind the best, and whether the folds can tell."""
    ends = f"{difference.low:.5f} to {difference.high:.5f}"
    shown = "a clear difference" if difference.is_clear else "no clear difference"
    return f"{difference.mean:.5f} behind ({ends}), {shown}"


def _lead(found: SideBySide) -> str:
    best = found.sweeps[0]
    return (
        f"Best: sweep <b>{best.label}</b>, <code>{escape(best.name)}</code>, {escape(found.scorer)}"
        f" <b>{best.splits(found.scorer).mean():.5f}</b> over {len(best.splits(found.scorer))} folds."
    )


def _result(found: SideBySide) -> str:
    rows = [
        (each.label, *_score(each, found.scorer), _standing(each, found), each.name, each.title, each.run_id)
        for each in found.sweeps
    ]
    heads = ["sweep", "mean", "std over folds", f"behind the best ({LEVEL:.0%})", "its best candidate", "what", "run"]
    return table(heads, rows, numbers=(1, 2))


def _score(sweep: Swept, scorer: str) -> tuple[str, str]:
    splits = sweep.splits(scorer)
    return f"{splits.mean():.5f}", f"{splits.std():.5f}"


def _standing(sweep: Swept, found: SideBySide) -> str:
    if sweep is found.sweeps[0]:
        return "the best"
    behind = found.behind.get(sweep.label)
    return "not paired" if behind is None else words_of(behind)


def _why_not(found: SideBySide) -> str:
    lines = "".join(
        f"<li>{escape(f'{label} is not compared fold by fold: {reason}. Its mean is over other rows.')}</li>"
        for label, reason in found.why_not.items()
    )
    return f"<ul>{lines}</ul>" if lines else ""


def _picture(found: SideBySide) -> str:
    """Draw each difference with its interval, from zero, where the best is."""
    behind = {label: each for label, each in found.behind.items() if abs(each.low) != float("inf")}
    if not behind:
        return ""
    low, high = min(0.0, *(each.low for each in behind.values())), max(0.0, *(each.high for each in behind.values()))
    scale = (_WIDTH - 2 * _EDGE) / ((high - low) or 1.0)
    height = _ROW * (len(behind) + 1)
    zero = _EDGE - low * scale
    lines = "".join(
        _interval(label, each, _EDGE - low * scale, scale, place) for place, (label, each) in enumerate(behind.items())
    )
    words = "; ".join(f"{label} {words_of(each)}" for label, each in behind.items())
    return (
        f'<figure><div class="scroll" tabindex="0" role="region" aria-label="Picture"><svg role="img"'
        f' viewBox="0 0 {_WIDTH} {height}" aria-label="{escape(words)}">'
        f'<line x1="{zero:.1f}" x2="{zero:.1f}" y1="4" y2="{height - _ROW + 4}" stroke="#57606a"/>'
        f'{lines}<text x="{zero:.1f}" y="{height - 10}" text-anchor="middle" font-size="13">0: as good as'
        f" {found.sweeps[0].label}</text></svg></div><figcaption>How far each sweep's winner is behind that of"
        f" {found.sweeps[0].label}, over the same folds, with its corrected {LEVEL:.0%} interval.</figcaption></figure>"
    )


def _interval(label: str, each: Difference, zero: float, scale: float, place: int) -> str:
    y = _ROW * place + _ROW / 2 + 4
    ends = f'x1="{zero + each.low * scale:.1f}" x2="{zero + each.high * scale:.1f}" y1="{y}" y2="{y}"'
    fill = "#005a8f" if each.is_clear else "#fff"
    return (
        f'<text x="8" y="{y + 5}" font-size="15" font-weight="bold">{label}</text>'
        f'<line {ends} stroke="#005a8f" stroke-width="3"/>'
        f'<circle cx="{zero + each.mean * scale:.1f}" cy="{y}" r="6" fill="{fill}" stroke="#005a8f" stroke-width="2"/>'
    )


def _folds(found: SideBySide) -> str:
    best = found.sweeps[0]
    alike = [best, *(each for each in found.sweeps if each.label in found.behind)]
    if len(alike) < 2:
        return "<p>No two of them had the same folds.</p>"
    splits = [each.splits(found.scorer) for each in alike]
    rows = [(str(fold), *(f"{scores[fold]:.5f}" for scores in splits)) for fold in range(len(splits[0]))]
    return table(["fold", *(each.label for each in alike)], rows, numbers=range(len(alike) + 1))


def _shared(found: SideBySide) -> str:
    rows = [(f"{each.first} and {each.second}", f"{each.candidates:,}", _gap(each.difference)) for each in found.shared]
    heads = ["sweeps", "candidates in both", "largest difference of a score on a fold"]
    return table(heads, rows, numbers=(1, 2))


def _gap(difference: float | None) -> str:
    return "" if difference is None else f"{difference:.3g}"


def _differs(found: SideBySide) -> str:
    labels = [each.label for each in found.sweeps]
    rows = [(kind, name, *(values[label] for label in labels)) for (kind, name), values in found.differs.items()]
    return table(["of", "what", *labels], rows) if rows else "<p>Nothing that the runs say.</p>"


def _cost(found: SideBySide) -> str:
    return table(
        ["sweep", "candidates", "folds", "from begin to end", "its fits, one after the other"],
        list(_costs(found.sweeps, found.scorer)),
        numbers=(1, 2, 3, 4),
    )


def _costs(sweeps: Iterable[Swept], scorer: str) -> Iterable[tuple[str, ...]]:
    for each in sweeps:
        counts = f"{len(each.table):,}", str(len(each.splits(scorer)))
        yield each.label, *counts, seconds(each.seconds), seconds(each.fit_seconds)
