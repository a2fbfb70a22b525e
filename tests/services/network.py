"""Hosts of their own on one Linux machine: network namespaces on a bridge, each with an address and counters of bytes.

What runs in one reaches the others and this machine only through the bridge, so that the bytes between "machines" are
the kernel's own count. Needs root and ``ip`` (apt-get install iproute2). By hand, until Ctrl-C:

    python -m tests.services.network 4
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType


def lacking() -> str:
    """Say what this machine lacks to make hosts; empty where it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "network namespaces need Linux and root"
    return "" if shutil.which("ip") else "there is no ip (apt-get install iproute2)"


@dataclass(frozen=True)
class Host:
    """A namespace.

    Attributes
    ----------
    name : str
    address : str
        Its own, which this machine reaches.
    link : str
        The end of its cable that is plugged into the bridge, so what it sends is received there.
    """

    name: str
    address: str
    link: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """What a command is begun with to run there."""
        return ("ip", "netns", "exec", self.name)

    def sent(self) -> int:
        """Bytes that it has sent."""
        return count(self.link, "rx_bytes")


class Network:
    """A bridge with hosts on it; a context manager that removes them all.

    Parameters
    ----------
    n_hosts : int

    Attributes
    ----------
    bridge : str
        The device, which has sent what this machine has sent.
    address : str
        This machine's on it.
    """

    def __init__(self, n_hosts: int) -> None:
        number = os.getpid()
        self.bridge = f"gf{number % 10**6}"
        self._net = f"10.{100 + number // 250 % 100}.{number % 250}"
        self.address = f"{self._net}.1"
        self.hosts = [Host(f"{self.bridge}-{n}", f"{self._net}.{n + 2}", f"{self.bridge}v{n}") for n in range(n_hosts)]

    def __enter__(self) -> Network:
        try:
            _ip("link", "add", self.bridge, "type", "bridge")
            _ip("addr", "add", f"{self.address}/24", "dev", self.bridge)
            _ip("link", "set", self.bridge, "up")
            for host in self.hosts:
                self._plug_in(host)
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def _plug_in(self, host: Host) -> None:
        _ip("netns", "add", host.name)
        _ip("link", "add", host.link, "type", "veth", "peer", "name", "eth0", "netns", host.name)
        _ip("link", "set", host.link, "master", self.bridge, "up")
        _ip("-n", host.name, "addr", "add", f"{host.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _ip("-n", host.name, "link", "set", device, "up")

    def sent(self) -> int:
        """Bytes that this machine has sent to the hosts; what they send each other does not count."""
        return count(self.bridge, "tx_bytes")

    def remove(self) -> None:
        """Remove namespaces, cables and bridge, whichever there are."""
        for host in self.hosts:
            _ip("netns", "del", host.name, must=False)
            _ip("link", "del", host.link, must=False)
        _ip("link", "del", self.bridge, must=False)


def _ip(*words: str, must: bool = True) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if must and done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")


def count(device: str, name: str) -> int:
    """Return one of the kernel's counters of a device, such as ``tx_bytes``."""
    return int(Path(f"/sys/class/net/{device}/statistics/{name}").read_text())


def main() -> None:
    """Keep some hosts until Ctrl-C."""
    with Network(int(sys.argv[1]) if len(sys.argv) > 1 else 2) as network:
        for host in network.hosts:
            print(f"{' '.join(host.prefix)} COMMAND runs at {host.address}", flush=True)
        try:
            sys.stdin.read()
        except KeyboardInterrupt:
            print("removed")


if __name__ == "__main__":
    main()
