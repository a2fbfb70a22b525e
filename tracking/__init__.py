"""Nested runs, the note, the step cache and the model registry: the only room that speaks to MLflow."""

from tracking import registry  # whose requests may be kept, and are told by any process later
from tracking.datasets import InputTable
from tracking.model_files import FittedModel
from tracking.recorder import SweepRecorder
from tracking.runs import EntryRun

__all__ = ["EntryRun", "FittedModel", "InputTable", "SweepRecorder", "registry"]
