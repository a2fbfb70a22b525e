"""The devices on which two models can be compared fairly, and what each says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from entrypoints.judging.judge import Judge, Truth
from errors import GridfoldError
from features.matrix import HOLDOUT, TRAIN
from release.gates import Figures
from release.judging import Judged, calibration
from sources import Tables
from sources.schema import DEVICE, TABLES
from tracking.loading import DeviceModel
from tracking.measured import median_ms

_LARGEST_BRANDS = 10
OF_DEVICES = ("brand", "events")
"""What slices of devices there are."""


@dataclass(frozen=True)
class HeldOut:
    """Labelled devices that no model under comparison has learned from.

    Attributes
    ----------
    devices : DataFrame
        ``device_id`` and ``group``.
    n_left_out : int
        Of the challenger's hold-out, the devices that the champion has learned from.
    """

    devices: pl.DataFrame
    n_left_out: int


def held_out(tables: Tables, challenger: DeviceModel, champion: DeviceModel | None) -> HeldOut:
    """Return the devices that the challenger's sweep held out, less those that the champion has learned from.

    Two sweeps with other data, shares or seeds hold out different devices, so neither's list alone would be fair.
    """
    labelled = tables.scan("gender_age_train").select(DEVICE, "group").collect()
    labelled = labelled.unique(DEVICE, keep="first", maintain_order=True)
    mine = labelled.join(challenger.rows.filter(split=HOLDOUT), on=DEVICE, how="semi", maintain_order="left")
    if champion is None:
        return HeldOut(mine, 0)
    fair = mine.join(champion.rows.filter(split=TRAIN), on=DEVICE, how="anti", maintain_order="left")
    return HeldOut(fair, len(mine) - len(fair))


def figures(
    tables: Tables, rows: HeldOut, challenger: DeviceModel, champion: DeviceModel | None, judge: Judge
) -> Figures:
    """Let each model predict for `rows` as it was registered, and measure it.

    Raises
    ------
    GridfoldError
        A model does not know a group of the devices.
    """
    ours, limits = _judged(challenger, rows.devices, tables, judge)
    theirs = None if champion is None else _judged(champion, rows.devices, tables, judge)[0]
    limits |= {"latency_ms": latency_ms(challenger), "size_mb": challenger.size_bytes / 1e6}
    return Figures(ours, theirs, slices(tables, rows.devices[DEVICE]), limits, judge.name)


def _judged(model: DeviceModel, devices: pl.DataFrame, tables: Tables, judge: Judge) -> tuple[Judged, dict[str, float]]:
    """Return what `judge` says of the model, and how well its probabilities are calibrated."""
    truth = Truth(devices["group"].to_numpy().astype(object), model.classes)
    if unknown := set(devices["group"]) - set(model.classes):
        raise GridfoldError(f"{model.uri} knows no group '{min(unknown)}', which the held-out devices have.")
    X = model.model.preparation.transform(devices[DEVICE], {name: tables.scan(name) for name in TABLES})
    judged = judge.of(model.model, X, truth)
    if not hasattr(model.model.estimator, "predict_proba"):
        return judged, {}
    probabilities = model.model.predict_matrix(X)[model.classes].to_numpy()
    return judged, {"calibration_error": calibration(probabilities, truth.codes()).error if len(devices) else 0.0}


def latency_ms(model: DeviceModel) -> float:
    """Median time to predict for one device, as a caller sends it."""
    model.model.use_threads(1)  # as it is served
    return median_ms(lambda: model.model.predict(model.example.iloc[:1]))


def slices(tables: Tables, devices: pl.Series) -> Mapping[str, Mapping[str, NDArray[np.bool_]]]:
    """Return who belongs where: by brand (the commonest), and by whether there are events."""
    phones = tables.scan("phone_brand_device_model").select(DEVICE, "phone_brand").collect()
    brands = pl.DataFrame({DEVICE: devices}).join(
        phones.unique(DEVICE, keep="first"), on=DEVICE, how="left", maintain_order="left"
    )
    commonest = brands["phone_brand"].drop_nulls().value_counts(sort=True)["phone_brand"].head(_LARGEST_BRANDS)
    active = np.isin(devices.to_numpy(), tables.scan("events").select(DEVICE).unique().collect()[DEVICE].to_numpy())
    return {
        "brand": {brand: (brands["phone_brand"] == brand).fill_null(False).to_numpy() for brand in commonest},
        "events": {"some": active, "none": ~active},
    }
