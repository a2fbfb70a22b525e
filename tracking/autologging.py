"""MLflow's autologging, kept out of what we record ourselves.

It logs every fit of a patched estimator: of a search, all of them, as runs of their own or over the params of the run
that is open. MLflow has one switch for a whole process and no count of who has turned it, so we count.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from mlflow.utils import autologging_utils

_changing = threading.Lock()
_off = ExitStack()
_blocks = 0


@contextmanager
def held_off() -> Iterator[None]:
    """Keep it off for the block, in the whole process, and then as it was; blocks may nest and overlap."""
    global _blocks
    with _changing:
        if _blocks == 0 and not getattr(autologging_utils, "_AUTOLOGGING_GLOBALLY_DISABLED", False):
            _off.enter_context(autologging_utils.disable_autologging())
        _blocks += 1
    try:
        yield
    finally:
        with _changing:
            _blocks -= 1
            if _blocks == 0:
                _off.close()
