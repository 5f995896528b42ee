"""What is known of a detector from boxes that were judged, for the same report as that of a classifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from foveal.engine.detection import scores
from foveal.engine.detection.scores import Matches, Truth
from foveal.engine.report import Counts, Floats
from foveal.geometry import Detections


@dataclass(frozen=True)
class Boxes:
    """What detectors that had not seen an image found in it, and what is on it; see `report.Evidence`.

    Objects are counted where a classifier's report counts images.
    """

    found: Sequence[Detections]
    truth: Sequence[Truth]
    tags: int
    overlap: float
    design_effect: float = 1.0
    repeats: int = 1
    confusion: None = None

    @cached_property
    def matches(self) -> list[Matches]:
        return [scores.matches(self.found, self.truth, tag, self.overlap) for tag in range(self.tags)]

    @property
    def images(self) -> int:
        return len(self.truth)

    def confidences(self) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
        return self.said(range(self.tags))

    def cases(self, tag: int) -> int:
        return self.matches[tag].objects

    def area(self, tag: int) -> float:
        return self.matches[tag].average_precision

    def counts(self, tags: Sequence[int], threshold: float) -> Counts:
        hits, predicted = np.zeros(self.images), np.zeros(self.images)
        for tag in tags:
            one = self.matches[tag]
            reached = one.scores >= threshold
            predicted += np.bincount(one.images[reached], minlength=self.images)
            hits += np.bincount(one.images[reached & one.right], minlength=self.images)
        true = [float(np.isin(each.tags, tags).sum()) for each in self.truth]
        return Counts(hits, predicted, np.array(true))

    def said(self, tags: Sequence[int]) -> tuple[Floats, NDArray[np.bool_]]:
        return self.judged(tags)[:2]

    def judged(self, tags: Sequence[int]) -> tuple[Floats, NDArray[np.bool_], NDArray[np.intp]]:
        chosen = [self.matches[tag] for tag in tags]
        every = np.concatenate([np.empty(0), *(each.scores for each in chosen)]).astype(np.float64)
        right = np.concatenate([np.empty(0, bool), *(each.right for each in chosen)])
        return every, right, np.concatenate([np.empty(0, np.intp), *(each.images for each in chosen)])
