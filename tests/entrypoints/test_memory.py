"""The same command goes on where it was; what is known is not fitted again, and the run and the terminal say so."""

from __future__ import annotations

from pathlib import Path

import yaml

from entrypoints.sweep import sweep
from tests.entrypoints.conftest import SMALL, SPACE


def table(workplace, run):
    path = workplace.client.download_artifacts(run.info.run_id, "sweeping_results.txt", str(workplace.folder))
    return Path(path).read_text(encoding="utf-8")


def test_what_is_known_is_not_fitted_again_and_the_run_and_the_terminal_say_so(workplace, capsys):
    """One story, since each sweep takes seconds: done, done again, grown, and never."""

    def swept(space, *more):
        assert sweep([*SMALL, "--space", space, *more]) == 0
        run = workplace.newest_sweep()
        return run, capsys.readouterr().out, (run.data.metrics["fits"], run.data.metrics["reused"])

    first, said, counts = swept(workplace.space)
    assert counts == (8, 0)
    assert "known    " not in said
    assert "reused   8" not in said
    second, said, counts = swept(workplace.space)
    assert counts == (0, 8)
    assert "\nknown    8 of 8 fits: 8 in " in said
    assert "\nreused   8 fits of earlier sweeps; none fitted now\n" in said
    assert second.info.run_id != first.info.run_id
    assert table(workplace, second) == table(workplace, first)
    assert len(workplace.children(second.info.run_id)) == 4
    grown = workplace.folder / "grown.yaml"
    grown.write_text(yaml.safe_dump(yaml.safe_load(SPACE) | {"grid": {"max_depth": [3, 2, 1], "n_estimators": [2, 3]}}))
    _, said, counts = swept(str(grown))
    assert counts == (4, 8)
    assert "\nknown    8 of 12 fits: 8 in " in said
    _, said, counts = swept(workplace.space, "--reuse", "never")
    assert counts == (8, 0)
    assert "known    " not in said


def test_reuse_is_auto_or_never(workplace, capsys):
    assert sweep(["--space", workplace.space, "--reuse", "sometimes"]) == 1
    assert "-P reuse=sometimes: expected 'auto', or 'never'" in capsys.readouterr().err
