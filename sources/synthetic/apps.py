"""Apps, their labels and the labels' categories: the same world for every seed and scale.

An app has a theme (a game, a bank, a journal for mothers), and both its labels and most of its owners' taste follow
from the theme. That is what makes labels worth having: a model that has seen too few owners of an app to judge it has
seen enough of its label.

The strengths of the tastes, here and in `phones`, were fitted so that plain models reach the published log-losses at
full size; ``benchmarks/synthetic.py`` measures them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sources.synthetic.people import draw_ids
from sources.synthetic.tastes import choices_by_group, draw_tastes
from sources.synthetic.words import category_names

LABELLED = 113_211
IN_USE = 19_237
APP_LABELS = 459_943
LABELS, LABELS_USED = 930, 507
_UNLABELLED_EVERY = 97  # in order of popularity, so that even few devices show some

_THEMES = 110
_GENERAL = 67  # labels that any app may have, the first ones; the others belong to the themes
_THEME_TASTE, _OWN_TASTE = 0.079, 0.02
_UNEVEN = 1.1  # of the logarithm of an app's strength: most apps suit everybody, and a few tell a lot


@dataclass(frozen=True)
class Apps:
    """All apps, those in use first and in order of popularity.

    Attributes
    ----------
    app_id : ndarray of shape (n,), int64
    theme : ndarray of shape (n,), int64
    chances : ndarray of shape (12, IN_USE)
        Cumulative probability of each app in use in each group.
    """

    app_id: np.ndarray
    theme: np.ndarray
    chances: np.ndarray

    @property
    def labelled(self) -> np.ndarray:
        """Places of the apps that have labels."""
        place = np.arange(len(self.app_id))
        return np.asarray(place[(place >= IN_USE) | (place % _UNLABELLED_EVERY != _UNLABELLED_EVERY - 1)])


def apps_in_the_world(rng: np.random.Generator) -> Apps:
    """Make every app: popularity by the law of Zipf and Mandelbrot, tastes mostly from the theme."""
    unlabelled = IN_USE // _UNLABELLED_EVERY
    count = LABELLED + unlabelled
    theme = _skewed(rng, np.full(count, _THEMES), 1.4)
    popularity = 1 / (np.arange(IN_USE) + 6.0) ** 1.03
    tastes = _THEME_TASTE * draw_tastes(rng, _THEMES)[theme[:IN_USE]] + _OWN_TASTE * draw_tastes(rng, IN_USE)
    tastes *= rng.lognormal(sigma=_UNEVEN, size=(IN_USE, 1))
    return Apps(draw_ids(rng, count), theme, choices_by_group(popularity, tastes))


def _skewed(rng: np.random.Generator, sizes: np.ndarray, power: float) -> np.ndarray:
    """Draw a whole number below each of `sizes`; the greater `power`, the likelier the low ones."""
    return np.floor(sizes * rng.random(len(sizes)) ** power).astype(np.int64)


def label_ids(rng: np.random.Generator) -> np.ndarray:
    """Ids of all labels, ascending with gaps, shape (LABELS,)."""
    return 1 + np.sort(rng.choice(LABELS + 91, LABELS, replace=False))


def app_labels_table(rng: np.random.Generator, apps: Apps, labels_used: np.ndarray) -> pl.DataFrame:
    """Columns of app_labels.

    Parameters
    ----------
    rng : Generator
    apps : Apps
    labels_used : ndarray of shape (LABELS_USED,), int64
        Ids of the labels that apps have.
    """
    app, label = _labels_of_apps(rng, apps)
    surplus = len(app) - APP_LABELS
    spare = np.flatnonzero(np.diff(app, prepend=-1) == 0)  # never the first label of an app
    kept = np.ones(len(app), bool)
    kept[rng.choice(spare, surplus, replace=False)] = False
    order = rng.permutation(np.flatnonzero(kept))
    return pl.DataFrame({"app_id": apps.app_id[app[order]], "label_id": labels_used[label[order]]})


def _labels_of_apps(rng: np.random.Generator, apps: Apps) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of app and label, each once and ascending, some more than APP_LABELS."""
    place = apps.labelled
    more_for_popular = 4.6 / (1 + np.minimum(place, IN_USE) / 400)
    app = np.repeat(place, 1 + rng.poisson(5.2 + more_for_popular))
    bounds = np.linspace(_GENERAL, LABELS_USED, _THEMES + 1).astype(np.int64)
    start, size = bounds[:-1], np.diff(bounds)
    theme = apps.theme[app]
    own = start[theme] + _skewed(rng, size[theme], 1.8)
    general = _skewed(rng, np.full(len(app), _GENERAL), 3.0)
    label = np.where(rng.random(len(app)) < 0.6, own, general)
    pair = np.unique(app * LABELS_USED + label)
    return pair // LABELS_USED, pair % LABELS_USED


def label_categories_table(ids: np.ndarray) -> pl.DataFrame:
    """Columns of label_categories, shape (LABELS, 2); `ids` from `label_ids`."""
    return pl.DataFrame({"label_id": ids, "category": category_names(LABELS)})
