"""A few messages explain all failures, whatever numbers are in them."""

from tuning.candidates import Candidate
from tuning.results.failures import Failures
from tuning.results.fold_score import FoldScore

A, B, C = (Candidate({"depth": depth}) for depth in (1, 2, 3))


def test_messages_that_differ_in_numbers_alone_are_one_reason_and_the_commonest_comes_first():
    failures = Failures()
    failures.add([FoldScore(C, 0, error="MemoryError: 12 GB"), FoldScore(A, 0, {"accuracy": 1.0})])
    failures.add(
        [FoldScore(A, 1, error="ValueError: got 0.5 at 0xAB"), FoldScore(B, 1, error="ValueError: got 7 at 0x1")]
    )
    failures.add([FoldScore(A, 2, error="KeyError: other")])
    assert len(failures) == 3
    assert [(reason.text, reason.candidates) for reason in failures.reasons()] == [
        ("ValueError: got 0.5 at 0xAB", (A, B)),
        ("MemoryError: 12 GB", (C,)),
    ]
    assert str(failures.reasons()[0]) == "ValueError: got 0.5 at 0xAB (2 candidates)"
