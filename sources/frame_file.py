"""Read one table file of a person's own: CSV or Parquet, nothing known of it beforehand.

pandas reads it, so that a column is what it would be in the notebook in which the person will use the model: what
counts as missing, as true or false, as a number. Polars is faster, and differs in all three.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cache.limits import memory
from errors import GridfoldError, SourceError
from masking import visible
from sources.dialect import decimal_sign, header_and_delimiter
from sources.own_file import CSV, is_tab_separated, kind_of, opened_text, parts_of
from sources.text_columns import check_text

_VALUE_BYTES = 8


def read_frame(path: Path, shown_as: str, target: str = "", groups: str = "", folds: str = "") -> pd.DataFrame:
    """Read a table.

    Parameters
    ----------
    path : Path
        An existing file of tables, or a folder of Parquet parts.
    shown_as : str
        What the person calls the file.
    target, groups, folds : str
        Columns of which less is asked, by their names: a label may be any text, and what makes groups or folds
        anything at all.

    Returns
    -------
    DataFrame of shape (n_rows, n_columns)
        Columns in file order, their names text. An index that pandas wrote into a Parquet file is an index again.

    Raises
    ------
    SourceError
        The file cannot be read, has no rows, or a column has no name, the name of another, or text that was meant as
        something else.
    """
    is_csv = not path.is_dir() and kind_of(path) == CSV
    with refused_garbage(shown_as, is_csv):
        frame = _csv(path, shown_as, target, (groups, folds)) if is_csv else _parquet(path, shown_as)
    check_rows(len(frame), shown_as)
    return frame.rename(columns=str)


@contextmanager
def refused_garbage(shown_as: str, is_csv: bool) -> Iterator[None]:
    """Turn what readers raise of a file that they cannot read into one line."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise SourceError(f"{shown_as}: the file is not UTF-8 text. Save it as UTF-8.") from error
    except (GridfoldError, MemoryError):
        raise
    except Exception as error:  # pandas, pyarrow and those that unpack have each their own words for garbage
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1].removesuffix(".")
        raise SourceError(
            f"{shown_as}: the file cannot be read as {'csv' if is_csv else 'parquet'} ({reason}). Write it anew."
        ) from error


def check_rows(n_rows: int, shown_as: str) -> None:
    """Refuse a table without rows."""
    if not n_rows:
        raise SourceError(f"{shown_as}: the table has no rows. Give a file with a row per example.")


def _csv(path: Path, shown_as: str, target: str, anything: Sequence[str]) -> pd.DataFrame:
    _, delimiter = csv_header(path, shown_as)
    frame = _read_csv(path, shown_as, delimiter, ".")
    decimal = decimal_sign(frame, delimiter, shown_as)
    if decimal != ".":
        frame = _read_csv(path, shown_as, delimiter, decimal)
    check_text(frame.drop(columns=list(anything), errors="ignore"), shown_as, decimal, target)
    return frame


def csv_header(path: Path, shown_as: str) -> tuple[list[str], str]:
    """Return the names of a CSV file's columns, and what separates them."""
    with opened_text(path, shown_as) as file:
        header, delimiter = header_and_delimiter(file, shown_as, is_tab_separated(path))
    if not header:
        raise SourceError(f"{shown_as}: the file is empty. Give a table with a header.")
    check_names(header, shown_as)
    return header, delimiter


def _read_csv(path: Path, shown_as: str, delimiter: str, decimal: str) -> pd.DataFrame:
    with opened_text(path, shown_as) as file, warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header would be cut
        return pd.read_csv(file, sep=delimiter, decimal=decimal, index_col=False, low_memory=False)


def parquet_parts(path: Path, shown_as: str) -> list[Path]:
    """Return the file, or the parts of the folder, once their columns have been looked at."""
    if not path.is_dir():
        check_names(pq.read_schema(path).names, shown_as)
        return [path]
    parts = parts_of(path, shown_as)
    _check_parts(path, parts, shown_as)
    return parts


def _parquet(path: Path, shown_as: str) -> pd.DataFrame:
    parts = parquet_parts(path, shown_as)
    _check_memory([pq.read_metadata(part) for part in parts], shown_as)
    _check_text(path, pq.read_schema(parts[0]))
    return pd.read_parquet(path)


def _check_text(path: Path, schema: pa.Schema) -> None:
    """Have Arrow look at every text: pandas keeps what is no UTF-8, and fails wherever it is read first.

    Raises
    ------
    ArrowException
    """
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_dictionary)
    texts = [field.name for field in schema if any(is_kind(field.type) for is_kind in kinds)]
    if texts:
        pq.read_table(path, columns=texts).validate(full=True)


def _check_memory(parts: Iterable[pq.FileMetaData], shown_as: str) -> None:
    """A column of one value takes a few bytes in Parquet, however many rows it has, and eight for each in a frame."""
    needed = sum(_VALUE_BYTES * part.num_rows * part.num_columns for part in parts)
    if needed > memory():
        raise SourceError(
            f"{shown_as}: the table needs {needed / 2**30:,.0f} GiB, more than this machine's memory. Take fewer rows "
            "or columns, or a larger machine."
        )


def _check_parts(folder: Path, parts: list[Path], shown_as: str) -> None:
    """Refuse parts that differ in their columns: what one part lacks would be read as missing in all of its rows."""
    first = pq.read_schema(parts[0])
    check_names(first.names, shown_as)
    for part in parts[1:]:
        schema = pq.read_schema(part)
        other = _difference(first, schema)
        if other:
            names = f"{parts[0].relative_to(folder)} and {part.relative_to(folder)}"
            raise SourceError(f"{shown_as}: {names} differ in column '{other}'. Write all parts with the same columns.")


def _difference(one: pa.Schema, other: pa.Schema) -> str | None:
    apart = set(one.names) ^ set(other.names)
    return min(apart) if apart else next((name for name in one.names if one.field(name) != other.field(name)), None)


def check_names(names: Iterable[str], shown_as: str) -> None:
    """Refuse columns without a name, with the name of another, or with signs that nobody sees."""
    counts = Counter(names)
    if any(not name.strip() for name in counts):
        raise SourceError(
            f"{shown_as}: a column has no name; pandas writes the row numbers so. Write the table with index=False, "
            "or name the column."
        )
    unseen = [name for name in counts if visible(name) != name]
    if unseen:
        raise SourceError(f"{shown_as}: column '{unseen[0]}' has a control character in its name. Rename it.")
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise SourceError(f"{shown_as}: column '{twice[0]}' is there {counts[twice[0]]} times. Keep one of them.")
