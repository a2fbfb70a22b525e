import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import log_loss

from release.judging import bootstrap_mean, calibration, log_losses

DRAW = np.random.default_rng(0)


def test_the_mean_of_log_losses_is_scikit_learns():
    probabilities = DRAW.dirichlet(np.ones(4), 50)
    codes = np.r_[np.arange(4), DRAW.integers(0, 4, 46)]
    assert log_losses(probabilities, codes).mean() == pytest.approx(log_loss(codes, probabilities))


def test_a_probability_of_nothing_costs_much_but_not_everything():
    assert log_losses(np.array([[1.0, 0.0]]), np.array([1]))[0] == pytest.approx(-np.log(np.finfo(float).eps))


def test_the_interval_is_scipys_percentile_bootstrap():
    values = DRAW.exponential(1, 200)
    ours = bootstrap_mean(values, 0.9)
    theirs = bootstrap(
        (values,), np.mean, confidence_level=0.9, method="percentile", n_resamples=4000
    ).confidence_interval
    assert ours.mean == values.mean()
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_pairing_sees_a_small_gain_that_unpaired_losses_would_hide():
    hard = DRAW.exponential(1, 500)
    better = hard - 0.05
    assert bootstrap_mean(hard - better).low > 0.049
    assert bootstrap_mean(better).high > bootstrap_mean(hard).low


def test_what_happens_as_often_as_predicted_has_no_calibration_error():
    probabilities = np.tile([0.2, 0.8], (100, 1))
    codes = np.repeat([0, 1], [20, 80])
    assert calibration(probabilities, codes, n_bins=2).error == pytest.approx(0)
    assert calibration(probabilities, codes[::-1], n_bins=2).error == pytest.approx(0)


def test_too_sure_a_model_is_told_by_how_much():
    found = calibration(np.tile([0.1, 0.9], (100, 1)), np.repeat([0, 1], [30, 70]), n_bins=2)
    np.testing.assert_allclose(found.observed, [0.3, 0.7])
    assert found.error == pytest.approx(0.2)
