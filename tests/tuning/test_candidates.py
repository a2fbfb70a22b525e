"""Candidates: keys that hold everywhere, names that a person can read."""

import subprocess
import sys

from tuning import Candidate


def test_the_key_does_not_depend_on_the_order_of_parameters():
    assert Candidate({"a": 1, "b": 2.5}).key == Candidate({"b": 2.5, "a": 1}).key


def test_the_key_is_the_same_in_another_process():
    script = "from tuning import Candidate; print(Candidate({'max_depth': 3, 'booster': 'dart'}).key)"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == Candidate({"booster": "dart", "max_depth": 3}).key


def test_values_of_another_type_make_another_candidate():
    keys = {Candidate({"x": value}).key for value in (1, 1.0, "1", True, None, [1])}
    assert len(keys) == 6


def test_the_key_is_twelve_hex_digits():
    key = Candidate({"max_depth": 3}).key
    assert len(key) == 12
    assert int(key, 16) >= 0


def test_the_name_reads_in_alphabetical_order():
    assert Candidate({"n_estimators": 300, "max_depth": 3}).name == "max_depth=3 n_estimators=300"
