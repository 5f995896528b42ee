"""How good a classifier is: folds, average precision, precision and recall. Arrays in, values out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

Targets = NDArray[np.bool_]  # (n, k), image has tag
Probabilities = NDArray[np.floating]  # (n, k)
Folds = NDArray[np.intp]

NEVER_HELD = -1  # the fold of images that are only learned from
FEWEST_FOLDS = 2
MOST_HELD_OUT = 5_000
"""With more images than this one fifth is judged once: that is enough to know, and the rest teaches."""
HELD_OUT_SHARE = 5
# (up to so many images, folds, repeats): few images are cheap to judge often, and need it most.
PLANS = ((60, 10, 3), (200, 10, 2), (400, 10, 1), (1_000, 5, 1), (MOST_HELD_OUT, 3, 1))


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


def plan(
    targets: Targets,
    seed: int,
    *,
    own: NDArray[np.bool_] | None = None,
    groups: NDArray[np.intp] | None = None,
    most_folds: int | None = None,
) -> Folds:
    """Give the folds (repeats, n) that images are judged by: repeated stratified folds, or one held-out part.

    Few images are judged several times by ten folds, more by fewer folds; of many, a stratified fifth is held out and
    the others are in `NEVER_HELD`. So are those that are not one's `own` (n,): an earlier iteration's, that nobody asks
    to be judged. Images of one group (n,), such as near-duplicates, share a fold, unless too few images of a tag would
    be left outside of one to learn from. With `most_folds` no more folds are made, and once.
    """
    own = np.ones(len(targets), bool) if own is None else own
    judged = targets[own]
    groups = None if groups is None or _rarest(judged, groups[own]) < FEWEST_FOLDS else groups[own]
    most, count, repeats = next((row for row in PLANS if len(judged) <= row[0]), (0, HELD_OUT_SHARE, 1))
    if most and most_folds is not None:
        count, repeats = min(count, most_folds), 1
    kept = int(np.clip(_rarest(judged, groups), FEWEST_FOLDS, count))
    made = np.full((repeats, len(targets)), NEVER_HELD, np.intp)
    for repeat in range(repeats):
        placed = folds(judged, kept, np.random.default_rng((seed, repeat)), groups)
        if groups is not None and not _teachable(judged, placed):
            placed = folds(judged, kept, np.random.default_rng((seed, repeat)))
        made[repeat, own] = placed if most else np.where(placed == 0, 0, NEVER_HELD)
    return made


def folds(targets: Targets, count: int, rng: np.random.Generator, groups: NDArray[np.intp] | None = None) -> Folds:
    """Give each image a fold 0..count-1, (n,), spreading every tag as evenly as it goes, the rarest tags first.

    Each image, with all of its group (n,), goes where its rarest tag is scarcest, then where the fewest images are
    (after Sechidis et al. 2011, "On the stratification of multi-label data").
    """
    images, tags = targets.shape
    groups = np.arange(images) if groups is None else np.unique(groups, return_inverse=True)[1]
    members = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[members], np.arange(groups.max(initial=-1) + 2))
    placed = np.full(images, NEVER_HELD, np.intp)
    held, sizes = np.zeros((count, tags + 1)), np.zeros(count)
    padded = np.column_stack([targets, np.ones(images, bool)])  # the last column takes images without a tag
    for tag in [*np.argsort(targets.sum(0), kind="stable").tolist(), tags]:
        waiting = np.flatnonzero(padded[:, tag] & (placed < 0))
        for image in rng.permutation(waiting):
            if placed[image] >= 0:
                continue  # it came with its group
            fold = np.lexsort((rng.random(count), sizes, held[:, tag]))[0]
            together = members[starts[groups[image]] : starts[groups[image] + 1]]
            placed[together] = fold
            held[fold] += padded[together].sum(0)
            sizes[fold] += len(together)
    return placed


def _teachable(targets: Targets, placed: NDArray[np.intp]) -> bool:
    """Tell whether, whichever fold is held out, some images of each tag are left to learn from."""
    return all(targets[placed != fold].sum(0).min() >= FEWEST_FOLDS for fold in range(placed.max() + 1))


def _rarest(targets: Targets, groups: NDArray[np.intp] | None) -> int:
    """How many images, or groups of images, the rarest tag has."""
    if groups is None:
        return int(targets.sum(0).min())
    return min(len(np.unique(groups[column])) for column in targets.T)


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

    Overall precision and recall pool all (image, tag) decisions; overall average precision is the mean over the tags
    that an image has: a test set need not hold all of them.
    """
    predicted = probabilities >= threshold
    right = targets & predicted
    areas = [average_precision(targets[:, tag], probabilities[:, tag]) for tag in range(targets.shape[1])]
    counts = zip(right.sum(0), predicted.sum(0), targets.sum(0), areas, strict=True)
    tags = tuple(_scores(int(hit), int(said), int(true), area) for hit, said, true, area in counts)
    there = [area for area, some in zip(areas, targets.sum(0), strict=True) if some]
    mean_area = float(np.mean(there)) if there else 0.0
    return Performance(threshold, _scores(int(right.sum()), int(predicted.sum()), int(targets.sum()), mean_area), tags)


def _scores(right: int, predicted: int, true: int, area: float) -> Scores:
    return Scores(right / predicted if predicted else 0.0, right / true if true else 0.0, area)


def uncertainty(probabilities: Probabilities) -> NDArray[np.float64]:
    """Mean binary entropy over the tags, (n,), in bits: 0 where the model is sure of each tag, 1 where of none."""
    values = probabilities.astype(np.float64)
    return (entr(values) + entr(1 - values)).mean(axis=1) / np.log(2)
