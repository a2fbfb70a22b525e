"""What the files of a case are made of: a mapping of one key, the kind, to what it takes; text stands for itself.

{text: [TEXT, TIMES]}     repeated
{hex: BYTES}              as they are
{table: {COLUMN: VALUES}} CSV; {parquet: ...} Parquet; VALUES: a list, {range: N}, {of: [VALUE, N]}, {nested: N}
{npz: {NAME: ARRAY}}      the sound matrix with some of its arrays changed, or left out where null
{zip: {NAME: FILE}}       with {stored: ...} the same, not compressed; {gz: FILE}, {bz2: FILE}, {xz: FILE}
{cut: [FILE, SHARE]}      only the beginning
{pipe: null}, {folder: {NAME: FILE}}, {link: TARGET}, {sparse: BYTES}
{seven: {NAME: FILE}}     a folder of the seven tables, some of them changed, or left out where null
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp

N_ROWS = 60


def make(path: Path, content: Any, seven: Path) -> None:
    """Put at `path` what `content` says; `seven` is a folder of the seven tables."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Mapping):
        [(kind, given)] = content.items()
        if kind in _PLACES:
            _PLACES[kind](path, given, seven)
            return
    path.write_bytes(_bytes(content))


def _bytes(content: Any) -> bytes:
    if isinstance(content, str):
        return content.encode()
    [(kind, given)] = content.items()
    return _CONTENTS[kind](given)


def _npz(parts: Mapping[str, Any]) -> bytes:
    sound = sp.random_array((N_ROWS, 4), density=0.5, format="csr", random_state=0)
    arrays: dict[str, Any] = {
        "format": b"csr",
        "shape": sound.shape,
        "data": sound.data,
        "indices": sound.indices,
        "indptr": sound.indptr,
    }
    changed = {name: _array(arrays.get(name), part) for name, part in parts.items()}
    buffer = io.BytesIO()
    whole = {name: np.array(part) for name, part in (arrays | changed).items() if part is not None}
    np.savez(buffer, **whole)  # type: ignore[arg-type]
    return buffer.getvalue()


def _array(sound: Any, part: Any) -> Any:
    """Return a list as it is, or the sound array changed by a word."""
    if not isinstance(part, Mapping):
        return part.encode() if isinstance(part, str) else part
    [(how, value)] = part.items()
    match how:
        case "plus":
            return sound + value
        case "first":
            return sound[:value]
        case "type":
            return sound.astype(value)
        case "all":
            return np.full_like(sound, value)
        case "objects":
            return np.array([{}] * len(sound), dtype=object)
    raise KeyError(how)


def _values(given: Any) -> list[Any]:
    if isinstance(given, list):
        return given
    [(how, value)] = given.items()
    match how:
        case "range":
            return list(range(value))
        case "of":
            return [value[0]] * value[1]
        case "turns":
            return [value[place % len(value)] for place in range(N_ROWS)]
        case "nested":
            return [{"inside": [place]} for place in range(value)]
    raise KeyError(how)


def _csv(columns: Mapping[str, Any]) -> bytes:
    values = {str(name): _values(given) for name, given in columns.items()}
    lines = [",".join(values), *(",".join(map(str, row)) for row in zip(*values.values(), strict=True))]
    return ("\n".join(lines) + "\n").encode()


def _parquet(columns: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({str(name): _values(given) for name, given in columns.items()}), buffer)
    return buffer.getvalue()


def _zip(members: Mapping[str, Any], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, _bytes(content))
    return buffer.getvalue()


def _cut(given: tuple[Any, float]) -> bytes:
    whole = _bytes(given[0])
    return whole[: int(len(whole) * given[1])]


def _folder(path: Path, members: Mapping[str, Any] | None, seven: Path) -> None:
    path.mkdir(exist_ok=True)
    for name, content in (members or {}).items():
        make(path / name, content, seven)


def _seven(path: Path, changed: Mapping[str, Any] | None, seven: Path) -> None:
    shutil.copytree(seven, path)
    for name, content in (changed or {}).items():
        (path / name).unlink(missing_ok=True)
        if content is not None:
            make(path / name, content, seven)


def _sparse(path: Path, size: int, _: Path) -> None:
    with path.open("wb") as file:
        file.truncate(size)


_CONTENTS: Mapping[str, Callable[[Any], bytes]] = {
    "text": lambda given: (given[0] * given[1]).encode(),
    "hex": bytes.fromhex,
    "table": _csv,
    "parquet": _parquet,
    "npz": _npz,
    "zip": _zip,
    "stored": lambda members: _zip(members, zipfile.ZIP_STORED),
    "gz": lambda content: gzip.compress(_bytes(content)),
    "bz2": lambda content: bz2.compress(_bytes(content)),
    "xz": lambda content: lzma.compress(_bytes(content)),
    "cut": _cut,
}
_PLACES: Mapping[str, Callable[[Path, Any, Path], None]] = {
    "pipe": lambda path, _, __: os.mkfifo(path),
    "folder": _folder,
    "link": lambda path, target, _: path.symlink_to(target),
    "sparse": _sparse,
    "seven": _seven,
}
