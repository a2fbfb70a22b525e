"""A Docker engine of our own on a socket of our own, with a base image that no registry is needed for.

By hand, as root, until Ctrl-C; prints the socket:

    python -m tests.services.docker_engine

Needs ``dockerd`` and, for the base image, ``mmdebstrap``: apt-get install docker.io mmdebstrap. Containers use the
host's network, so that nothing of the machine's own (bridges, iptables) is touched. What the engine keeps lies in
memory where there is room: on a disk half of an image's time goes into writing layers that are removed soon after.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import docker
import psutil
from docker.models.containers import Container

from tests.services.startup import wait_until_up

BASE_IMAGE = "gridfold-test-base:1"
_PACKAGES = "python3,python3-venv,python3-pip,ca-certificates,libgomp1"
_SECONDS_TO_START = 60
_MEBIBYTES = 6 * 1024  # what an engine may keep in memory; the images of a test run are some 2 GiB
_MEBIBYTES_FOR_OTHERS = 4 * 1024


def missing() -> str:
    """Return why an engine cannot be run here, empty where it can."""
    if os.geteuid() != 0:
        return "needs root to run a Docker engine"
    programs = [name for name in ("dockerd", "docker", "mmdebstrap") if shutil.which(name) is None]
    return f"needs {' and '.join(programs)} (apt-get install docker.io mmdebstrap)" if programs else ""


@dataclass
class DockerEngine:
    """A running engine.

    Attributes
    ----------
    folder : Path
        Everything it keeps.
    socket : Path
        Where it listens.
    group : str
        Whose members may use it, beside root.
    """

    folder: Path
    group: str = "root"
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "docker.sock"

    def client(self) -> docker.DockerClient:
        """Return a client of it, for looking at it past the code under test."""
        return docker.DockerClient(base_url=f"unix://{self.socket}", timeout=120)

    def start(self) -> None:
        """Start it and wait until it answers."""
        own = {"--data-root": "data", "--exec-root": "exec", "--pidfile": "pid"}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    "dockerd",
                    f"--host=unix://{self.socket}",
                    *(f"{option}={self.folder / name}" for option, name in own.items()),
                    f"--group={self.group}",
                    *("--storage-driver=overlay2", "--iptables=false", "--ip6tables=false", "--bridge=none"),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until_up(self.answers, self.process, self.folder / "log", "dockerd", _SECONDS_TO_START)

    def stop(self) -> None:
        """Stop it, and with it its containers."""
        with suppress(FileNotFoundError, psutil.NoSuchProcess):
            engine = psutil.Process(int((self.folder / "pid").read_text()))
            engine.terminate()
            engine.wait(60)

    def load_base(self, rootfs: Path) -> None:
        """Make the base image from a tar of its files."""
        repository, tag = BASE_IMAGE.split(":")
        self.client().api.import_image(src=str(rootfs), repository=repository, tag=tag)

    def answers(self) -> bool:
        """Whether it is up."""
        with suppress(docker.errors.DockerException, OSError):
            return bool(self.client().ping())
        return False


def make_rootfs(target: Path) -> None:
    """Make the files of the base image: Debian with Python, as a tar."""
    unfinished = target.with_suffix(".unfinished.tar")
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", str(unfinished)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    unfinished.rename(target)


def rootfs_shared_by(workers_folder: Path) -> Path:
    """Return the base image's files: made once for all in the folder, or in GRIDFOLD_TEST_ROOTFS for good."""
    target = Path(os.environ.get("GRIDFOLD_TEST_ROOTFS") or workers_folder / "rootfs.tar")
    with Path(f"{target}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            make_rootfs(target)
    return target


@contextmanager
def inside_network_of(container: Container) -> Iterator[None]:
    """Let this thread's new connections begin in the container: 127.0.0.1 is its own then.

    So a port of the image's need not be free on this machine, where nothing is published: the engine has no bridge.
    """
    container.reload()
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as ours, open(f"/proc/{container.attrs['State']['Pid']}/ns/net") as theirs:
        if libc.setns(theirs.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            libc.setns(ours.fileno(), 0)


@contextmanager
def running(folder: Path, group: str = "root") -> Iterator[DockerEngine]:
    """Run an engine for the length of the block; its folder is emptied at the end."""
    engine = DockerEngine(folder, group)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as at_the_end:
        at_the_end.callback(shutil.rmtree, folder, ignore_errors=True)
        at_the_end.enter_context(_in_memory_if_roomy(folder))
        at_the_end.callback(_unmount_below, folder)
        at_the_end.callback(engine.stop)
        engine.start()
        yield engine


def kept(folder: Path, group: str, rootfs: Callable[[], Path]) -> DockerEngine:
    """Return an engine that is started if need be and left running: quicker while a test is being written."""
    engine = DockerEngine(folder, group)
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        engine.start()
        engine.load_base(rootfs())
    elif not engine.answers():
        engine.start()
    shutil.chown(engine.socket, group=group)
    return engine


@contextmanager
def disk_in_memory(folder: Path, mebibytes: int) -> Iterator[Path]:
    """Mount a file system of that size, in memory."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def _in_memory_if_roomy(folder: Path) -> AbstractContextManager[Path]:
    """Mount memory as `folder`, unless it is a mount already or the machine has little."""
    roomy = psutil.virtual_memory().available > (_MEBIBYTES + _MEBIBYTES_FOR_OTHERS) * 2**20
    return disk_in_memory(folder, _MEBIBYTES) if roomy and not folder.is_mount() else nullcontext(folder)


def _unmount_below(folder: Path) -> None:
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((place for place in mounted if folder in Path(place).parents), reverse=True):
        subprocess.run(["umount", "-l", place], check=False)


if __name__ == "__main__":
    if reason := missing():
        sys.exit(reason)
    with tempfile.TemporaryDirectory(prefix="engine-") as home, running(Path(home)) as started:
        make_rootfs(Path(home) / "rootfs.tar")
        started.load_base(Path(home) / "rootfs.tar")
        print(f"DOCKER_HOST=unix://{started.socket}  base image: {BASE_IMAGE}", flush=True)
        with suppress(KeyboardInterrupt):
            time.sleep(10**9)
