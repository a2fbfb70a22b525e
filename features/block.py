"""What a feature set comes to: named columns and their values, one row a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


@dataclass(frozen=True)
class Block:
    """The columns of one feature set.

    Attributes
    ----------
    feature_set : str
        One of `FEATURE_SETS`.
    names : list of str, of length n_columns
        Distinct, in an order that depends on nothing but the names themselves.
    values : csr_matrix of shape (n_devices, n_columns), float32
    """

    feature_set: str
    names: list[str]
    values: sp.csr_matrix


def without_rare_columns(block: Block, rows: NDArray[np.intp], min_devices: int) -> Block:
    """Return `block` less the columns that fewer than `min_devices` of the devices numbered `rows` have a value in."""
    used = np.bincount(block.values[rows].indices, minlength=len(block.names)) >= min_devices
    return _kept(block, used)


def without_empty_columns(block: Block) -> Block:
    """Return `block` less the columns that no device has a value in."""
    return _kept(block, np.bincount(block.values.indices, minlength=len(block.names)) > 0)


def _kept(block: Block, used: NDArray[np.bool_]) -> Block:
    if used.all():
        return block
    names = [name for name, keep in zip(block.names, used, strict=True) if keep]
    return Block(block.feature_set, names, block.values[:, np.flatnonzero(used)])


def joined(blocks: Sequence[Block]) -> sp.csr_matrix:
    """Return the values of `blocks` side by side: csr_matrix of shape (n_devices, all columns), float32."""
    return sp.csr_matrix(sp.hstack([block.values for block in blocks], format="csr", dtype=np.float32))
