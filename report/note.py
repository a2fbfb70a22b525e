"""The note that a sweep's page opens with: the winner first, then what to do next, then the figures behind both.

MLflow renders a tag's Markdown: tables need ``|--:|`` (``|-:|`` is not read as one), pictures are artifacts' addresses,
and a tag ends after five thousand characters on older servers. So each part has a rank, and the last ones are left out
where there is no room for them: half a table would be none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from report.corrected import corrected_words
from report.note_tables import best_ones, by_scorers, named
from tuning.candidates import Candidate
from tuning.linting import Finding
from tuning.naming import estimator_name, short_value
from tuning.results.comparison import compare
from tuning.results.failures import reasons
from tuning.results.judged import best_first, full_means, left_out_words
from tuning.results.significance import beaten, verdict
from tuning.results.sweep_result import SweepResult
from tuning.spec.space import Distribution
from tuning.spec.sweep_spec import SweepSpec

LIMIT = 4900
_MOST_REASONS = 5
_MOST_VALUES = 8
_LONGEST_MESSAGE = 160


@dataclass(frozen=True)
class Places:
    """What the note points to, as addresses; empty where there is none.

    Attributes
    ----------
    charts, sweeps : str
        The views of the sweep's candidates and of the experiment's sweeps.
    page : str
        The report.
    findings : str
        Where codes are explained; ``{}`` stands for one.
    pictures : mapping of str to str
        By what a picture shows.
    failed : mapping of Candidate to str
        Runs of candidates that failed, at least one for each reason.
    """

    charts: str = ""
    sweeps: str = ""
    page: str = ""
    findings: str = ""
    pictures: Mapping[str, str] = field(default_factory=dict)
    failed: Mapping[Candidate, str] = field(default_factory=dict)


NOWHERE = Places()


def note(
    spec: SweepSpec,
    result: SweepResult,
    holdout: Mapping[str, float] = {},
    found: Sequence[Finding] = (),
    places: Places = NOWHERE,
    then: Sequence[str] = (),
) -> str:
    """Return the note of a sweep that has ended.

    Parameters
    ----------
    spec : SweepSpec
    result : SweepResult
    holdout : mapping of str to float
        The refitted winner's score by scorer; empty where nothing was held out, or it is not known yet.
    found : sequence of Finding
    places : Places
    then : sequence of str
        What may be done with the winner, in Markdown, a sentence each.
    """
    differences = compare(result).differences
    parts = [
        (0, _headline(result, holdout)),
        (1, _links(places)),
        (2, _what_next(found, places, then)),
        (5, _pictures(places)),
        (1, best_ones(result, result.best, differences)),
        (3, _failures(result, places)),
        (3, _rounds(spec, result)),
        (4, by_scorers(result, holdout)),
        (4, verdict(result) if differences else ""),
        (4, "  \n".join([*result.approximations, *_verified(result), *_seeds(result), *corrected_words(result)])),
        (6, f"{_counted(spec, result)}.  \n{_asked(spec)}"),
    ]
    return _fitted(parts)


def running_note(spec: SweepSpec, result: SweepResult, n_candidates: int | None, places: Places = NOWHERE) -> str:
    """Return the note of a sweep as far as it has come; true still if it is broken off.

    Parameters
    ----------
    spec : SweepSpec
    result : SweepResult
        Of what has ended so far; it need not have a winner.
    n_candidates : int or None
        In all.
    places : Places
    """
    means = full_means(result)
    judged = best_first(means)
    of_all = f" of {n_candidates:,}" if n_candidates else ""
    headline = f"0{of_all} candidates judged so far."
    if len(judged):
        candidate, mean = result.candidates[judged[0]], means[judged[0]]
        best = f"best so far **{named(candidate)}**, {result.refit_scorer} **{mean:.5f}**"
        headline = f"{len(judged):,}{of_all} candidates judged on all {result.n_folds} folds; {best}."
    parts = [
        (0, headline),
        (1, _links(places)),
        (1, best_ones(result, result.candidates[judged[0]], {}) if len(judged) else ""),
        (3, _failures(result, places)),
        (6, _asked(spec)),
    ]
    return _fitted(parts)


def nothing_yet(spec: SweepSpec) -> SweepResult:
    """Return the result of a sweep that has not begun."""
    return SweepResult([], {}, 0, spec.scorers, spec.refit_scorer, 0, 0.0)


def _fitted(parts: Sequence[tuple[int, str]]) -> str:
    """Join the parts, and leave out those of the highest number while they are too long together."""
    kept = [(rank, text) for rank, text in parts if text]
    while len(whole := "\n\n".join(text for _, text in kept) + "\n") > LIMIT and len(kept) > 1:
        kept.remove(max(kept, key=lambda part: part[0]))
    return whole


def _headline(result: SweepResult, holdout: Mapping[str, float]) -> str:
    judged = holdout.get(result.refit_scorer)
    held = "" if judged is None else f", **{judged:.5f}** on the hold-out"
    score = f"{result.refit_scorer} **{result.best_score:.5f}**"
    how = beaten(result)
    judged_so = f"It is {how}" if how else "There is no other candidate to compare it with"
    return f"**{named(result.best)}** wins: {score}{held}. {judged_so}."


def _links(places: Places) -> str:
    links = {"Candidates as charts": places.charts, "report": places.page, "all sweeps here": places.sweeps}
    return " · ".join(f"[{words}]({address})" for words, address in links.items() if address)


def _what_next(found: Sequence[Finding], places: Places, then: Sequence[str]) -> str:
    steps = [_finding(each, places) for each in found] + [f"- {sentence}" for sentence in then]
    return "\n".join(["**What to do next**", "", *steps]) if steps else ""


def _finding(found: Finding, places: Places) -> str:
    address = places.findings.format(found.code.lower())
    code = f"[{found.code}]({address})" if address else found.code
    line = f"- **{code}** {found.words}. {found.advice}"
    if not found.next_spec:
        return f"{line}."
    block = "\n".join(f"  {row}" for row in found.next_spec.splitlines())
    return f"{line}:\n\n  ```yaml\n{block}\n  ```"


def _pictures(places: Places) -> str:
    return "\n\n".join(f"![{words}]({address})" for words, address in places.pictures.items())


def _failures(result: SweepResult, places: Places) -> str:
    """Say why candidates failed, the commonest reason first, with a link to one run for each."""
    why = reasons(result)
    if not why:
        return ""
    lines = [f"**{len(result.failed):,} of {len(result.candidates):,} candidates failed**", ""]
    for reason in why[:_MOST_REASONS]:
        message = " ".join(reason.text.split()).replace("`", "'").rstrip(".")
        message = message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 1] + "…"
        example = next((each for each in reason.candidates if each in places.failed), reason.candidates[0])
        name = named(example)
        link = f"[{name}]({places.failed[example]})" if example in places.failed else name
        lines.append(f"- {len(reason.candidates):,} × `{message}`, such as {link}")
    if len(why) > _MOST_REASONS:
        lines.append(f"- and {len(why) - _MOST_REASONS:,} other reasons")
    return "\n".join(lines)


def _rounds(spec: SweepSpec, result: SweepResult) -> str:
    chosen = result.rounds.get(result.best)
    if chosen is None or spec.early_stopping is None:
        return ""
    every = sorted(result.rounds.values())
    spread = f"; all candidates' lie from {every[0]:,} to {every[-1]:,}" if len(every) > 1 else ""
    return f"Rounds that the winner's folds chose together: **{chosen:,}**{spread}."


def _verified(result: SweepResult) -> list[str]:
    done = result.verification
    if done.disagreement:
        return [f"**Not verified**: {done.disagreement}."]
    if not done.cells:
        return []
    return [f"Verified: {done.cells:,} fits repeated alone, the largest difference of a score {done.difference:g}."]


def _seeds(result: SweepResult) -> list[str]:
    if not result.seed_means:
        return []
    low, high = min(result.seed_means), max(result.seed_means)
    return [f"Under {len(result.seed_means)} other seeds the winner scores {low:.5f} to {high:.5f}."]


def _counted(spec: SweepSpec, result: SweepResult) -> str:
    missing = left_out_words(result)
    counts = f"{len(result.candidates):,} candidates × {result.n_folds} folds"
    return f"{estimator_name(spec)}: {counts}{f', of whom {missing}' if missing else ''}"


def _asked(spec: SweepSpec) -> str:
    drawn = [f"`{name}` {_range(distribution)}" for name, distribution in spec.distributions.items()]
    grids = ["; ".join([*(f"`{name}` in {_values(grid[name])}" for name in grid), *drawn]) for grid in spec.space.grids]
    fixed = ", ".join(f"`{name}={short_value(value)}`" for name, value in spec.fixed.items())
    swept = "  \nor: ".join(filter(None, grids))
    return f"Swept: {swept or 'nothing'}.  \nFixed: {fixed or 'nothing'}."


def _range(drawn: Distribution) -> str:
    if drawn.choice is not None:
        return f"in {_values(drawn.choice)}"
    return f"from {short_value(drawn.low)} to {short_value(drawn.high)} ({drawn.kind})"


def _values(values: Sequence[Any]) -> str:
    shown = ", ".join(short_value(value) for value in values[:_MOST_VALUES])
    return shown if len(values) <= _MOST_VALUES else f"{shown} … ({len(values):,} values)"
