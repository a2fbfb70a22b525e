"""A person's own table as what a sweep takes: target to classes or numbers, categories to columns, rows to hold out."""

from entrypoints.data.own.read import own_rows

__all__ = ["own_rows"]
