"""What a model must show before others rely on it: the comparison on held-out devices, the gates, and the model's card.

Numbers in, sentences out: this room knows neither MLflow nor where devices come from, so that a rule can be read and
tested without a registry. We do not use ``mlflow.models.evaluate`` and its thresholds: they judge one figure of each
model at a time, and know neither the interval of a paired difference nor slices.
"""
