"""``-b dsvm``: an entry point in a container on the Docker engine of a VM, over SSH."""

from backends.abilities import Abilities

ABILITIES = Abilities(
    place="a container on a VM",
    file="backends/dsvm.json",
    settings="backends.dsvm.settings:DsvmSettings",
    example="20.1.2.3",
    tunnels=True,
    keeps_cache=True,
    attaches=True,
    gpus=True,
    modules={"docker": "docker"},
    programs={"ssh": "your system's OpenSSH client"},
)
