"""How good a classifier is: folds, average precision, precision and recall. Arrays in, values out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

Targets = NDArray[np.bool_]  # (n, k), image has tag
Probabilities = NDArray[np.floating]  # (n, k)


@dataclass(frozen=True, slots=True)
class Scores:
    """Precision, recall and average precision, each 0..1; zero where nothing was there to count."""

    precision: float
    recall: float
    average_precision: float


@dataclass(frozen=True, slots=True)
class Performance:
    """Scores at a threshold: over all decisions, and per tag in the order of the columns."""

    threshold: float
    overall: Scores
    tags: tuple[Scores, ...]


def folds(targets: Targets, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Give each image a fold 0..count-1, (n,), spreading every tag as evenly as it goes, the rarest tags first.

    Each image goes where its rarest tag is scarcest, then where the fewest images are (after Sechidis et al. 2011,
    "On the stratification of multi-label data").
    """
    images, tags = targets.shape
    placed = np.full(images, -1, np.intp)
    held, sizes = np.zeros((count, tags + 1)), np.zeros(count)
    padded = np.column_stack([targets, np.ones(images, bool)])  # the last column takes images without a tag
    for tag in [*np.argsort(targets.sum(0), kind="stable").tolist(), tags]:
        waiting = np.flatnonzero(padded[:, tag] & (placed < 0))
        for image in rng.permutation(waiting):
            fold = np.lexsort((rng.random(count), sizes, held[:, tag]))[0]
            placed[image] = fold
            held[fold] += padded[image]
            sizes[fold] += 1
    return placed


def average_precision(hits: NDArray[np.bool_], scores: NDArray[np.floating]) -> float:
    """Area under the steps of the precision-recall curve; images of equal score count as one step."""
    total = int(hits.sum())
    if total == 0:
        return 0.0
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    found = np.cumsum(hits[order])[ends]
    return float((np.diff(found, prepend=0) * found / (ends + 1)).sum() / total)


def performance(targets: Targets, probabilities: Probabilities, threshold: float) -> Performance:
    """Count a tag as predicted where its probability reaches the threshold.

    Overall precision and recall pool all (image, tag) decisions; overall average precision is the mean over tags.
    """
    predicted = probabilities >= threshold
    right = targets & predicted
    areas = [average_precision(targets[:, tag], probabilities[:, tag]) for tag in range(targets.shape[1])]
    counts = zip(right.sum(0), predicted.sum(0), targets.sum(0), areas, strict=True)
    tags = tuple(_scores(int(hit), int(said), int(true), area) for hit, said, true, area in counts)
    mean_area = float(np.mean(areas)) if areas else 0.0
    return Performance(threshold, _scores(int(right.sum()), int(predicted.sum()), int(targets.sum()), mean_area), tags)


def _scores(right: int, predicted: int, true: int, area: float) -> Scores:
    return Scores(right / predicted if predicted else 0.0, right / true if true else 0.0, area)


def uncertainty(probabilities: Probabilities) -> NDArray[np.float64]:
    """Mean binary entropy over the tags, (n,), in bits: 0 where the model is sure of each tag, 1 where of none."""
    values = probabilities.astype(np.float64)
    return (entr(values) + entr(1 - values)).mean(axis=1) / np.log(2)
