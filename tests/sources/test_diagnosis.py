"""The first offending cell is found wherever it is, however large the file."""

from __future__ import annotations

import pytest

from sources import diagnosis
from sources.diagnosis import first_offence
from sources.schema import TABLES

ROWS = 2000


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of a few rows, so that their edges fall everywhere."""
    monkeypatch.setattr(diagnosis, "_BLOCK_BYTES", 64)


@pytest.fixture
def offence_in(tmp_path):
    """Diagnose lines below a header, as label_categories."""

    def offence_in(lines):
        file = tmp_path / "label_categories.csv"
        file.write_text("\n".join(["label_id,category", *lines]) + "\n", encoding="utf-8", newline="")
        return first_offence(file, TABLES["label_categories"], ["label_id", "category"])

    return offence_in


@pytest.mark.parametrize("bad", [0, 1, 5, 6, 7, 8, 1000, ROWS - 2, ROWS - 1])
def test_the_line_is_right_wherever_blocks_end(offence_in, bad):
    lines = [f'{number},"a, ""b"""' for number in range(ROWS)]
    lines[bad] = "x,y"
    assert offence_in(lines).startswith(f"line {bad + 2:,}: label_id 'x' is not a whole number")


def test_the_first_of_several_is_told(offence_in):
    lines = [f"{number},a" for number in range(ROWS)]
    lines[100] = "1.5,a"
    lines[99] = "1,2,3"
    assert offence_in(lines).startswith("line 101: 3 cells")


@pytest.mark.parametrize("bad", [3, 50, ROWS - 1])
def test_cells_of_several_lines_do_not_mislead_it(offence_in, bad):
    lines = [f'{number},"a\n\nb"' for number in range(ROWS)]
    lines[bad] = "x,y"
    assert offence_in(lines).startswith(f"line {2 + 3 * bad:,}: label_id 'x'")


def test_a_file_without_fault_has_no_offence(offence_in):
    assert offence_in([f"{number}," for number in range(ROWS)]) is None


def test_a_long_cell_is_cut_short_in_the_message(offence_in):
    assert len(offence_in(["9" * 5000 + "x,a"])) < 200
