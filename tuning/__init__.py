"""From a spec to results: candidates, folds, the plan of fits, engines, and the loop that joins them.

Data flow: ``SweepSpec`` -> ``Strategy`` -> ``Candidate`` -> ``Fit`` -> ``Engine`` -> ``FoldScore`` -> ``SweepResult``.
This room knows nothing of MLflow or of where data come from.
"""

from tuning.candidates import Candidate
from tuning.dataset import Dataset
from tuning.engines import open_engine
from tuning.folds import Fold, make_folds
from tuning.loop import sweep
from tuning.plan import Fit
from tuning.refit import refit, score
from tuning.results.fold_score import FoldScore
from tuning.results.sweep_result import SweepResult
from tuning.scoring import Scorers
from tuning.spec.sweep_spec import SweepSpec
from tuning.workload import Workload

__all__ = [
    "Candidate",
    "Dataset",
    "Fit",
    "Fold",
    "FoldScore",
    "Scorers",
    "SweepResult",
    "SweepSpec",
    "Workload",
    "make_folds",
    "open_engine",
    "refit",
    "score",
    "sweep",
]
