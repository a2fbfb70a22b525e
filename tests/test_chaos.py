"""Ten kills at random moments: nothing is fitted again that was known, nothing is left behind, and nothing differs."""

from benchmarks.chaos.__main__ import main


def test_a_sweep_that_is_killed_again_and_again_comes_to_what_an_undisturbed_one_comes_to(capsys):
    seen = main(["--kills", "10", "--kinds", "driver,worker,worker", "--candidates", "12"])
    print(capsys.readouterr())
    assert seen.kills == 10
    assert seen.is_clean
