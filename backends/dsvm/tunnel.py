"""The tunnel: the job's tracking requests, through its container, the engine and SSH, to the user's own store.

Nothing listens on the VM, and nothing of it is left there: the process ends with the connection and is started again
with the next one. What was under way waits in ``Link``, so MLflow does not notice that there was a break.
"""

from __future__ import annotations

import threading

from docker.errors import APIError

from backends.dsvm import image, streams
from backends.dsvm.container import GUEST, DsvmJob
from backends.dsvm.engine import Broken, Engine
from backends.dsvm.store import OwnServer, OwnStore
from backends.guest.link import Link

_PAUSE = 0.3


class Tunnel:
    """Keeps one job connected to the store, while the job runs, in a thread of its own."""

    def __init__(self, engine: Engine, store: OwnServer | OwnStore) -> None:
        self._engine = engine
        self._link = Link(store.dial)
        self._closed = threading.Event()
        self._pipe: streams.Pipe | None = None
        self._thread: threading.Thread | None = None

    def connect(self, job: DsvmJob) -> None:
        """Begin to connect `job`, again and again."""
        self._thread = threading.Thread(target=self._keep, args=(job,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hang up."""
        self._closed.set()
        if self._pipe is not None:
            self._pipe.close()
        if self._thread is not None:
            self._thread.join(5)

    def _keep(self, job: DsvmJob) -> None:
        while not self._closed.is_set():
            try:
                if not job.is_running():
                    return
                _, self._pipe = streams.start_process(self._engine, job.container, [image.PYTHON, GUEST, "link"], {})
                self._link.attach(self._pipe.read, self._pipe.write)
                self._pipe.close()
            except (*Broken, APIError, OSError):  # whoever follows the job connects again
                pass
            self._closed.wait(_PAUSE)
