"""The report of a detector: the same figures as those of boxes, with intervals."""

import numpy as np
import pytest

from foveal.engine import report
from foveal.engine.detection import scores
from foveal.engine.detection.evidence import Boxes
from foveal.engine.detection.scores import Truth
from foveal.geometry import Detections

HERE, AWAY = [0.1, 0.1, 0.5, 0.5], [0.6, 0.6, 0.9, 0.9]


def evidence(images: int = 40, *, right: float = 0.8, effect: float = 1.0) -> Boxes:
    """One object an image; a share of the boxes is right, and surer than the others."""
    rng = np.random.default_rng(0)
    found, truth = list[Detections](), list[Truth]()
    for at in range(images):
        hit = at < right * images
        score = rng.uniform(0.7, 0.95) if hit else rng.uniform(0.1, 0.6)
        found.append(Detections(np.array([HERE if hit else AWAY]), np.array([at % 2]), np.array([score])))
        truth.append(Truth(np.array([HERE]), np.array([at % 2])))
    return Boxes(found, truth, 2, 0.5, effect)


def test_figures_are_those_of_the_boxes() -> None:
    said = evidence()
    made = report.report(said, 0.5, promise=0.9)
    plain = scores.performance(said.found, said.truth, tags=2, threshold=0.5, overlap=0.5)
    assert made.overall.precision.value == pytest.approx(plain.overall.precision)
    assert made.overall.recall.value == pytest.approx(plain.overall.recall)
    assert made.overall.average_precision.value == pytest.approx(plain.overall.average_precision)
    assert [tag.images for tag in made.tags] == [20, 20]
    assert made.confusion is None


def test_fewer_images_widen_the_intervals() -> None:
    wide, narrow = (report.report(evidence(images), 0.5, promise=0.9).overall.recall for images in (20, 200))
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
    folded = report.report(evidence(effect=2.5), 0.5, promise=0.9).overall.recall
    single = report.report(evidence(), 0.5, promise=0.9).overall.recall
    assert folded.high - folded.low > single.high - single.low


def test_names_the_thresholds_that_keep_a_promise() -> None:
    made = report.report(evidence(200), 0.1, promise=0.95)
    assert made.best_f1.threshold > 0.5
    assert made.promising is not None
    assert made.promising.precision.low >= 0.95


def test_a_detector_that_finds_nothing_is_told_so() -> None:
    nothing = [Detections(np.empty((0, 4)), np.empty(0, np.intp), np.empty(0))] * 5
    truth = [Truth(np.array([HERE]), np.array([0]))] * 5
    made = report.report(Boxes(nothing, truth, 1, 0.5), 0.5, promise=0.9)
    assert made.overall.recall.value == 0
    assert made.best_f1.f1 == 0
    assert made.promising is None
    assert made.tags[0].missed == 5


def test_boxes_are_as_sure_as_they_are_right() -> None:
    bins = report.report(evidence(200), 0.5, promise=0.9).reliability.bins
    assert sum(each.count for each in bins) == 200
    assert bins[0].accuracy == 0
    assert bins[-1].accuracy == 1
