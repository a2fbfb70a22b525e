"""Progress is a picture on a terminal and a few plain lines elsewhere; both say what is known at that moment."""

import io
import re
import shutil
import sys
from pathlib import Path

import pytest
from rich.console import Console

from entrypoints.parameters import SweepParams
from entrypoints.results.summary import what_next
from entrypoints.terminal.progress import SweepProgress
from entrypoints.terminal.results import show_facts, show_lines
from entrypoints.terminal.stages import Stages, stages
from tests.entrypoints.conftest import ROOT, SMALL
from tests.entrypoints.terminals import LOUD, Program, console_for
from tests.entrypoints.test_mlflow_run import MANY
from tracking.registry import RegisteredModel
from tuning.candidates import Candidate
from tuning.engines.ledger import Ledger
from tuning.plan import Fit
from tuning.results.fold_score import FoldScore
from tuning.spec.sweep_spec import SweepSpec

pytestmark = pytest.mark.disturbs

SPEC = SweepSpec(estimator="sklearn.tree.DecisionTreeClassifier", grid={"max_depth": [1]}, scoring="accuracy")
CANDIDATES = [Candidate({"depth": depth}, label=f"#{depth} {'a_long_name' * 8}={depth}") for depth in range(1, 9)]


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class Engine:
    """Two workers that do what a test says."""

    name = "told"
    workers = 2

    def __init__(self, clock):
        self.ledger = Ledger(clock)


class Sweep:
    """A sweep in slow motion, and who watches it."""

    def __init__(self, console, spec=SPEC, n_folds=5, candidates=CANDIDATES):
        self.clock = Clock()
        self.engine = Engine(self.clock)
        self.progress = SweepProgress(self.engine, console, self.clock)
        self.candidates, self.n_folds = candidates, n_folds
        self.progress.started(spec, len(candidates), n_folds)

    def fits(self, candidates=None, folds=None, rounds=1.0):
        fits = [
            Fit(fold, (candidate,), rounds=rounds)
            for fold in (range(self.n_folds) if folds is None else folds)
            for candidate in (self.candidates if candidates is None else candidates)
        ]
        for fit in fits:
            self.engine.ledger.submitted(fit)
        return fits

    def run(self, fit, seconds, error=None):
        self.engine.ledger.began(fit)
        self.clock.now += seconds
        scores = {} if error else {"accuracy": fit.candidates[0].params["depth"] / 10}
        found = [FoldScore(fit.candidates[0], fit.fold, scores, seconds, error=error, share=fit.rounds)]
        self.engine.ledger.ended(fit, found)
        self.progress.scored(found)
        self.progress.tick()


