from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import log_loss

from release.card import OTHERS, PERSONAL, Card, Predictions, description, markdown
from release.judging import calibration
from release.pictures import draw_calibration

DRAW = np.random.default_rng(0)
PROBABILITIES = DRAW.dirichlet(np.ones(2), 60)
CODES = DRAW.integers(0, 2, 60)
PREDICTIONS = Predictions(PROBABILITIES, CODES, ["F", "M"], {"with events": np.arange(60) < 20})
CARD = Card(
    model="demographics version 3",
    estimator="XGBClassifier",
    params={"max_depth": 3},
    data="synthetic",
    fingerprint="0123456789abcdef",
    rows=(540, 60),
    cross_validation="neg_log_loss -2.29 ± 0.02 (mean and standard deviation over 3 folds)",
    features={"app=-5": 0.25},
    command="mlflow run . -e sweep --env-manager local -P seed=0",
    code="abc123",
    limits=PERSONAL,
    holdout_scores={"neg_log_loss": -2.3},
    predictions=PREDICTIONS,
)


def test_a_card_tells_data_score_groups_slices_features_limits_and_how_to_make_it_again():
    text = markdown(CARD)
    heads = [line for line in text.splitlines() if line.startswith("#")]
    assert heads == [
        "# demographics version 3",
        "## Score",
        "## Not to be used for",
        "## Made again by",
        "## Data",
        "## Groups",
        "## Slices",
        "## Features that matter",
    ]
    assert f"log-loss {log_loss(CODES, PROBABILITIES):.5f} [" in text
    women = CODES == 0
    own = log_loss(CODES[women], PROBABILITIES[women], labels=[0, 1])
    share, given = women.mean(), PROBABILITIES[:, 0].mean()
    assert f"| F | &emsp;{women.sum()} | &emsp;{share:.3f} | &emsp;{given:.3f} | &emsp;{own:.3f} |" in text
    assert f"| with events | &emsp;20 | &emsp;{log_loss(CODES[:20], PROBABILITIES[:20]):.3f} |" in text
    assert "decide about a person" in text
    assert "```sh\nmlflow run . -e sweep --env-manager local -P seed=0\n```" in text


def test_without_a_holdout_or_probabilities_the_card_is_shorter():
    text = markdown(replace(CARD, predictions=None, holdout_scores={}, limits=OTHERS, features={}))
    assert "No row was held out." in text
    assert "## Groups" not in text
    assert "whom a wrong prediction harms" in text


def test_a_description_ends_between_sections_and_says_where_the_rest_is():
    assert description(CARD) == markdown(CARD)
    short = description(CARD, limit=len(markdown(CARD)) - 10)
    assert markdown(CARD).startswith(short.partition("\n\nThe rest")[0])
    assert len(short) < len(markdown(CARD))
    assert short.endswith("The rest is in `model_card.md`, an artifact of the sweep's run.\n")


@pytest.mark.parametrize("limit", [700, 1500, 2500])
def test_a_description_is_never_longer_than_the_registry_keeps(limit):
    assert len(description(CARD, limit)) <= limit


def test_the_picture_can_be_opened(tmp_path):
    draw_calibration(calibration(PROBABILITIES, CODES), tmp_path / "c.png")
    assert Image.open(tmp_path / "c.png").size == (550, 550)
