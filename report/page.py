"""The page of a sweep: one file that asks no network, reads on a phone, prints, and says nothing by colour alone.

Words and pictures are in the page itself; the table of candidates, the lines through their parameters and the timeline
are made by ``page.js`` from data beside it, a part at a time, so that thousands of candidates open at once. Every name
that comes from a person (a column, a value, an error) passes ``escape`` or is set by the script as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

from masking import masked
from report.corrected import corrected_words
from report.page_data import as_script
from report.scales import Scale, scales
from report.standing import FAILED, JUDGED, STOPPED, WINNER, rows_of
from report.story import Story
from report.timeline import lanes
from tuning.linting import findings
from tuning.naming import short_value
from tuning.results.failures import reasons
from tuning.spec.objects import describe

FILE = "report.html"
_ROOM = Path(__file__).parent
_TOP = 10
_NAMED = 6
_VALUES = 12
_STRONG, _CODE = re.compile(r"\*\*(.+?)\*\*"), re.compile(r"`([^`]*)`")


def page(story: Story) -> str:
    """Return the whole page."""
    sections = [(name, title, body) for name, title, body in _sections(story) if body]
    return Template((_ROOM / "page.html").read_text(encoding="utf-8")).substitute(
        title=escape(story.title),
        style=(_ROOM / "page.css").read_text(encoding="utf-8"),
        script=(_ROOM / "page.js").read_text(encoding="utf-8"),
        lead=_lead(story),
        notes="".join(f'<p class="warning">{marked(note)}</p>' for note in story.notes),
        contents=" ".join(f'<a href="#{name}">{escape(title)}</a>' for name, title, _ in sections),
        sections="\n".join(section(*each) for each in sections),
        footer=escape(f"{story.title}: the exact figures are in cv_results.csv beside this page."),
        data=as_script(story),
    )


def _sections(story: Story) -> Iterable[tuple[str, str, str]]:
    yield "question", "Question", _question(story)
    yield "data", "Data", _facts(story.data)
    yield "verdict", "Verdict", _verdict(story)
    yield "findings", "Findings", _findings(story)
    yield "candidates", "Candidates", _candidates(story)
    yield "pictures", "Pictures", _pictures(story)
    yield "timeline", "Timeline", _timeline(story)
    yield "failures", "Failures", _failures(story)
    yield "cost", "Cost", _cost(story)
    yield "ledger", "What fits shared", _ledger(story)
    yield "again", "How to repeat it", _again(story)


def section(name: str, title: str, body: str) -> str:
    """Return a part of the page, under a heading that names it."""
    heading = f'<h2 id="{name}-title">{escape(title)}</h2>'
    return f'<section id="{name}" aria-labelledby="{name}-title">\n{heading}\n{body}\n</section>'


def _lead(story: Story) -> str:
    result = story.result
    held = story.holdout.get(result.refit_scorer)
    on_holdout = "" if held is None else f", <b>{held:.5f}</b> on the hold-out"
    return (
        f"Best: <code>{escape(result.best.name)}</code>, {escape(result.refit_scorer)} <b>{result.best_score:.5f}</b>"
        f" over {result.n_folds} folds{on_holdout}."
    )


def _question(story: Story) -> str:
    result = story.result
    rows = [(name, _listed(scale)) for name, scale in scales(result, story.spec).items()]
    words = (
        f"Which of {len(result.candidates):,} candidates of <code>{escape(story.estimator)}</code> has the best"
        f" <code>{escape(result.refit_scorer)}</code> (greater is better), as a mean over {result.n_folds} folds?"
        f" Candidates come from the strategy <code>{escape(story.spec.search.strategy)}</code>."
    )
    given_up = "".join(f"<li>{escape(each)}</li>" for each in result.approximations)
    fixed = ", ".join(f"{name}={describe(value)}" for name, value in story.spec.fixed.items())
    return "\n".join(
        filter(
            None,
            [
                f"<p>{words}</p>",
                table(["varied", "values"], rows) if rows else "",
                f"<p>Fixed: <code>{escape(fixed)}</code></p>" if fixed else "",
                f"<p>Given up for speed:</p><ul>{given_up}</ul>" if given_up else "",
            ],
        )
    )


def _listed(scale: Scale) -> str:
    """Return the values of a parameter, or from where to where its numbers go if they are many."""
    if len(scale.values) <= _VALUES:
        return ", ".join(short_value(value) for value in scale.values)
    numbers = scale.numbers
    ends = [f"{short_value(numbers[0])} to {short_value(numbers[-1])} ({len(numbers):,} values)"] if numbers else []
    words = [short_value(word) for word in scale.words[:_VALUES]]
    more = [f"and {len(scale.words) - _VALUES:,} more"] if len(scale.words) > _VALUES else []
    return ", ".join([*ends, *words, *more])


def _facts(facts: Mapping[str, str]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    return f"<dl>{rows}</dl>" if rows else ""


def _verdict(story: Story) -> str:
    result = story.result
    found = story.table
    best = found[found["status"].isin([WINNER, JUDGED])].head(_TOP)
    splits = result.split_scores()
    rows = [
        (str(rank), each.candidate, f"{each.mean:.5f}", _behind(each), f"{splits[each.Index].std():.5f}")
        for rank, each in enumerate(rows_of(best), start=1)
    ]
    params = table(["parameter", "value"], [(k, describe(v)) for k, v in result.best.params.items()])
    of_all = {name: float(result.means(name)[result.best_index]) for name in result.scorers}
    elsewhere = {"training rows": story.trained, "hold-out": story.holdout}
    known = {where: scores for where, scores in elsewhere.items() if scores}
    scores = [
        (name, f"{mean:.5f}", *(f"{known[where][name]:.5f}" if name in known[where] else "" for where in known))
        for name, mean in of_all.items()
    ]
    top = [
        "rank",
        "candidate",
        f"mean {result.refit_scorer}",
        "behind the best, with its 95 % interval",
        "std over folds",
    ]
    return "\n".join(
        [
            "".join(f"<p>{marked(part)}</p>" for part in [*story.verdict.split("\n\n"), *corrected_words(result)]),
            f'<div class="pair"><div><h3>The winner</h3>{params}</div>',
            f"<div><h3>Its scores</h3>{table(['scorer', 'folds', *known], scores, numbers=(1, 2, 3))}</div></div>",
            f"<h3>The best {len(rows)}</h3>{table(top, rows, numbers=(0, 2, 3, 4))}",
        ]
    )


def _behind(each: object) -> str:
    behind, low, high = (-getattr(each, name) for name in ("difference", "high", "low"))
    return "" if behind == 0 == low else f"{behind:.5f} ({low:.5f} to {high:.5f})"


def _findings(story: Story) -> str:
    """Return what the result says about the search itself, and before it what the rows say about the result."""
    found = [*story.audited, *findings(story.spec, story.result, story.trained)]
    items = [
        f"<li><b>{each.code}</b> {marked(each.words)}. {marked(each.advice)}."
        + (
            f'<pre tabindex="0" aria-label="keys for the next spec">{escape(each.next_spec)}</pre>'
            if each.next_spec
            else ""
        )
        + "</li>"
        for each in found
    ]
    about = "What the rows and the result say" if story.audited else "What the result says"
    words = f"{about} about the search itself; <code>docs/findings.md</code> explains each code."
    return f"<p>{words}</p><ul>{''.join(items)}</ul>" if items else ""


def _candidates(story: Story) -> str:
    counts = story.table["status"].value_counts()
    options = "".join(
        f'<option value="{status}">{status} ({counts[status]:,})</option>'
        for status in (WINNER, JUDGED, STOPPED, FAILED)
        if status in counts
    )
    return Template((_ROOM / "candidates.html").read_text(encoding="utf-8")).substitute(options=options)


def _pictures(story: Story) -> str:
    return "\n".join(
        f"<figure><h3>{escape(each.question)}</h3>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="Picture {escape(each.name)}">{each.svg}</div>'
        f"<figcaption>{escape(each.caption)} Data: <code>plots/{escape(each.name)}.csv</code>.</figcaption></figure>"
        for each in story.drawn
    )


def _timeline(story: Story) -> str:
    if not story.spans:
        return ""
    n_lanes = max(lanes(story.spans)) + 1
    whole = max(span.ended for span in story.spans)
    busy = sum(span.ended - span.began for span in story.spans)
    words = (
        f"{len(story.spans):,} fits in {seconds(whole)}, on {n_lanes} lane{'s' if n_lanes > 1 else ''} that were busy"
        f" {min(1.0, busy / (whole * n_lanes or 1)):.0%} of the time. A bar is a fit; red: the winner's; thin: failed."
    )
    return f"""<p>{words}</p>
