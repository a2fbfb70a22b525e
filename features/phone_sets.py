"""Features of the phone itself: set brand_model."""

from __future__ import annotations

import numpy as np
import polars as pl
import scipy.sparse as sp

from features.block import Block
from features.feature_sets import BRAND_MODEL
from features.incidence import incidence


def brand_model(phones: pl.LazyFrame, devices: pl.Series) -> Block:
    """One column a brand, and one a pair of brand and model, 1 where the device is one.

    Parameters
    ----------
    phones : LazyFrame
        ``device_id``, ``phone_brand`` and ``device_model``; of a device that is listed again, the first row counts.
    devices : Series of length n_devices

    Notes
    -----
    Different brands sell models of the same name, hence the pair. A pair is known by how it is written: brand "A B"
    with model "C" and brand "A" with model "B C" are one column.
    """
    once = phones.filter(pl.col("device_id").is_first_distinct())
    brands = incidence(once.select("device_id", "phone_brand"), devices)
    models = incidence(once.select("device_id", pl.format("{} {}", "phone_brand", "device_model")), devices)
    names = [f"brand={brand}" for brand in brands.columns] + [f"model={model}" for model in models.columns]
    values = sp.hstack([brands.matrix, models.matrix], format="csr", dtype=np.float32)
    return Block(BRAND_MODEL, names, values)
