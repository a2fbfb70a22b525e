"""Progress is a bar on a terminal and a few plain lines elsewhere; the standing is in both."""

import io
import re

from rich.console import Console

from entrypoints.progress import SweepProgress
from tuning.candidates import Candidate
from tuning.results.sweep_result import FoldScore
from tuning.spec.sweep_spec import SweepSpec

SPEC = SweepSpec(estimator="sklearn.tree.DecisionTreeClassifier", grid={"max_depth": [1]}, scoring="accuracy")
CANDIDATES = [Candidate({"depth": depth}) for depth in range(1, 5)]


def watched(*, terminal: bool, seconds_a_fit: float) -> str:
    """What is written while four candidates of five folds end one by one."""
    out = io.StringIO()
    now = [100.0]
    console = Console(file=out, force_terminal=terminal, width=100, color_system=None)
    with SweepProgress(console, clock=lambda: now[0]) as progress:
        progress.started(SPEC, len(CANDIDATES), 5)
        for fold in range(5):
            for candidate in CANDIDATES:
                now[0] += seconds_a_fit
                progress.scored([FoldScore(candidate, fold, {"accuracy": candidate.params["depth"] / 10})])
        progress.ended(None)
    return out.getvalue()


def test_without_a_terminal_a_line_comes_at_most_every_two_seconds():
    lines = watched(terminal=False, seconds_a_fit=0.5).splitlines()
    assert len(lines) == 20 * 0.5 / 2
    assert len(set(lines)) == len(lines)
    assert lines[0] == "sweep: 4/20 fits, 0/4 candidates, about 8.0 s left"
    assert lines[-1] == "sweep: 20/20 fits, 4/4 candidates, best accuracy 0.40000 (depth=4)"


def test_a_quick_sweep_still_leaves_one_line():
    assert watched(terminal=False, seconds_a_fit=0.001).count("\n") == 1


def test_on_a_terminal_the_last_state_stays_on_the_screen():
    screen = re.sub(r"\x1b\[[0-9?;]*[a-zA-Z]", "", watched(terminal=True, seconds_a_fit=0.5))
    *_, bar, standing = filter(None, screen.replace("\r", "\n").splitlines())
    assert "━━━" in bar
    assert "20/20 fits, 4/4 candidates" in bar
    assert "best accuracy 0.40000 (depth=4)" in standing
