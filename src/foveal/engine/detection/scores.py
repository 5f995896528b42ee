"""How good a detector is: precision, recall and average precision of boxes, at an overlap that counts as found.

Boxes and objects are matched as COCO's evaluation does it: the most probable box first, each takes the object of its
tag that it overlaps most among those still free. Average precision is the mean of the precision, made to fall, at 101
levels of recall (Lin et al. 2014 and its reference code).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foveal.engine.evaluate import Performance, Scores
from foveal.geometry import Box, Corners, Detections, overlaps

LEVELS = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True)
class Truth:
    """What is in an image: boxes (g, 4), in the units of what was found, and tags (g,)."""

    boxes: Corners
    tags: NDArray[np.intp]


def truth(objects: Sequence[tuple[int, Box]]) -> Truth:
    """What is in an image with these tags, by position, and boxes."""
    corners = [(box.left, box.top, box.right, box.bottom) for _, box in objects]
    return Truth(np.array(corners, float).reshape(-1, 4), np.array([tag for tag, _ in objects], np.intp))


def borne(images: Sequence[Truth], tags: int) -> NDArray[np.bool_]:
    """Which image has an object of which tag: (n, tags)."""
    made = np.zeros((len(images), tags), bool)
    for row, each in enumerate(images):
        made[row, each.tags] = True
    return made


@dataclass(frozen=True, slots=True)
class Matches:
    """All boxes of one tag, the most probable first: probabilities (m,), which are right (m,), in which image (m,).

    And how many objects there are.
    """

    scores: NDArray[np.floating]
    right: NDArray[np.bool_]
    images: NDArray[np.intp]
    objects: int

    @property
    def average_precision(self) -> float:
        if not self.objects:
            return 0.0
        hits = np.cumsum(self.right)
        recall = hits / self.objects
        falling = np.maximum.accumulate((hits / np.arange(1, len(hits) + 1))[::-1])[::-1]
        at = np.searchsorted(recall, LEVELS, side="left")
        return float(np.append(falling, 0.0)[at].mean())

    def at(self, threshold: float) -> Scores:
        """Precision and recall of the boxes whose probability reaches the threshold."""
        said = self.scores >= threshold
        return rates(int(self.right[said].sum()), int(said.sum()), self.objects, self.average_precision)


def rates(right: int, said: int, objects: int, area: float) -> Scores:
    """Precision and recall from counts; zero where nothing was there to count."""
    return Scores(right / said if said else 0.0, right / objects if objects else 0.0, area)


def matches(found: Sequence[Detections], truth: Sequence[Truth], tag: int, overlap: float) -> Matches:
    """Match the boxes of one tag in all images with the objects that bear it."""
    scores, right = list[NDArray[np.floating]](), list[NDArray[np.bool_]]()
    for said, there in zip(found, truth, strict=True):
        mine = np.flatnonzero(said.tags == tag)
        mine = mine[np.argsort(-said.scores[mine], kind="stable")]
        scores.append(said.scores[mine])
        right.append(assigned(said.boxes[mine], there.boxes[there.tags == tag], overlap) >= 0)
    every, hits = np.concatenate([*scores, np.empty(0)]), np.concatenate([*right, np.empty(0, bool)])
    images = np.repeat(np.arange(len(scores)), [len(each) for each in scores])
    order = np.argsort(-every, kind="stable")
    return Matches(every[order], hits[order], images[order], sum(int((each.tags == tag).sum()) for each in truth))


def performance(
    found: Sequence[Detections], truth: Sequence[Truth], *, tags: int, threshold: float, overlap: float
) -> Performance:
    """Scores per tag and over all boxes; the overall average precision is the mean over tags that are there."""
    each = [matches(found, truth, tag, overlap) for tag in range(tags)]
    right = sum(int(one.right[one.scores >= threshold].sum()) for one in each)
    said = sum(int((one.scores >= threshold).sum()) for one in each)
    areas = [one.average_precision for one in each if one.objects]
    overall = rates(right, said, sum(one.objects for one in each), float(np.mean(areas)) if areas else 0.0)
    return Performance(threshold, overall, tuple(one.at(threshold) for one in each))


def assigned(boxes: Corners, objects: Corners, overlap: float) -> NDArray[np.intp]:
    """Which object each of the boxes (m, 4), the most probable first, finds that no better one has taken; -1: none."""
    taken = np.full(len(boxes), -1, np.intp)
    shared = overlaps(boxes, objects)
    for at in range(len(boxes)):
        if not shared.shape[1]:
            break
        best = int(shared[at].argmax())
        if shared[at, best] >= overlap:
            taken[at] = best
            shared[:, best] = -1  # taken
    return taken
