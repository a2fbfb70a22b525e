"""Compute the features of the labelled devices."""

from __future__ import annotations

from cache import Cache
from entrypoints.command.entry import entrypoint
from entrypoints.data.on_spark import features_on_spark
from entrypoints.data.pipeline import features_for
from entrypoints.data.records import FEATURES, FEATURIZE, log_features
from entrypoints.parameters import FeaturizeStepParams
from tracking import EntryRun, steps


@entrypoint("featurize")
def featurize(params: FeaturizeStepParams, run: EntryRun) -> None:
    """Compute the features of the devices, or find them in the cache."""
    matrix = features_on_spark(params) if params.engine == "spark" else features_for(params, run, apart=False)
    fingerprint = str(matrix.manifest["fingerprint"])
    steps.mark(run, FEATURIZE, fingerprint)
    log_features(run, Cache.from_environment().path(FEATURES, fingerprint))


if __name__ == "__main__":
    featurize.main()
