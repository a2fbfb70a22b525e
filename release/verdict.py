"""What a promotion found, as a table to read, metrics of its run, and tags of the version."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from release.gates import Figures, Finding, Rules, findings
from release.judging import Interval


@dataclass(frozen=True)
class Verdict:
    """Rules, figures, and what they come to.

    Attributes
    ----------
    rules : Rules
    figures : Figures
    n_left_out : int
        Held-out devices that could not be used, since the champion has learned from them.
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
        """Log-loss saved per device."""
        return self.figures.gain(self.rules.gain.confidence)


def table(found: Verdict) -> str:
    """Return Markdown: the losses, then a row for each gate."""
    lines = [f"Held-out devices: {len(found.figures.losses):,}{_left_out(found)}.", "", *_losses(found)]
    lines += ["", "| gate | value | limit | |", "| --- | ---: | ---: | --- |"]
    for finding in found.findings:
        sign = "≥" if finding.at_least else "≤"
        passed = "passed" if finding.passed else "**failed**"
        lines.append(f"| {finding.gate} | {finding.value:.5g} | {sign} {finding.limit:.5g} | {passed} |")
    return "\n".join(lines) + "\n"


def metrics(found: Verdict) -> dict[str, float]:
    """Return the figures by name."""
    figures = found.figures
    values = {"rows": float(len(figures.losses)), **figures.limits}
    if len(figures.losses):
        values["challenger_log_loss"] = float(figures.losses.mean())
    if figures.champion_losses is not None and found.gain:
        values["champion_log_loss"] = float(figures.champion_losses.mean())
        values |= {"gain": found.gain.mean, "gain_low": found.gain.low, "gain_high": found.gain.high}
    return values


def tags(found: Verdict) -> dict[str, str]:
    """Return the figures as a version keeps them."""
    return {f"promotion.{name}": f"{value:.6g}" for name, value in metrics(found).items()}


def _left_out(found: Verdict) -> str:
    return f" ({found.n_left_out:,} more left out, which the champion has learned from)" if found.n_left_out else ""


def _losses(found: Verdict) -> list[str]:
    values = metrics(found)
    lines = (
        [f"Log-loss of the challenger: {values['challenger_log_loss']:.5f}."] if "challenger_log_loss" in values else []
    )
    if found.gain is None:
        return [*lines, "There is no champion to compare with."] if found.figures.gains is None else lines
    interval = f"{found.gain} ({found.gain.confidence:.0%} interval of the paired bootstrap)"
    return [*lines, f"Log-loss of the champion: {values['champion_log_loss']:.5f}.", f"Saved per device: {interval}."]
