"""An ensemble scores what the mean of its members' predictions scores, and is one model of scikit-learn's own."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import log_loss, r2_score

from errors import SpecError
from tests.tuning.kept.sweeps import BOOSTED, NUMBERS, RIDGE, THREE, TWO, Kept
from tracking.measured import measure
from tracking.model_files import FittedModel
from tuning import Scorers, refit, score
from tuning.kept import ensemble
from tuning.kept.choice import KeptSweep
from tuning.kept.ensemble import assemble, choose_ensemble
from tuning.spec.refit import BEST
from tuning.spec.scoring import metrics_of


def chosen(kept, name):
    sweep = KeptSweep(kept.file, kept.spec, kept.data)
    (metric,) = metrics_of(name)
    return sweep, choose_ensemble(sweep, metric, sweep.by(metric, BEST))


def test_the_best_pair_is_found_where_two_may_be_added(tmp_path, monkeypatch):
    monkeypatch.setattr(ensemble, "STEPS", 2)
    kept = Kept(tmp_path, THREE, BOOSTED)
    sweep, found = chosen(kept, "neg_log_loss")
    probabilities = {
        each.candidate: [answer.values["predict_proba"] for answer in sweep.answers(each)] for each in kept.file.kept
    }

    def worth(*members):
        means = [np.mean([probabilities[m][k] for m in members], axis=0) for k in range(3)]
        return np.mean([-log_loss(THREE.y[sweep.tested(k)], means[k]) for k in range(3)])

    best = kept.result.best
    pair = max(itertools.product([best], probabilities), key=lambda members: worth(*members))
    assert np.mean(found.splits) == pytest.approx(max(worth(best), worth(*pair)), rel=1e-5)
    assert set(found.members) <= {best, *pair}
    assert np.mean(found.unseen) <= np.mean(found.splits) + 1e-12


def test_boosters_that_learn_codes_answer_in_labels_together(tmp_path):
    kept = Kept(tmp_path, THREE, BOOSTED)
    _, found = chosen(kept, "neg_log_loss")
    members = [refit(kept.spec, member, THREE) for member in found.members]
    whole = assemble(members, list(found.weights.values()), THREE.classes)
    expected = sum(w * m.predict_proba(THREE.X) for w, m in zip(found.weights.values(), members, strict=True))
    assert whole.predict_proba(THREE.X) == pytest.approx(expected)
    accuracy = score(whole, THREE, Scorers.named("accuracy"))["accuracy"]
    assert accuracy == pytest.approx((expected.argmax(axis=1) == THREE.y).mean())
    assert measure(FittedModel(whole, THREE.X[:2], THREE.classes.tolist())).size_mb > 0  # it can be stored and loaded


def test_numbers_are_averaged(tmp_path):
    kept = Kept(tmp_path, NUMBERS, RIDGE)
    sweep, found = chosen(kept, "r2")
    answers = {each.candidate: sweep.answers(each) for each in kept.file.kept}
    for k in range(3):
        mean = sum(w * answers[m][k].values["predict"] for m, w in found.weights.items())
        assert found.splits[k] == pytest.approx(r2_score(NUMBERS.y[sweep.tested(k)], mean))
    members = [refit(kept.spec, member, NUMBERS) for member in found.members]
    whole = assemble(members, list(found.weights.values()), None)
    expected = sum(w * m.predict(NUMBERS.X) for w, m in zip(found.weights.values(), members, strict=True))
    assert whole.predict(NUMBERS.X) == pytest.approx(expected)


def test_what_cannot_be_averaged_is_said_in_one_line(tmp_path):
    winner = Kept(tmp_path / "winner", THREE, BOOSTED, keep="winner")
    with pytest.raises(SpecError, match="needs the predictions of every candidate, and the sweep has not kept them"):
        chosen(winner, "neg_log_loss")
    machine = {"estimator": "sklearn.svm.SVC", "grid": {"C": [1.0, 2.0]}, "scoring": "accuracy", "cv": {"folds": 2}}
    with pytest.raises(SpecError, match="these candidates give labels alone"):
        chosen(Kept(tmp_path / "labels", TWO, machine), "accuracy")
