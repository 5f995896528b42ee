"""Which images stand behind a figure: what was rightly and wrongly said of each, what was missed, and how badly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foveal.engine.detection import scores
from foveal.engine.detection.scores import Truth
from foveal.engine.report import Floats, Judgements
from foveal.geometry import Corners, Detections

RIGHT, WRONG, MISSED = "Right", "Wrong", "Missed"

Flags = NDArray[np.bool_]  # (m, k)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Of each image and tag: whether it is there, was said, was missed or wrongly said; and how wrong the image is.

    `shares` tells in which share of the judgements of an image a tag was the likeliest; None: tags do not exclude.
    """

    true: Flags
    said: Flags
    missed: Flags
    wrong: Flags
    weight: Floats
    shares: Floats | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which images to find: that bear one tag, of which one was said; with `wrong`, where that is a mistake."""

    true_tag: int | None = None
    said_tag: int | None = None
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class JudgedBox:
    """A box that was found, or an object that was missed, whose probability is None."""

    tag: int
    probability: float | None
    corners: tuple[float, float, float, float]
    verdict: str


def of_classifier(judged: Judgements, threshold: float) -> Verdicts:
    """Judge images by the means over repeats; a tag counts as said from the threshold on."""
    means = judged.held_out.mean(0).astype(np.float64)
    said = means >= threshold
    missed, wrong = judged.targets & ~said, said & ~judged.targets
    shares = None
    if judged.exclusive:
        likeliest = judged.held_out.argmax(2)
        shares = np.stack([(likeliest == tag).mean(0) for tag in range(judged.tags)], axis=1)
    return Verdicts(judged.targets, said, missed, wrong, np.abs(judged.targets - means).max(1, initial=0.0), shares)


def of_detector(found: Sequence[Detections], truth: Sequence[Truth], tags: int, at: tuple[float, float]) -> Verdicts:
    """Judge images by their boxes, `at` a threshold and an overlap: the more of them are mistakes, the worse."""
    shape = len(truth), tags
    said, missed, wrong = (np.zeros(shape, bool) for _ in range(3))
    weight = np.zeros(len(truth))
    for row, (there, seen) in enumerate(zip(truth, found, strict=True)):
        for box in boxes(seen, there, tags, at):
            said[row, box.tag] |= box.verdict != MISSED
            missed[row, box.tag] |= box.verdict == MISSED
            wrong[row, box.tag] |= box.verdict == WRONG
            weight[row] += box.verdict != RIGHT
    return Verdicts(scores.borne(truth, tags), said, missed, wrong, weight)


def find(verdicts: Verdicts, wanted: Wanted) -> NDArray[np.intp]:
    """Return the rows of the images, the most wrong first.

    Where tags exclude one another and no mistakes at a threshold are asked for, a tag was said of an image if any
    judgement found it the likeliest, as in a confusion matrix; the order is by how many did.
    """
    true, said = (verdicts.missed, verdicts.wrong) if wanted.wrong else (verdicts.true, verdicts.said)
    order = verdicts.weight
    if verdicts.shares is not None and not wanted.wrong:
        said = verdicts.shares > 0
        if wanted.said_tag is not None:
            order = verdicts.shares[:, wanted.said_tag] + verdicts.weight / 2
    chosen = np.ones(len(true), bool)
    if wanted.true_tag is not None:
        chosen &= true[:, wanted.true_tag]
    if wanted.said_tag is not None:
        chosen &= said[:, wanted.said_tag]
    if wanted.wrong:
        chosen &= verdicts.missed.any(1) | verdicts.wrong.any(1)
    rows = np.flatnonzero(chosen)
    return rows[np.argsort(-order[rows], kind="stable")]


def boxes(found: Detections, there: Truth, tags: int, at: tuple[float, float]) -> list[JudgedBox]:
    """Tell of each box from the threshold on whether it is right, and which objects no box has found."""
    threshold, overlap = at
    judged: list[JudgedBox] = []
    for tag in range(tags):
        mine = np.flatnonzero((found.tags == tag) & (found.scores >= threshold))
        mine = mine[np.argsort(-found.scores[mine], kind="stable")]
        objects = there.boxes[there.tags == tag]
        taken = scores.assigned(found.boxes[mine], objects, overlap)
        judged += [
            JudgedBox(tag, float(found.scores[each]), _corners(found.boxes, each), RIGHT if place >= 0 else WRONG)
            for each, place in zip(mine.tolist(), taken.tolist(), strict=True)
        ]
        left = sorted(set(range(len(objects))) - set(taken.tolist()))
        judged += [JudgedBox(tag, None, _corners(objects, each), MISSED) for each in left]
    return judged


def _corners(corners: Corners, at: int) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = corners[at].tolist()
    return x1, y1, x2, y2
