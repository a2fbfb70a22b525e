"""The shared folder of a workspace: a folder of a Unity Catalog volume, or of the workspace's own files.

A job's driver has both mounted, under the name by which they are asked for here (``/Volumes/...``, ``/Workspace/...``),
so it reads and writes plain files. A volume is the better place: its files may be large, and the driver may write to
it on every kind of compute.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from databricks.sdk.errors import NotFound
from databricks.sdk.service.workspace import ExportFormat, ImportFormat, ObjectType

from backends.databricks_jobs.workspace import Workspace, told
from backends.failures import BackendError

_UNFINISHED = ".part"  # of the driver's, about to be renamed


class MountedFiles:
    """What the two kinds have in common: a SharedFolder over files and folders.

    Parameters
    ----------
    workspace : Workspace
    root : str
        The folder, as the driver has it mounted.
    """

    def __init__(self, workspace: Workspace, root: str) -> None:
        self._client = workspace.client
        self._place = workspace.place
        self.root = root

    def put(self, name: str, content: bytes | Path) -> None:
        """Write a file."""
        with told(self._place), BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file:
            try:
                self._write(self._path(name), file)
            except NotFound as error:
                raise BackendError(f"{self._place}: {self.root} cannot be written to: {error}") from error

    def get(self, name: str) -> bytes | None:
        """Return a file's content, None where there is none."""
        with told(self._place):
            try:
                return self._read(self._path(name))
            except NotFound:
                return None

    def names(self, prefix: str) -> list[str]:
        """Return the names of all files that begin with `prefix`, in order."""
        with told(self._place):
            found = [name for name, is_folder in self._walk(prefix) if not is_folder]
        return sorted(name for name in found if not name.endswith(_UNFINISHED))

    def remove(self, prefix: str) -> None:
        """Remove all files whose names begin with `prefix`, and the folders that they were in."""
        with told(self._place):
            for name, is_folder in sorted(self._walk(prefix), reverse=True):  # what is in a folder before the folder
                try:
                    self._delete(self._path(name), is_folder)
                except NotFound:
                    continue

    def _walk(self, prefix: str) -> Iterator[tuple[str, bool]]:
        """Yield names that begin with `prefix`, or with ``prefix`` as a folder's name, and whether each is a folder."""
        waiting = [prefix.rpartition("/")[0]]
        if waiting[0] and prefix.endswith("/"):
            yield waiting[0], True
        while waiting:
            folder = waiting.pop()
            try:
                entries = list(self._list(self._path(folder)))
            except NotFound:
                continue
            for entry, is_folder in entries:
                name = f"{folder}/{entry}" if folder else entry
                if name.startswith(prefix):
                    yield name, is_folder
                    waiting += [name] if is_folder else []

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}".rstrip("/")

    def _write(self, path: str, content: BinaryIO) -> None:
        raise NotImplementedError

    def _read(self, path: str) -> bytes:
        raise NotImplementedError

    def _list(self, path: str) -> Iterator[tuple[str, bool]]:
        raise NotImplementedError

    def _delete(self, path: str, is_folder: bool) -> None:
        raise NotImplementedError


class VolumeFiles(MountedFiles):
    """A SharedFolder in a volume, through the Files API."""

    def require(self) -> None:
        """Refuse a volume that is not there."""
        volume = "/".join(self.root.split("/")[:5])
        with told(self._place):
            try:
                self._client.files.get_directory_metadata(volume)
            except NotFound as error:
                catalog, schema, name = volume.split("/")[2:]
                raise BackendError(
                    f"{self._place}: there is no volume {catalog}.{schema}.{name}. Correct 'files', or create it: "
                    f"databricks volumes create {catalog} {schema} {name} MANAGED."
                ) from error

    def _write(self, path: str, content: BinaryIO) -> None:
        self._client.files.upload(path, content, overwrite=True)

    def _read(self, path: str) -> bytes:
        contents = self._client.files.download(path).contents
        assert contents is not None
        with contents:
            return bytes(contents.read())

    def _list(self, path: str) -> Iterator[tuple[str, bool]]:
        for entry in self._client.files.list_directory_contents(path):
            yield str(entry.name), bool(entry.is_directory)

    def _delete(self, path: str, is_folder: bool) -> None:
        (self._client.files.delete_directory if is_folder else self._client.files.delete)(path)


class WorkspaceFiles(MountedFiles):
    """A SharedFolder among the workspace's own files: the Workspace API knows them without ``/Workspace``."""

    def require(self) -> None:
        """Make the folder, or refuse one that may not be made."""
        with told(self._place):
            try:
                self._client.workspace.mkdirs(self.root.removeprefix("/Workspace"))
            except NotFound as error:
                raise BackendError(f"{self._place}: {self.root} cannot be made: {error}") from error

    def _path(self, name: str) -> str:
        return super()._path(name).removeprefix("/Workspace")

    def _write(self, path: str, content: BinaryIO) -> None:
        self._client.workspace.mkdirs(path.rpartition("/")[0])
        # AUTO keeps a .py file a file, where SOURCE would make a notebook of it
        self._client.workspace.upload(path, content, format=ImportFormat.AUTO, overwrite=True)

    def _read(self, path: str) -> bytes:
        with self._client.workspace.download(path, format=ExportFormat.AUTO) as contents:
            return bytes(contents.read())

    def _list(self, path: str) -> Iterator[tuple[str, bool]]:
        for entry in self._client.workspace.list(path):
            yield str(entry.path).rpartition("/")[2], entry.object_type is ObjectType.DIRECTORY

    def _delete(self, path: str, is_folder: bool) -> None:
        self._client.workspace.delete(path)


def open_files(workspace: Workspace, files: str) -> VolumeFiles | WorkspaceFiles:
    """Return the folder of the user's own below `files`, once it is known to be there."""
    root = f"{files}/{workspace.user}"
    shared = VolumeFiles(workspace, root) if files.startswith("/Volumes/") else WorkspaceFiles(workspace, root)
    shared.require()
    return shared
