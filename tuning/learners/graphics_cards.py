"""Graphics cards, and whether the one that a spec asks for is really there.

XGBoost trains on the CPU with no more than a warning where it sees no card, and a sweep would take hours where minutes
were planned for. So we ask it to train one round before any work, and look where it did.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np

from errors import SpecError


def check_devices(devices: Iterable[Any]) -> None:
    """Refuse a device that training would not use.

    Raises
    ------
    SpecError
        There is no such card, or this XGBoost was built without support for any.
    """
    for device in devices:
        if is_cuda(device) and not cuda_works(str(device)):
            raise SpecError(
                f"device: '{device}' was asked for, but XGBoost sees no such graphics card on this machine. "
                "Write device: cpu, or move the sweep to a machine that has one."
            )


def is_cuda(device: Any) -> bool:
    """Whether a value of the parameter ``device`` means a graphics card."""
    return isinstance(device, str) and device.partition(":")[0] in ("cuda", "gpu")


@cache
def cuda_works(device: str = "cuda") -> bool:
    """Whether a round on `device` is trained there."""
    import xgboost as xgb  # here, since most sweeps need no card, and every worker would import it

    rows = xgb.DMatrix(np.zeros((2, 1)), label=np.array([0.0, 1.0]))
    try:
        with xgb.config_context(verbosity=0):
            booster = xgb.train({"device": device, "max_depth": 1}, rows, num_boost_round=1)
    except xgb.core.XGBoostError:
        return False
    used = json.loads(booster.save_config())["learner"]["generic_param"]["device"]
    return is_cuda(used)


def cuda_devices(device: Any) -> list[str]:
    """Name the graphics cards that a value of ``device`` stands for: every one for plain ``cuda``, none for the CPU."""
    if not is_cuda(device):
        return []
    if ":" in device:
        return [device]
    return [f"cuda:{place}" for place in range(_count_cards())]


def _count_cards() -> int:
    """Count the cards as their driver's own tool does; at least 1, since XGBoost has found one."""
    try:
        listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 1
    return max(1, len(listed.splitlines()))
