"""One thin module per MLproject entry point: read parameters, call a room, log.

What several of them need is in rooms of their own below, which never import a command. ``parameters`` says what each
command takes. In the order of a sweep: ``command`` starts it, ``data`` fetches its rows, ``planning`` comes before the
first fit, ``results`` after the last one; ``choosing``, ``judging`` and ``scoring`` are of a finished sweep and of its
models; ``terminal`` is what a person sees meanwhile.
"""

import signal
import sys

from entrypoints.command.waking import waking

if sys.argv[0] == "-m":  # `python -m` is still looking for the entry point, whose libraries take seconds to load:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until then Ctrl-C just ends, without showing where it was
    waking.begin()