@pytest.fixture
def loud(monkeypatch):
    for name, value in LOUD.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def plain(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    written = io.StringIO()
    return Console(file=written), lambda: written.getvalue().splitlines()


def test_plain_lines_come_soon_and_then_every_nine_seconds_with_the_time_left_as_a_range(plain):
    console, lines = plain
    sweep = Sweep(console)
    for fit in sweep.fits():
        sweep.run(fit, 4.0)
    sweep.progress.ended(None)
    assert 160 / 9 < len(lines()) < 160 / 4
    low, high = re.search(r"sweep: 1/40 fits, 0/8 candidates, .*, (\d+) to (\d+) s left$", lines()[0]).groups()
    assert int(low) < 39 * 4 / 2 < int(high)
    assert lines()[-1] == f"sweep: 40/40 fits, 8/8 candidates, best accuracy 0.80000 ({CANDIDATES[7].name})"


def test_while_nothing_ends_the_lines_tell_of_rounds(plain):
    console, lines = plain
    sweep = Sweep(console)
    first, *_ = sweep.fits()
    sweep.engine.ledger.began(first)
    for done in range(1, 60):
        sweep.clock.now += 1
        sweep.engine.ledger.at(first, done / 100, (done, 100))
        sweep.progress.tick()
    assert len(lines()) >= 60 / 10
    assert re.fullmatch(
        r"sweep: 0/40 fits, 0/8 candidates, running: fold 0 at round \d\d of 100 after \d\d s, .+ left", lines()[-1]
    )


def test_under_ci_the_lines_are_few(plain, monkeypatch):
    monkeypatch.setenv("CI", "true")
    console, lines = plain
    sweep = Sweep(console)
    sweep.engine.ledger.began(sweep.fits()[0])
    for _ in range(3600):
        sweep.clock.now += 1
        sweep.progress.tick()
    assert 20 < len(lines()) < 45


def test_a_quick_sweep_leaves_one_line(plain):
    console, lines = plain
    sweep = Sweep(console)
    for fit in sweep.fits():
        sweep.run(fit, 0.001)
    sweep.progress.ended(None)
    assert len(lines()) == 1


def test_the_last_state_is_not_told_twice(plain):
    console, lines = plain
    sweep = Sweep(console)
    for fit in sweep.fits():
        sweep.run(fit, 4.0)
    sweep.clock.now += 60
    sweep.progress.tick()
    sweep.progress.ended(None)
    assert len(set(lines())) == len(lines())


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("CI", "true")])
def test_who_asks_for_plain_lines_gets_them_on_a_terminal_too(loud, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    console, lines = console_for(80)
    with Sweep(console).progress as progress:
        progress.ended(None)
    assert lines() == ["sweep: 0/40 fits, 0/8 candidates"]


@pytest.mark.parametrize("columns", [80, 140])
def test_the_picture_shows_all_that_is_known_and_nothing_in_it_wraps(loud, columns):
    console, lines = console_for(columns)
    sweep = Sweep(console)
    waiting = sweep.fits()
    for fit in waiting[:8]:
        failed = fit.candidates[0] in CANDIDATES[:3]
        sweep.run(fit, 10.0, f"ValueError: not {fit.candidates[0].params['depth']}" if failed else None)
    for fit, done in zip(waiting[8:10], (30, 60), strict=True):
        sweep.engine.ledger.began(fit)
        sweep.engine.ledger.at(fit, done / 400, (done, 400))
    sweep.clock.now += 5
    console.print(sweep.progress.picture())
    text = lines()
    assert all(len(line) <= columns for line in text)
    assert sum("━" in line or "──" in line for line in text) == 1, "the picture stands there once"
    assert re.search(r"8 of 40 fits +1 min 25 s +1 to 3 min left", text[0])
    assert "0 of 8 candidates done" in text[1]
    assert text[2].strip() == "3 failed, all: ValueError: not 1"
    assert re.search(r"2 of 2 workers busy, 30 waiting, memory \d+\.\d of \d+(\.\d+)? GB", text[3])
    assert [re.split(r"  +", line.strip())[:3] for line in text[4:6]] == [
        ["5.0 s", "fold 1", "round 30 of 400"],
        ["5.0 s", "fold 1", "round 60 of 400"],
    ]
    assert text[6].strip() == "best by accuracy"
    assert [line.split()[:2] for line in text[7:]] == [[str(n), f"0.{9 - n}0000"] for n in range(1, 6)]
    assert all("on 1 of 5 folds" in line for line in text[7:])


def test_halving_shows_who_survives_and_counts_the_rungs_to_come(loud):
    console, lines = console_for(100)
    spec = SPEC.model_validate(
        {
            "estimator": "xgboost.XGBClassifier",
            "grid": {"max_depth": list(range(1, 10))},
            "scoring": "accuracy",
            "search": {"strategy": "halving", "factor": 3, "min_share": 0.1},
        }
    )
    sweep = Sweep(console, spec, 2, [Candidate({"depth": depth}) for depth in range(9)])
    for fit in sweep.fits(rounds=1 / 9):
        sweep.run(fit, 1.0)
    sweep.fits(sweep.candidates[-3:], rounds=1 / 3)
    console.print(sweep.progress.picture())
    assert lines()[2].strip() == "9 on 11% of the rounds, 3 on 33% of the rounds, 1 on 100% of the rounds"
    assert re.search(r"18 fits +18 s +(up to|\d+ to) \d+ s left", lines()[0])


def test_racing_shows_who_is_still_in_the_race(loud):
    console, lines = console_for(100)
    spec = SPEC.model_copy(update={"search": type(SPEC.search)(strategy="racing", min_folds=3)})
    sweep = Sweep(console, spec)
    for fit in sweep.fits(folds=(0, 1, 2)):
        sweep.run(fit, 1.0)
    sweep.fits(CANDIDATES[-2:], folds=(3,))
    console.print(sweep.progress.picture())
    assert lines()[2].strip() == "8 on folds 0 to 2, 2 on fold 3, at most 2 on fold 4"


def test_a_stage_says_its_rounds_and_how_long_it_has_been():
    clock = Clock()
    shown = Stages("winner", clock)
    shown("refitting")
    assert shown.words() == "winner: refitting"
    clock.now += 10
    shown.at_round(20, 100)
    assert shown.words() == "winner: refitting, round 20 of 100, 10 s, 35 to 45 s left"


def test_a_stage_is_silent_in_a_file_where_it_is_short(plain):
    console, lines = plain
    with stages("winner", console) as begin:
        begin("refitting")
    assert lines() == []


def test_the_closing_box_fits_and_what_is_to_be_copied_is_never_broken(loud):
    console, lines = console_for(80)
    link = "http://127.0.0.1:5000/#/experiments/0/runs?" + "x" * 60
    show_facts("swept in 3 s", [("best", "#1 " + "depth=3 " * 15), ("", "more")], console)
    show_lines([("charts", link), ("run", "http://here")], console)
    box = lines()[:6]
    assert box[0].startswith("╭─ swept in 3 s ─")
    assert {len(line) for line in box[:4]} == {80}
    assert "".join(lines()).count(link) == 1
    assert lines()[-1] == "run      http://here"
    written = console.file.getvalue()
    assert f"\n{link}\n" in written


def test_what_comes_next_is_ready_to_be_typed():
    model = RegisteredModel("demographics", 3, "challenger", None)
    (label, score), (_, promote), (_, serve) = what_next(SweepParams(data="DIR"), model)
    assert label == "next"
    assert score.endswith("-e score -P model=models:/demographics@challenger -P data=DIR")
    assert promote.endswith("-e promote -P model=demographics")
    assert serve.endswith("-m models:/demographics@challenger")
    (_, own), *_ = what_next(SweepParams(features="mine.csv"), model)
    assert own.endswith("-e score -P model=models:/demographics@challenger -P data=NEW_ROWS")
    assert what_next(SweepParams(), None) == []


def test_mlflow_run_has_the_picture_and_ctrl_c_leaves_it_there_once(workplace):
    space = workplace.folder / "many.yaml"
    space.write_text(MANY)
    mlflow = [sys.executable, "-m", "mlflow", "run", str(ROOT), "-e", "sweep", "--env-manager", "local"]
    arguments = [*SMALL, "--space", str(space)]
    given = [f"{name[2:]}={value}" for name, value in zip(arguments[::2], arguments[1::2], strict=True)]
    path = f"{Path(sys.executable).parent}:{shutil.os.environ['PATH']}"
    program = Program([*mlflow, *(word for each in given for word in ("-P", each))], {"PATH": path})
    program.until(lambda lines: any("best by neg_log_loss" in line for line in lines))
    program.interrupt()
    code = program.exit_code()
    text = program.terminal.lines
    ours = text[text.index(next(line for line in text if line.split()[0] == "look")) :]
    assert code != 0
    assert {"charts", "run"} <= {*ours[:9]}, "the links come first"
    assert sum("──" in line for line in ours) == 1, "\n".join(text)
    assert sum("best by neg_log_loss" in line for line in ours) == 1
    assert any(line.startswith("interrupted") for line in ours)
