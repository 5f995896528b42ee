"""Which pictures to label before there is a model: typical ones of groups that no labelled picture stands for yet.

After Hacohen et al. 2022, "Active learning on a budget: opposite strategies suit high and low budgets". While few
pictures are labelled, typical ones teach more than strange ones; the groups are clusters by k-means.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_FITTED = 3_000  # pictures from which the clusters are made
MOST_CLUSTERS = 200
FEWEST_PER_CLUSTER = 5  # on average; smaller clusters say little of what is typical
DRAWN = 6  # candidates for each first centre
SMALLEST_DISTANCE = 1e-6
STEPS = 8  # of Lloyd's algorithm
NEIGHBOURS = 20  # the density of a place is how near its nearest neighbours are
MOST_COMPARED = 500  # pictures of a cluster among which neighbours are looked for

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Typical:
    """A picture, its cluster's number of pictures, whether one of those is known, and how typical it is (0..1)."""

    image: int
    group_size: int
    group_known: bool
    score: float


def typical_and_diverse(features: Floats, known: NDArray[np.bool_], count: int, *, seed: int = 0) -> list[Typical]:
    """Choose pictures to label, the most useful first.

    The next one comes from the cluster with the fewest labelled pictures, the chosen among them; of equal clusters from
    the largest. In the cluster it is the most typical one.

    Args:
        features: (n, d), each of length one.
        known: (n,), which pictures are labelled already.
        count: how many to choose; fewer come back where fewer are left.
        seed: decides where the clusters begin.
    """
    open_images = np.flatnonzero(~known)
    if not len(open_images) or count < 1:
        return []
    labels = _clusters(features, min(count + int(known.sum()), MOST_CLUSTERS), np.random.default_rng(seed))
    sizes = np.bincount(labels)
    density = _density(features, labels, np.random.default_rng(seed))
    waiting = {
        int(label): sorted(open_images[labels[open_images] == label].tolist(), key=lambda image: -density[image])
        for label in np.unique(labels[open_images])
    }
    seen = np.bincount(labels[known], minlength=len(sizes))
    return _chosen(waiting, seen, sizes, density, count)


def _chosen(
    waiting: dict[int, list[int]],
    known: NDArray[np.intp],
    sizes: NDArray[np.intp],
    density: NDArray[np.float64],
    count: int,
) -> list[Typical]:
    taken, made = known.copy(), list[Typical]()
    while waiting and len(made) < count:
        label = min(waiting, key=lambda each: (taken[each], -sizes[each], each))
        image = waiting[label].pop(0)
        if not waiting[label]:
            del waiting[label]
        taken[label] += 1
        made.append(Typical(image, int(sizes[label]), bool(known[label]), float(density[image])))
    return made


def _clusters(features: Floats, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the cluster of each picture, (n,)."""
    fitted = features if len(features) <= MOST_FITTED else features[rng.permutation(len(features))[:MOST_FITTED]]
    centres = _seeds(fitted, max(min(count, len(fitted) // FEWEST_PER_CLUSTER), 1), rng)
    for _ in range(STEPS):
        labels = _nearest(fitted, centres)
        held = np.eye(len(centres), dtype=np.float32)[labels]
        sizes = held.sum(0)[:, None]
        centres = np.where(sizes > 0, held.T @ fitted / np.maximum(sizes, 1), centres)
    return _nearest(features, centres)


def _seeds(features: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Choose first centres as k-means++ does: each with a chance that grows with its distance from those before.

    Of a few that are drawn the one is kept that leaves the least distance: two of one cluster would miss another.
    """
    chosen = [int(rng.integers(len(features)))]
    distance = _distance(features, features[chosen])[:, 0]
    while len(chosen) < count and (total := distance.sum()) > 0:
        drawn = rng.choice(len(features), size=DRAWN, p=distance / total)
        left = np.minimum(distance[:, None], _distance(features, features[drawn]))
        best = int(left.sum(0).argmin())
        chosen.append(int(drawn[best]))
        distance = left[:, best]
    return features[chosen]


def _distance(features: Floats, others: Floats) -> NDArray[np.float64]:
    """Return squared distances (n, m) of vectors of length one."""
    apart = 2 - 2 * (features @ others.T).astype(np.float64)
    return np.where(apart > SMALLEST_DISTANCE, apart, 0)


def _nearest(features: Floats, centres: Floats) -> NDArray[np.intp]:
    return np.argmin((centres**2).sum(1) - 2 * features @ centres.T, axis=1)


def _density(features: Floats, labels: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return how near each picture's neighbours in its cluster are, 0..1 (n,): their mean similarity."""
    density = np.zeros(len(features))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        others = members if len(members) <= MOST_COMPARED else rng.permutation(members)[:MOST_COMPARED]
        near = min(NEIGHBOURS + 1, len(others))
        similarities = np.partition(features[members] @ features[others].T, len(others) - near, axis=1)[:, -near:]
        density[members] = np.clip(similarities.mean(1), 0, 1)
    return density
