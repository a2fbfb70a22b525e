"""How ``backends.guest`` is sent to the other side: one file, that Python there can run as it is.

A container takes a zip with a ``__main__``. A Spark application's main file must be Python text by name and content:
spark-submit takes nothing that does not end in ``.py`` for Python's, and Databricks runs the text itself. Files beside
it would have to be handed over in another way by each service, and could come without it; so the zip is in the text.
"""

from __future__ import annotations

import io
import zipfile
from base64 import b85encode
from pathlib import Path

from backends import guest

_NAME = "gridfold_guest"  # not one that a project, which may run in the same process, is likely to have as well

_CONTAINER = f"""\
import sys
from {_NAME} import gate, supervisor

sys.exit(gate.pipe() if sys.argv[1] == "link" else supervisor.main())
"""

_DRIVER = '''\
"""gridfold's driver, made of the room backends/guest of the project: what it does is in the zip, written as text."""

import base64
import os
import sys
import tempfile

PARTS = """
%s
"""

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="gridfold-driver-") as folder:
        parts = os.path.join(folder, "parts.zip")
        with open(parts, "wb") as file:
            file.write(base64.b85decode(PARTS.replace("\\n", "")))
        sys.path.insert(0, parts)
        from %s import driver

        sys.path.remove(parts)
        exit_code = driver.main(sys.argv[1:])
    if exit_code:  # some services take any SystemExit for a failure
        sys.exit(exit_code)
'''
_COLUMNS = 100


def for_container() -> bytes:
    """Return the zip that a container's Python runs: its first process by ``run``, a pipe to its gate by ``link``."""
    return _zipped({"__main__.py": _CONTAINER})


def for_spark() -> bytes:
    """Return the main file of a Spark application; its arguments are the shared folder and the run's id."""
    text = b85encode(_zipped({})).decode()
    lines = (text[start : start + _COLUMNS] for start in range(0, len(text), _COLUMNS))
    return (_DRIVER % ("\n".join(lines), _NAME)).encode()


def _zipped(more: dict[str, str]) -> bytes:
    """Zip the room, always to the same bytes."""
    sources = {f"{_NAME}/{path.name}": path.read_text("utf-8") for path in Path(guest.__file__).parent.glob("*.py")}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted((sources | more).items()):
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
