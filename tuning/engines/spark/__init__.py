"""Fits on a Spark cluster; pyspark is imported when a session is looked for, not before."""

from tuning.engines.spark.engine import SparkEngine
from tuning.engines.spark.session import is_wanted

__all__ = ["SparkEngine", "is_wanted"]
