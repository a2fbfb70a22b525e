"""How pip reaches its index from this machine, for whatever has to install packages elsewhere: an image, a VM."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout")
_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
_CERTIFICATES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


def as_build(folder: Path) -> dict[str, Any]:
    """Return what the key ``build`` of a backend's configuration takes; a pip.conf, if need be, goes into `folder`."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    pairs = [line.split("=", 1) for line in listed.stdout.splitlines() if line.startswith("global.")]
    kept = {
        key.removeprefix("global."): shlex.split(value)[0]
        for key, value in pairs
        if key.removeprefix("global.") in _SETTINGS and "file:" not in value
    }
    build: dict[str, Any] = {"environment": [name for name in _VARIABLES if os.environ.get(name)]}
    if kept:
        config = folder / "pip.conf"
        config.write_text("[global]\n" + "".join(f"{key} = {value}\n" for key, value in kept.items()))
        build["pip_config"] = str(config)
    if bundle := next((os.environ[name] for name in _CERTIFICATES if os.environ.get(name)), None):
        build["ca_bundle"] = bundle
    return build
