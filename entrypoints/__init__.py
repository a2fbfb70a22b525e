"""One thin module per MLproject entry point: read parameters, call a room, log."""

import signal
import sys

from entrypoints.waking import waking

if sys.argv[0] == "-m":  # `python -m` is still looking for the entry point, whose libraries take seconds to load:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until then Ctrl-C just ends, without showing where it was
    waking.begin()
