"""The log over several connections: each line once, whatever the engine sends again."""

from types import SimpleNamespace

from backends.dsvm.logs import LogReader
from backends.guest.output import MARK

STAMPS = [b"2026-01-01T00:00:0%d.000000001Z" % second for second in (1, 2, 2, 2, 3)]
LINES = [b"%s line %d\n" % (stamp, number) for number, stamp in enumerate(STAMPS)]


def read(*connections: list[bytes]) -> tuple[bytes, LogReader]:
    """Return what is written when the engine sends these messages over one connection after another."""
    written = bytearray()
    reader = LogReader("c")
    for messages in connections:
        client = SimpleNamespace(api=SimpleNamespace(logs=lambda *_, messages=messages, **__: iter(messages)))
        reader.follow(client, written.extend)
    return bytes(written), reader


def test_a_break_at_any_line_loses_and_repeats_none():
    whole = b"".join(b"line %d\n" % number for number in range(5))
    for broken_after in range(6):
        seen = LINES[:broken_after]
        resent = [line for line in LINES if not seen or line[:19] >= seen[-1][:19]]  # from the whole second on
        assert read(seen, resent)[0] == whole
        assert read(seen, [*resent[:1]], LINES if not seen else resent)[0] == whole


def test_a_bars_mark_is_taken_out_again():
    stamp = STAMPS[0]
    written, reader = read([stamp + b" 50%" + MARK, STAMPS[1] + b" \r100%\n"])
    assert written == b"50%\r100%\n"
    assert reader.last_line == "100%"
