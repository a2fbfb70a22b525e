"""What a promotion found, as a table to read, metrics of its run, and tags of the version."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from release.gates import LOG_LOSS, Figures, Finding, Rules, findings
from release.judging import Interval


@dataclass(frozen=True)
class Verdict:
    """Rules, figures, and what they come to.

    Attributes
    ----------
    rules : Rules
    figures : Figures
    n_left_out : int
        Held-out rows that could not be used, since the champion has learned from them.
    """

    rules: Rules
    figures: Figures
    n_left_out: int = 0

    @cached_property
    def findings(self) -> list[Finding]:
        """What each gate says."""
        return findings(self.rules, self.figures)

    @cached_property
    def gain(self) -> Interval | None:
        """How much better the challenger is."""
        return self.figures.gain(self.rules.gain.confidence)


def table(found: Verdict) -> str:
    """Return Markdown: the scores, then a row for each gate."""
    lines = [f"Held-out {found.figures.subject}s: {found.figures.n_rows:,}{_left_out(found)}.", "", *_scores(found)]
    lines += ["", "| gate | value | limit | |", "| --- | ---: | ---: | --- |"]
    for finding in found.findings:
        sign = "≥" if finding.at_least else "≤"
        passed = "passed" if finding.passed else "**failed**"
        lines.append(f"| {finding.gate} | {finding.value:.5g} | {sign} {finding.limit:.5g} | {passed} |")
    return "\n".join(lines) + "\n"


def metrics(found: Verdict) -> dict[str, float]:
    """Return the figures by name; a log-loss as it is called, smaller being better."""
    figures = found.figures
    values = {"rows": float(figures.n_rows), **figures.limits}
    sign = -1 if figures.scorer == LOG_LOSS else 1
    if figures.n_rows:
        values[f"challenger_{figures.scorer}"] = sign * figures.challenger.score
    if figures.champion is not None and found.gain:
        values[f"champion_{figures.scorer}"] = sign * figures.champion.score
        values |= {"gain": found.gain.mean, "gain_low": found.gain.low, "gain_high": found.gain.high}
    return values


def tags(found: Verdict) -> dict[str, str]:
    """Return the figures as a version keeps them."""
    return {f"promotion.{name}": f"{value:.6g}" for name, value in metrics(found).items()}


def _left_out(found: Verdict) -> str:
    return f" ({found.n_left_out:,} more left out, which the champion has learned from)" if found.n_left_out else ""


def _scores(found: Verdict) -> list[str]:
    figures, values = found.figures, metrics(found)
    is_loss = figures.scorer == LOG_LOSS
    name = "Log-loss" if is_loss else figures.scorer
    ours, theirs = f"challenger_{figures.scorer}", f"champion_{figures.scorer}"
    lines = [f"{name} of the challenger: {values[ours]:.5f}."] if ours in values else []
    if found.gain is None:
        return [*lines, "There is no champion to compare with."] if figures.champion is None else lines
    interval = f"{found.gain} ({found.gain.confidence:.0%} interval of the paired bootstrap)"
    gain = f"Saved per {figures.subject}" if is_loss else "Gained"
    return [*lines, f"{name} of the champion: {values[theirs]:.5f}.", f"{gain}: {interval}."]
