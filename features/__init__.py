"""What a model learns from: the five feature sets and the matrix that they make of the ingested tables."""

from features.build import build, features_fingerprint
from features.feature_sets import FEATURE_SETS, parse_feature_sets
from features.matrix import FeatureMatrix

__all__ = ["FEATURE_SETS", "FeatureMatrix", "build", "features_fingerprint", "parse_feature_sets"]
