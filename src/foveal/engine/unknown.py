"""The unknown score: does a picture resemble what the model was trained on at all?

Probabilities compare tags with one another, and say nothing of a picture that is none of them. So a picture's distance
from the plane that the training images span in the embedding space is compared with the distances of training images
from a plane that was made without them. No pictures of other things are needed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.special import expit

from foveal.engine.features import head_features

MOST_IMAGES = 500  # more of them hardly move the plane
MOST_DIRECTIONS = 64
PARTS = 5
EDGE = 95  # the percentile of the training images' own distances where the score is one half
TYPICAL_SCORE = 0.05  # at the median of the training images' own distances
SMALLEST_SPREAD = 1e-6


@dataclass(frozen=True, slots=True)
class Unknown:
    """Score 0..1 of raw embeddings: sigmoid of `(squared distance from the plane - edge) * steepness`.

    centre (d,) and basis (d, r), orthonormal, are float32 and make the plane; one half means: further away than 19 in
    20 pictures of the kind that was trained on.
    """

    centre: NDArray[np.float32]
    basis: NDArray[np.float32]
    edge: float
    steepness: float

    def scores(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score raw embeddings (n, d): (n,)."""
        return self.of_distances(_distances(head_features(embeddings), self.centre, self.basis))

    def of_distances(self, distances: NDArray[np.floating]) -> NDArray[np.float32]:
        """Score squared distances from the plane (n,)."""
        return expit((distances - self.edge) * self.steepness).astype(np.float32)


def fit(embeddings: NDArray[np.float32], *, seed: int) -> Unknown:
    """Learn what raw embeddings (n, d) of training images look like; the same data and seed give the same score."""
    return fit_and_judge(embeddings, seed=seed)[0]


def fit_and_judge(embeddings: NDArray[np.float32], *, seed: int) -> tuple[Unknown, NDArray[np.float32]]:
    """Learn, and score each of the images (n,) by a plane that was made without it."""
    chosen = np.random.default_rng(seed).permutation(len(embeddings))[:MOST_IMAGES]
    vectors = head_features(embeddings[chosen]).astype(np.float64)
    distances = _apart(vectors)
    made = _fitted(vectors, distances)
    scores = made.scores(embeddings)
    scores[chosen] = made.of_distances(distances)
    return made, scores


def shared(probabilities: NDArray[np.float32], unknown: NDArray[np.float32], negative: int) -> NDArray[np.float32]:
    """Let the tag that means "none of these" gain what is unknown, and the others lose it.

    probabilities (..., n, k), unknown (n,), and which of the k columns the Negative tag has.
    """
    column = np.arange(probabilities.shape[-1]) == negative
    return probabilities * (1 - unknown[:, None]) + unknown[:, None] * column.astype(np.float32)


def _apart(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The distance of each vector (n, d) from the plane of the parts that it is not in: (n,)."""
    parts, distances = np.arange(len(vectors)) % min(PARTS, len(vectors)), np.empty(len(vectors))
    for part in range(parts.max() + 1):
        distances[parts == part] = _distances(vectors[parts == part], *_plane(vectors[parts != part]))
    return distances


def _fitted(vectors: NDArray[np.float64], distances: NDArray[np.float64]) -> Unknown:
    edge = float(np.percentile(distances, EDGE))
    spread = max(edge - float(np.median(distances)), SMALLEST_SPREAD)
    centre, basis = _plane(vectors)
    steepness = float(np.log(1 / TYPICAL_SCORE - 1)) / spread
    return Unknown(centre.astype(np.float32), basis.astype(np.float32), edge, steepness)


def _plane(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean (d,) and the principal directions (d, r) of half as many as there are vectors, at most 64."""
    centre = vectors.mean(0)
    centred = vectors - centre
    rank = max(1, min(MOST_DIRECTIONS, len(vectors) // 2))
    last = len(vectors) - 1
    values, directions = linalg.eigh(centred @ centred.T, subset_by_index=(max(0, last - rank + 1), last))
    return centre, centred.T @ directions / np.sqrt(np.maximum(values, SMALLEST_SPREAD**2))


def _distances(
    vectors: NDArray[np.floating], centre: NDArray[np.floating], basis: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Squared distances (n,) from a plane."""
    centred = vectors - centre
    return (centred**2).sum(1) - ((centred @ basis) ** 2).sum(1)
