"""The same matrix from tables that do not fit one machine: Spark joins, the features of a device are computed as ever.

Only two tables are large, events and app_events, and every feature is of one device alone. So Spark brings the rows of
a device together, and each of its tasks runs this room's own code on its share of the devices: one definition of a
feature, not a second one in SQL. The matrix is small, a row per labelled device, and comes back to the driver.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp

from errors import GridfoldError, SourceError
from features.block import Block
from features.build import build, silent
from features.feature_sets import BRAND_MODEL, FEATURE_SETS
from features.matrix import FeatureMatrix
from features.phone_sets import brand_model
from features.sets import Progress, feature_blocks
from sources.schema import TABLES, TIMESTAMP_FORMAT, TIMESTAMP_LENGTH

SMALL = ("gender_age_train", "phone_brand_device_model", "app_labels", "label_categories")
"""Tables that the driver reads whole."""

_SQL_TYPES = {pl.Int64: "long", pl.Int16: "short", pl.Int8: "byte", pl.Float64: "double"}
_FEWEST_DEVICES = 200  # of one task; below it, starting the task costs more than its work
_MISSING = re.compile(r"No module named '([\w.]+)'")


def build_on_spark(
    session: Any, folder: str, feature_sets: Sequence[str] = FEATURE_SETS, *, progress: Progress = silent, **asked: Any
) -> FeatureMatrix:
    """Compute the features of the devices of gender_age_train on a Spark cluster.

    Parameters
    ----------
    session : SparkSession
    folder : str
        Anything that Spark reads (a path, ``abfss://``, ``s3a://``, ``hdfs://``), with ``NAME.parquet`` or ``NAME.csv``
        (a file or a folder of files) for each table.
    feature_sets : sequence of str
        As from `parse_feature_sets`.
    progress : callable
        Told what begins, as a short sentence.
    **asked
        ``holdout``, ``seed``, ``min_devices`` and ``fingerprint``, as of `build`.

    Returns
    -------
    FeatureMatrix
        Equal to that of `build` on the same tables.

    Raises
    ------
    SourceError
        A table is missing or unreadable.
    GridfoldError
        As `build`, or a worker lacks a package.
    """
    progress("Reading the small tables")
    tables = {name: _in_polars(_read(session, folder, name), name).lazy() for name in SMALL}
    blocks_of = partial(blocks_on_spark, session, folder)
    return build(tables, feature_sets, progress=progress, blocks_of=blocks_of, **asked)


def files_of(session: Any, folder: str) -> list[tuple[str, int, int]]:
    """List the files of `folder`, those of its folders included: path, bytes, time of the last change.

    Raises
    ------
    SourceError
        Spark cannot list it.
    """
    java = session.sparkContext._jvm
    root = java.org.apache.hadoop.fs.Path(folder)
    try:
        files = root.getFileSystem(session.sparkContext._jsc.hadoopConfiguration()).listFiles(root, True)
        found = []
        while files.hasNext():
            file = files.next()
            found.append((file.getPath().toString(), int(file.getLen()), int(file.getModificationTime())))
    except Exception as error:
        raise SourceError(f"{folder}: Spark cannot list this folder ({_first_line(error)}).") from error
    return sorted(found)


def blocks_on_spark(
    session: Any,
    folder: str,
    devices: pl.Series,
    tables: Mapping[str, pl.LazyFrame],
    feature_sets: Sequence[str],
    progress: Progress,
) -> list[Block]:
    """Return the blocks of `feature_sets`, as ``features.sets.feature_blocks`` does."""
    phones = [brand_model(tables["phone_brand_device_model"], devices)] if BRAND_MODEL in feature_sets else []
    of_events = [name for name in feature_sets if name != BRAND_MODEL]
    if not of_events:
        return phones
    progress("Events and app events, on Spark")
    visits = _visits(session, folder, devices)
    tasks = int(session.conf.get("spark.sql.shuffle.partitions"))
    tasks = min(tasks, max(1, len(devices) // _FEWEST_DEVICES))
    labels = {name: _packed(tables[name].collect()) for name in ("app_labels", "label_categories")}
    parts = _run(visits.repartition(tasks, "number"), _task(of_events, labels))
    return phones + [_merged(name, [part[name] for part in parts if name in part], len(devices)) for name in of_events]


def _visits(session: Any, folder: str, devices: pl.Series) -> Any:
    """Return what `devices` did: (number, event_id, timestamp, app_id), one of the last two null in every row."""
    from pyspark.sql import functions as F  # noqa: N812

    places = [(device, number) for number, device in enumerate(devices.to_list())]
    numbered = session.createDataFrame(places, "device_id long, number int")
    listed = _read(session, folder, "events").where("event_id is not null")
    first = listed.groupBy("event_id").agg(F.min_by(F.struct("device_id", "timestamp"), "listed").alias("first"))
    events = first.select("event_id", "first.*").join(F.broadcast(numbered), "device_id")
    events = events.select("number", "event_id", F.col("timestamp").cast("string").alias("timestamp"))
    apps = _read(session, folder, "app_events").where("app_id is not null").select("event_id", "app_id").distinct()
    had = apps.join(events.select("number", "event_id"), "event_id")
    nothing = F.lit(None)
    return events.withColumn("app_id", nothing.cast("long")).unionByName(
        had.withColumn("timestamp", nothing.cast("string"))
    )


def _task(feature_sets: Sequence[str], labels: Mapping[str, bytes]) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """Make the function that computes the blocks of the devices whose rows it is given."""

    def task(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow as pa

        held = [pl.DataFrame(pa.Table.from_batches([batch])) for batch in batches]
        if not held:
            return
        rows = pl.concat(held).rename({"number": "device_id"}).cast({"device_id": pl.Int64})
        time = pl.col("timestamp").str.head(TIMESTAMP_LENGTH).str.to_datetime(TIMESTAMP_FORMAT)
        tables = {name: pl.read_ipc(io.BytesIO(table)).lazy() for name, table in labels.items()}
        tables["events"] = rows.filter(pl.col("app_id").is_null()).with_columns(time).lazy()
        tables["app_events"] = rows.filter(pl.col("app_id").is_not_null()).select("event_id", "app_id").lazy()
        numbers = rows["device_id"].unique().sort()
        blocks = feature_blocks(numbers, tables, feature_sets, lambda stage: None)
        found = {block.feature_set: (numbers.to_numpy(), block.names, block.values.tocoo()) for block in blocks}
        yield pa.RecordBatch.from_pydict({"blocks": [pickle.dumps(found)]})

    return task


def _run(rows: Any, task: Callable[[Iterator[Any]], Iterator[Any]]) -> list[dict[str, Any]]:
    """Run `task` on each partition; this room's code travels with it, pickled by value."""
    from pyspark import cloudpickle

    import features

    cloudpickle.register_pickle_by_value(features)
    try:
        answers = rows.mapInArrow(task, "blocks binary").collect()
    except Exception as error:  # py4j's, with the whole story in its text
        raise _explained(error) from error
    finally:
        cloudpickle.unregister_pickle_by_value(features)
    return [pickle.loads(bytes(answer.blocks)) for answer in answers]


def _merged(feature_set: str, parts: Sequence[tuple[Any, list[str], Any]], n_devices: int) -> Block:
    """Put the parts' rows into one block, with the columns of all of them in the order that one machine gives them."""
    names = sorted({name for _, part_names, _ in parts for name in part_names}, key=_place)
    if not names:
        return Block(feature_set, names, sp.csr_matrix(np.zeros((n_devices, 0), np.float32)))
    place = {name: number for number, name in enumerate(names)}
    places = [np.array([place[name] for name in part_names], dtype=np.int64) for _, part_names, _ in parts]
    rows = np.concatenate([numbers[values.row] for numbers, _, values in parts])
    columns = np.concatenate([of_part[values.col] for of_part, (_, _, values) in zip(places, parts, strict=True)])
    entries = np.concatenate([values.data for _, _, values in parts])
    merged = sp.csr_matrix((entries, (rows, columns)), shape=(n_devices, len(names)), dtype=np.float32)
    merged.sort_indices()
    return Block(feature_set, names, merged)


_KINDS = ("weekday", "hour", "weekday_hour", "app", "label", "category", "uses_category")


def _place(name: str) -> tuple[Any, ...]:
    """Sort by kind, then by number or name."""
    kind, _, value = name.partition("=")
    numbers = tuple(map(int, value.split("_"))) if not kind.endswith("category") else value
    return _KINDS.index(kind), numbers


def _read(session: Any, folder: str, name: str) -> Any:
    """Read a table, with a column ``listed`` that orders its rows as the files list them."""
    from pyspark.sql import functions as F  # noqa: N812

    path = f"{folder.rstrip('/')}/{name}"
    table = _opened(session, path, name)
    file = F.col("_metadata.file_path"), F.col("_metadata.file_block_start")
    return table.select(*TABLES[name].columns, F.struct(*file, F.monotonically_increasing_id()).alias("listed"))


def _opened(session: Any, path: str, name: str) -> Any:
    from pyspark.errors import AnalysisException

    schema = ", ".join(f"`{column}` {_sql_type(dtype)}" for column, dtype in TABLES[name].columns.items())
    csv = session.read.schema(schema).options(header=True, enforceSchema=False, mode="FAILFAST")
    for read, ending in ((session.read.parquet, "parquet"), (csv.csv, "csv")):
        try:
            return read(f"{path}.{ending}")
        except AnalysisException as error:
            if "PATH_NOT_FOUND" not in str(error):
                raise SourceError(f"{path}.{ending}: Spark cannot read it ({_first_line(error)}).") from error
    raise SourceError(f"{path}: there is neither {name}.parquet nor {name}.csv. Name a folder that Spark reaches.")


def _sql_type(dtype: Any) -> str:
    """Times are read as text: Spark would move them to the session's time zone."""
    return _SQL_TYPES.get(type(dtype), "string")


def _in_polars(table: Any, name: str) -> pl.DataFrame:
    """Bring a small table to the driver, in the order of its files."""
    columns = TABLES[name].columns
    try:
        rows = table.orderBy("listed").select(*columns).collect()
    except Exception as error:
        raise _explained(error) from error
    return pl.DataFrame([tuple(row) for row in rows], schema=dict(columns), orient="row")


def _packed(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_ipc(buffer, compression="zstd")
    return buffer.getvalue()


def _explained(error: Exception) -> Exception:
    text = str(error)
    lacking = _MISSING.search(text)
    if lacking:
        package = lacking[1].partition(".")[0]
        return GridfoldError(f"a Spark worker lacks the package '{package}'. Install it there, or set PYSPARK_PYTHON.")
    return SourceError(f"Spark cannot read the tables: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # Java names a chain that bites its own tail by its first member again, which says nothing new.
    causes = [line for line in lines if line.startswith("Caused by:") and "[CIRCULAR REFERENCE" not in line]
    return (causes or lines or [type(error).__name__])[-1 if causes else 0][:300]
