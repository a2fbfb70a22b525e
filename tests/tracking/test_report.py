"""What a sweep leaves on its run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.tracking.outcomes import SPEC, outcome
from tracking import EntryRun, report
from tuning.spec.refit import RefitSpec


def test_sweeping_results_has_the_published_format(four):
    assert report.sweeping_results(SPEC, four) == (
        "metric =  neg_log_loss\n"
        "mean: -2.30000, std: 0.10000, params: {'objective': 'multi:softprob', 'n_estimators': 300, 'max_depth': 3}\n"
        "mean: -2.10000, std: 0.10000, params: {'objective': 'multi:softprob', 'n_estimators': 400, 'max_depth': 3}\n"
        "mean: -2.30000, std: 0.00000, params: {'objective': 'multi:softprob', 'n_estimators': 300, 'max_depth': 4}\n"
        "mean: -2.30000, std: 0.20000, params: {'objective': 'multi:softprob', 'n_estimators': 400, 'max_depth': 4}\n"
    )


def test_a_failed_candidate_keeps_its_line():
    result = outcome(SPEC, {(300, 3): [-2.4, "ValueError: no"], (400, 3): [-2.2, -2.0]})
    assert report.sweeping_results(SPEC, result).splitlines()[1].startswith("mean: nan, std: ")


def test_several_scorers_make_a_block_each_the_deciding_one_first():
    spec = SPEC.model_copy(update={"scoring": ["accuracy", "neg_log_loss"], "refit": RefitSpec(scorer="neg_log_loss")})
    text = report.sweeping_results(spec, outcome(spec, {(300, 3): [0.5, 0.7]}))
    assert [line for line in text.splitlines() if line.startswith("metric")] == [
        "metric =  neg_log_loss",
        "metric =  accuracy",
    ]


def test_the_sweeps_own_run_holds_what_the_contract_names(client, four, tmp_path):
    with EntryRun.begin("sweep") as run:
        report.log_result(run, SPEC, four)
        report.log_refit(run, "holdout", {"neg_log_loss": -2.15})
    data = client.get_run(run.run_id).data
    assert data.metrics == pytest.approx(
        {
            "neg_log_loss": -2.1,
            "best_neg_log_loss": -2.1,
            "holdout_neg_log_loss": -2.15,
            "candidates": 4,
            "fits": 8,
            "failed": 0,
            "reused": 0,
        }
    )
    assert data.params == {"objective": "multi:softprob", "n_estimators": "400", "max_depth": "3"}
    artifacts = {item.path for item in client.list_artifacts(run.run_id)}
    assert artifacts == {"sweeping_results.txt", "cv_results.csv"}
    table = pd.read_csv(client.download_artifacts(run.run_id, "cv_results.csv", str(tmp_path)))
    np.testing.assert_allclose(table["mean_test_score"], [-2.3, -2.1, -2.3, -2.3])
    text = Path(client.download_artifacts(run.run_id, "sweeping_results.txt", str(tmp_path))).read_text()
    assert text == report.sweeping_results(SPEC, four)
