"""The five feature sets in straightforward pandas: the tests' independent answer, and the benchmark's peer.

Written from the definitions by merging, dropping duplicates and counting groups; it shares no code with the room.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import scipy.sparse as sp

Part = tuple[list[str], sp.csr_matrix]


def pandas_features(tables: Mapping[str, pd.DataFrame], sets: Sequence[str]) -> tuple[sp.csr_matrix, pd.DataFrame]:
    """Return the values, devices of gender_age_train by columns, and the columns' ``name`` and ``set``."""
    devices = pd.Index(tables["gender_age_train"]["device_id"].drop_duplicates())
    events = tables["events"].drop_duplicates("event_id")
    events = events[events["device_id"].isin(devices)]
    parts: dict[str, list[Part]] = {name: [] for name in sets}
    if "brand_model" in parts:
        parts["brand_model"] = brand_model(devices, tables["phone_brand_device_model"])
    if "weekday_hour" in parts:
        parts["weekday_hour"] = weekday_hour(devices, events)
    if "app_labels" in parts or "text_category" in parts or "one_hot_category" in parts:
        for name, part in app_parts(devices, events, tables).items():
            if name in parts:
                parts[name] = part
    matrices = [matrix for part in parts.values() for _, matrix in part]
    named = [(name, which) for which, part in parts.items() for names, _ in part for name in names]
    return sp.hstack(matrices, format="csr"), pd.DataFrame(named, columns=["name", "set"])


def brand_model(devices: pd.Index, phones: pd.DataFrame) -> list[Part]:
    phones = phones.drop_duplicates("device_id")
    phones = phones[phones["device_id"].isin(devices)].assign(value=1)
    phones["pair"] = phones["phone_brand"] + " " + phones["device_model"]
    return [part(devices, phones, "phone_brand", "brand"), part(devices, phones, "pair", "model")]


def weekday_hour(devices: pd.Index, events: pd.DataFrame) -> list[Part]:
    totals = events.groupby("device_id").size()
    events = events.assign(weekday=events["timestamp"].dt.day_of_week, hour=events["timestamp"].dt.hour)
    events["both"] = events["weekday"] * 24 + events["hour"]
    weekday = part(devices, shares(events, "weekday", totals), "weekday", "weekday")
    hour = part(devices, shares(events, "hour", totals), "hour", "hour")
    names, values = part(devices, shares(events, "both", totals), "both", "")
    both = [f"weekday_hour={int(name[1:]) // 24}_{int(name[1:]) % 24}" for name in names]
    return [weekday, hour, (both, values)]


def app_parts(devices: pd.Index, events: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> dict[str, list[Part]]:
    totals = events.groupby("device_id").size()
    apps = tables["app_events"][["event_id", "app_id"]].drop_duplicates()
    apps = events[["event_id", "device_id"]].merge(apps, on="event_id")

    labels = apps.merge(tables["app_labels"].drop_duplicates(), on="app_id")
    labels = labels[["event_id", "device_id", "label_id"]].drop_duplicates()

    names = tables["label_categories"].dropna(subset="category")
    names = names.assign(category=names["category"].str.strip().str.lower())
    categories = labels.merge(names[names["category"] != ""].drop_duplicates(), on="label_id")
    categories = categories[["event_id", "device_id", "category"]].drop_duplicates()

    app_shares = shares(apps, "app_id", totals)
    label_shares = shares(labels, "label_id", totals)
    category_shares = shares(categories, "category", totals)
    return {
        "app_labels": [part(devices, app_shares, "app_id", "app"), part(devices, label_shares, "label_id", "label")],
        "text_category": [part(devices, category_shares, "category", "category")],
        "one_hot_category": [part(devices, category_shares.assign(value=1), "category", "uses_category")],
    }


def shares(listed: pd.DataFrame, key: str, totals: pd.Series) -> pd.DataFrame:
    """Return the share of each device's events that are listed with each `key`."""
    counts = listed.groupby(["device_id", key]).size().reset_index(name="count")
    return counts.assign(value=counts["count"] / counts["device_id"].map(totals))


def part(devices: pd.Index, listed: pd.DataFrame, key: str, prefix: str) -> Part:
    codes, keys = pd.factorize(listed[key], sort=True)
    entries = (listed["value"].to_numpy(np.float32), (devices.get_indexer(pd.Index(listed["device_id"])), codes))
    return [f"{prefix}={value}" for value in keys], sp.csr_matrix(entries, shape=(len(devices), len(keys)))
