"""FixedThresholdClassifier: one fit serves every threshold, which is compared with when it predicts and not before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tuning.learners.base import Fitted, Learner
from tuning.learners.unfitted import class_name, has_seed
from tuning.learners.views import changed

_THRESHOLD = "threshold"


class ThresholdLearner(Learner):
    """The classifier in it takes the plain way, fitted once."""

    name: ClassVar[str] = "threshold"

    def knows(self, estimator: Any) -> bool:
        """Whether `estimator` is scikit-learn's FixedThresholdClassifier."""
        return class_name(estimator) == "sklearn.FixedThresholdClassifier"

    def free(self, estimator: Any) -> Mapping[str, str]:
        """Return ``threshold``, where a second fit would be the same."""
        valid = estimator.threshold == "auto" or isinstance(estimator.threshold, int | float)
        return {_THRESHOLD: "the threshold is no part of the fit"} if valid and has_seed(estimator) else {}

    def whole(self, estimators: Sequence[Any]) -> Any:
        """Return any of them."""
        return estimators[0]

    def cut(self, fitted: Fitted, estimator: Any) -> Any:
        """Return the fitted classifier with the threshold of `estimator`."""
        return changed(fitted.model, threshold=estimator.threshold) if self.free(estimator) else fitted.model
