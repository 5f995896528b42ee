"""Which pictures to label once there is a model: those it is unsure of, and no two that look alike."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

FEWEST_CANDIDATES = 500
CANDIDATES_PER_CHOICE = 10  # the most uncertain ones, from which the choice is made

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Informative:
    """A picture, the model's doubt about it (0..1), and the two tags, or the one, that the doubt is about."""

    image: int
    score: float
    tags: tuple[int, ...]


def informative(probabilities: Floats, features: Floats, count: int, *, exclusive: bool) -> list[Informative]:
    """Choose pictures to label, the most useful first.

    A picture counts its doubt, less the more it resembles one chosen before it: a copy counts nothing, a picture no
    more similar than two usually are counts in full.

    Args:
        probabilities: (n, k), what the model says.
        features: (n, d), each of length one.
        count: how many to choose.
        exclusive: an image has one tag; else any number.
    """
    doubts = doubt(probabilities, exclusive=exclusive)
    most = max(FEWEST_CANDIDATES, CANDIDATES_PER_CHOICE * count)
    candidates = np.argsort(-doubts, kind="stable")[:most]
    similarities = features[candidates] @ features[candidates].T
    usual = min(float(np.median(similarities)), 0.99)
    worth, fresh = doubts[candidates], np.ones(len(candidates))
    made: list[Informative] = []
    while len(made) < min(count, len(candidates)):
        at = int(np.argmax(worth * fresh))
        image = int(candidates[at])
        made.append(Informative(image, float(doubts[image]), _rivals(probabilities[image], exclusive=exclusive)))
        fresh = np.minimum(fresh, np.clip((1 - similarities[at]) / (1 - usual), 1e-6, 1))
        fresh[at] = -1  # below all that are left, whatever their worth
        worth = np.maximum(worth, 1e-9)
    return made


def doubt(probabilities: Floats, *, exclusive: bool) -> NDArray[np.float64]:
    """Return how unsure the model is, 0..1 (n,).

    One less the lead of the best tag over the second where tags exclude one another; else the entropy, in bits, of the
    most doubtful tag.
    """
    values = probabilities.astype(np.float64)
    if not exclusive:
        return (entr(values) + entr(1 - values)).max(1) / np.log(2)
    if values.shape[1] == 1:
        return 1 - values[:, 0]
    second, best = np.partition(values, -2, axis=1)[:, -2:].T
    return 1 - (best - second)


def _rivals(values: Floats, *, exclusive: bool) -> tuple[int, ...]:
    if not exclusive:
        return (int(np.argmin(np.abs(values - 0.5))),)
    return tuple(np.argsort(-values, kind="stable")[:2].tolist())
