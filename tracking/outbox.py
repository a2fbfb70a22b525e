"""What a store could not be told, kept on disk in the order of telling, to be told later.

When a store has been waited for in vain, requests that write go here: a line of JSON each, with copies of the files
that they would have sent. Sending them again later is safe for the same reasons as sending a request twice is
(``tracking.client``); what has a name only once the store has made it (a run, a model) has one of our own until then.
We do not keep the sweep's result and write all of it anew: what a run holds is decided in many places, and this way
each of them stays the only one that knows.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelOutput, Metric, Param, RunTag

from cache.locks import held_beside

REQUESTS, PROGRESS, FILES = "requests.jsonl", "progress.json", "files"
SENDS_FILES = {"log_artifact": 1, "log_artifacts": 1, "log_model_artifacts": 1}
"""Methods with a path among their arguments, and at which place."""
_ENTITIES = {
    "metric": (Metric, ("key", "value", "timestamp", "step", "model_id")),
    "param": (Param, ("key", "value")),
    "tag": (RunTag, ("key", "value")),
    "output": (LoggedModelOutput, ("model_id", "step")),
    "input": (DatasetInput, ("dataset", "tags")),
    "input_tag": (InputTag, ("key", "value")),
    "dataset": (Dataset, ("name", "digest", "source_type", "source", "schema", "profile")),
}
_ENTITY = "\0entity"
_NAMES_ITSELF = "MLmodel"  # the file of a model's folder in which the names of run and model stand


class Outbox:
    """Requests in a folder that lasts until all of them have been carried out.

    Parameters
    ----------
    folder : Path
        Made on first use.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __bool__(self) -> bool:
        """Whether anything is left in it."""
        return (self.folder / REQUESTS).exists()

    def add(self, method: str, given: Sequence[Any], named: Mapping[str, Any], made: Mapping[str, str]) -> None:
        """Keep a request.

        Parameters
        ----------
        method : str
        given, named : sequence and mapping
            Its arguments.
        made : mapping of str to str
            What its answer will say, by attribute, under names of our own.
        """
        given = list(given)
        with self._held():
            if method in SENDS_FILES:
                given[SENDS_FILES[method]] = self._copied(Path(given[SENDS_FILES[method]]))
            request = {"method": method, "given": given, "named": dict(named), "made": dict(made)}
            with open(self.folder / REQUESTS, "a", encoding="utf-8") as file:
                file.write(json.dumps(request, default=_plain) + "\n")

    def send(self, carry_out: Callable[[str, Sequence[Any], Mapping[str, Any]], Any]) -> dict[str, str]:
        """Have all requests carried out in order, and remove them.

        Parameters
        ----------
        carry_out : callable
            Takes a method and its arguments, and returns its answer. What it raises ends the sending; the next goes on
            with the request that it was raised for.

        Returns
        -------
        dict of str to str
            What the store has made, by the names of our own.
        """
        with self._held():
            progress = self._progress()
            names: dict[str, str] = progress["names"]
            for number, line in enumerate(self._requests()):
                if number < progress["done"]:
                    continue
                request = json.loads(renamed(line, names), object_hook=_entity)
                method, given = request["method"], request["given"]
                if method in SENDS_FILES:
                    given[SENDS_FILES[method]] = str(self.folder / given[SENDS_FILES[method]])
                    rename_files(method, given, names)
                answer = carry_out(method, given, request["named"])
                names |= {ours: _value(answer, attribute) for attribute, ours in request["made"].items()}
                progress["done"] = number + 1
                self._save(progress)
            shutil.rmtree(self.folder, ignore_errors=True)
        return names

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Keep other processes off: one may add while another sends."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with held_beside(self.folder):
            self.folder.mkdir(exist_ok=True)
            yield

    def _requests(self) -> Iterator[str]:
        """Yield each whole line; the last may be torn, if the process was killed while it wrote."""
        try:
            with open(self.folder / REQUESTS, encoding="utf-8") as file:
                yield from (line for line in file if line.endswith("\n"))
        except FileNotFoundError:
            return

    def _copied(self, source: Path) -> str:
        target = Path(FILES) / uuid.uuid4().hex / source.name
        (self.folder / target).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, self.folder / target)
        else:
            shutil.copy(source, self.folder / target)
        return target.as_posix()

    def _progress(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.folder / PROGRESS).read_text(encoding="utf-8"))
            return found
        except FileNotFoundError:
            return {"done": 0, "names": {}}

    def _save(self, progress: Mapping[str, Any]) -> None:
        new = self.folder / f"{PROGRESS}.new"
        new.write_text(json.dumps(progress), encoding="utf-8")
        os.replace(new, self.folder / PROGRESS)


def name_of_our_own() -> str:
    """Return what stands for a name that only the store can give."""
    return f"unrecorded{uuid.uuid4().hex}"


def rename_files(method: str, given: Sequence[Any], names: Mapping[str, str]) -> None:
    """Put what the store has made in place of our own names in the files that a request sends."""
    for file in Path(given[SENDS_FILES[method]]).rglob(_NAMES_ITSELF):
        file.write_text(renamed(file.read_text(encoding="utf-8"), names), encoding="utf-8")


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Return `text` with what the store has made in place of our own names."""
    for ours, theirs in names.items():
        text = text.replace(ours, theirs)
    return text


def _value(answer: Any, attribute: str) -> str:
    for name in attribute.split("."):
        answer = getattr(answer, name)
    return str(answer)


def _plain(value: Any) -> Any:
    for name, (kind, fields) in _ENTITIES.items():
        if type(value) is kind:
            return {_ENTITY: name, **{field: getattr(value, field) for field in fields}}
    raise TypeError(f"{type(value).__name__} cannot be kept for later")


def _entity(read: dict[str, Any]) -> Any:
    if _ENTITY not in read:
        return read
    kind, _ = _ENTITIES[read.pop(_ENTITY)]
    return kind(**read)