<div id="fits"><canvas role="img" aria-label="{escape(words)}"></canvas></div>
<p><output id="fit">Point at a bar to see which fit it is.</output></p>"""


def _failures(story: Story) -> str:
    found = reasons(story.result)
    rows = [
        (
            str(len(each.candidates)),
            masked(each.text),
            "; ".join(c.name for c in each.candidates[:_NAMED]) + _more(each.candidates),
        )
        for each in found
    ]
    if not rows:
        return "<p>None.</p>"
    return table(["candidates", "why", "which"], rows, numbers=(0,))


def _more(candidates: Sequence[object]) -> str:
    return f"; and {len(candidates) - _NAMED:,} more" if len(candidates) > _NAMED else ""


def _cost(story: Story) -> str:
    result = story.result
    alone = sum(score.fit_seconds + score.score_seconds for scores in result.fold_scores.values() for score in scores)
    facts = {
        "wall time of the sweep": seconds(result.seconds),
        "candidates × folds scored": f"{result.n_cells:,}",
        "known from before": f"{result.n_reused:,}" if result.n_reused else "",
        "fits trained": f"{result.n_units:,}",
        "one after the other and nothing shared": seconds(alone),
        "that is": f"{alone / result.seconds:.1f} times the wall time" if result.seconds > 0 else "",
    }
    slowest = story.table.sort_values("seconds", ascending=False).head(5)
    rows = [(each.candidate, f"{each.seconds:.3g}") for each in rows_of(slowest)]
    return f"{_facts({k: v for k, v in facts.items() if v})}<h3>The slowest</h3>" + table(
        ["candidate", "seconds per fold"], rows, numbers=(1,)
    )


def _ledger(story: Story) -> str:
    counts: dict[str, int] = {}
    for candidate in story.result.candidates:
        shared = story.result.shared(candidate) or "nothing: fitted separately"
        counts[shared] = counts.get(shared, 0) + 1
    rows = [(f"{n:,}", text) for text, n in sorted(counts.items(), key=lambda item: -item[1])]
    words = (
        "What a candidate's fits had in common with others', and why that is exact; <code>shared</code> in the table."
    )
    return f"<p>{words}</p>" + table(["candidates", "shared"], rows, numbers=(0,))


def _again(story: Story) -> str:
    return f'<pre tabindex="0" aria-label="command">{escape(story.command)}</pre>' if story.command else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """Return a table of texts, `numbers` naming the columns that stand to the right."""
    kind = dict.fromkeys(numbers, ' class="number"')
    head = "".join(f'<th scope="col"{kind.get(place, "")}>{escape(text)}</th>' for place, text in enumerate(heads))
    body = "".join(
        "<tr>" + "".join(f"<td{kind.get(place, '')}>{escape(text)}</td>" for place, text in enumerate(row)) + "</tr>"
        for row in rows
    )
    name = escape(f"Table: {heads[0]}, {heads[-1]}")
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{name}"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def marked(text: str) -> str:
    """Return Markdown's bold and code as HTML, all else as it is."""
    return _CODE.sub(r"<code>\1</code>", _STRONG.sub(r"<b>\1</b>", escape(text))).replace("  \n", "<br>")


def seconds(value: float) -> str:
    """Return a time as a person says it."""
    if value < 120:
        return f"{value:.3g} s"
    minutes = value / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
