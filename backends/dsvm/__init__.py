"""``-b dsvm``: an entry point in a container on the Docker engine of a VM, over SSH."""
