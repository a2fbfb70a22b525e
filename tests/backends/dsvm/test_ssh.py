"""What ssh says, in one line that a person can act on."""

import pytest

from backends.dsvm.settings import parse_host
from backends.dsvm.ssh import explain
from backends.failures import ConnectionLostError

ADDRESS = parse_host("ssh://me@vm:2222")


@pytest.mark.parametrize(
    ("said", "words", "may_pass"),
    [
        ("No ED25519 host key is known for vm ... Host key verification failed.", "its host key is unknown", False),
        (
            "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! Host key verification failed.",
            "ssh-keygen -R '[vm]",
            False,
        ),
        ("me@vm: Permission denied (publickey).", "ssh-copy-id -p 2222 me@vm", False),
        ("ssh: Could not resolve hostname vm: Name or service not known", "Could not resolve hostname vm", True),
        ("ssh: connect to host vm port 2222: Connection timed out", "Connection timed out", True),
        ("Unauthorized use is prohibited. Connection closed by 10.0.0.4", "Connection closed by 10.0.0.4", True),
        ("", "the connection was closed", True),
    ],
)
def test_reasons(said, words, may_pass):
    error = explain(said, ADDRESS)
    assert words in str(error)
    assert str(error).startswith("vm: ")
    assert isinstance(error, ConnectionLostError) is may_pass
