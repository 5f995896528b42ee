"""Pictures that are nearly the same: found from embeddings alone.

Plain cosine similarity of embeddings is sharp where pictures differ much, and blunt where all of them look alike: two
different pieces of steel are then closer than a photo and its smaller copy. So similarities are taken after whitening:
directions in which the pictures of this very set differ anyway count less. The covariance is shrunk so far that the
difference of one pair of copies, which is itself among the pictures, is not blown up.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

THRESHOLD = 0.65
SHRINK = 1.5  # of the covariance, in mean variances of the directions that the pictures span
MOST_FITTED = 2_000  # pictures from which the covariance is made
BLOCK = 512  # rows of the similarities that are in memory at once
FEWEST = 4  # from fewer pictures nothing is learned about how pictures of the set differ

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that belong together, ascending; each is at least this similar to another one of them (0..1)."""

    members: tuple[int, ...]
    similarity: float


def near_duplicates(features: Floats, threshold: float = THRESHOLD, *, seed: int = 0) -> list[Group]:
    """Group pictures whose similarity reaches the threshold, the most similar group first.

    Args:
        features: (n, d), each of length one.
        threshold: of the similarity after whitening, see the module.
        seed: decides from which pictures of a large set the covariance is made.
    """
    if len(features) < 2:  # noqa: PLR2004  # a pair
        return []
    vectors = whitened(features, np.random.default_rng(seed))
    labels = np.arange(len(vectors))
    best = np.zeros(len(vectors), np.float32)
    for rows, columns, similarities in _pairs(vectors, threshold):
        np.maximum.at(best, rows, similarities)
        np.maximum.at(best, columns, similarities)
        labels = _joined(labels, rows, columns)
    return _groups(labels, best)


def whitened(features: Floats, rng: np.random.Generator) -> Floats:
    """Return the features (n, d) centred, whitened as far as their number allows, and of length one again."""
    if len(features) < FEWEST:
        return features
    most = max(MOST_FITTED, 2 * features.shape[1])  # so many span all directions
    fitted = features if len(features) <= most else features[rng.permutation(len(features))[:most]]
    middle = fitted.mean(0)
    _, lengths, axes = np.linalg.svd(fitted - middle, full_matrices=False)
    variances = lengths**2 / len(fitted)
    floor = max(SHRINK * float(variances.mean()), float(np.finfo(np.float32).tiny))
    moved = (features - middle) @ (axes / np.sqrt(variances + floor)[:, None]).T
    return (moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def _pairs(
    vectors: Floats, threshold: float
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]]:
    """Give the pairs that reach the threshold, each once, block by block: rows, columns, similarities."""
    for at in range(0, len(vectors), BLOCK):
        similarities = vectors[at : at + BLOCK] @ vectors[at:].T
        rows, columns = np.nonzero(np.triu(similarities >= threshold, 1))
        if len(rows):
            yield rows + at, columns + at, np.minimum(similarities[rows, columns], 1)


def _joined(labels: NDArray[np.intp], rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the labels (n,) after those of each pair became one."""
    count = len(labels)
    links = coo_matrix((np.ones(len(rows), bool), (labels[rows], labels[columns])), shape=(count, count))
    return connected_components(links, directed=False)[1][labels]


def _groups(labels: NDArray[np.intp], best: NDArray[np.float32]) -> list[Group]:
    members = np.flatnonzero(best)
    members = members[np.argsort(labels[members], kind="stable")]
    ends = np.flatnonzero(np.diff(labels[members])) + 1
    parts = [part for part in np.split(members, ends) if len(part)]
    groups = [Group(tuple(part.tolist()), float(best[part].min())) for part in parts]
    return sorted(groups, key=lambda group: (-group.similarity, group.members))
