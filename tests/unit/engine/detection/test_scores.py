"""Precision, recall and average precision of boxes, checked against COCO's own arithmetic."""

from collections.abc import Sequence

import numpy as np
import pytest
from faster_coco_eval import COCO, COCOeval_faster
from hypothesis import given, settings
from hypothesis import strategies as st

from foveal.engine.detection import scores
from foveal.engine.detection.scores import Truth
from foveal.geometry import Detections

Drawn = tuple[list[Detections], list[Truth]]


def drawn(seed: int, *, images: int = 6, tags: int = 2) -> Drawn:
    """Random objects, boxes near some of them and boxes anywhere."""
    rng = np.random.default_rng(seed)
    found, truth = list[Detections](), list[Truth]()
    for _ in range(images):
        count = int(rng.integers(0, 5))
        first = rng.uniform(0, 60, (count, 2))
        objects = np.hstack([first, first + rng.uniform(8, 40, (count, 2))])
        truth.append(Truth(objects, rng.integers(0, tags, count)))
        near = np.repeat(objects, 2, axis=0) + rng.normal(0, 4, (2 * count, 4))
        said = np.repeat(truth[-1].tags, 2)
        low = rng.uniform(0, 60, (4, 2))
        boxes = np.vstack([near, np.hstack([low, low + rng.uniform(8, 40, (4, 2))])])
        labels = np.concatenate([said, rng.integers(0, tags, 4)])
        found.append(Detections(boxes, labels, rng.uniform(0, 1, len(boxes)).round(2)))
    return found, truth


def by_coco(found: Sequence[Detections], truth: Sequence[Truth], tags: int, overlap: float) -> list[float]:
    """Average precision of each tag, -1 where none is there."""

    def oblong(box: np.ndarray) -> list[float]:
        return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]

    objects = [
        {"image_id": at, "category_id": int(tag), "bbox": oblong(box), "area": oblong(box)[2] * oblong(box)[3]}
        for at, each in enumerate(truth)
        for box, tag in zip(each.boxes, each.tags, strict=True)
    ]
    told = COCO(
        {
            "images": [{"id": at} for at in range(len(truth))],
            "categories": [{"id": tag, "name": str(tag)} for tag in range(tags)],
            "annotations": [{"id": at + 1, "iscrowd": 0, **each} for at, each in enumerate(objects)],
        }
    )
    said = [
        {"image_id": at, "category_id": int(tag), "bbox": oblong(box), "score": float(score)}
        for at, each in enumerate(found)
        for box, tag, score in zip(each.boxes, each.tags, each.scores, strict=True)
    ]
    judge = COCOeval_faster(told, told.loadRes(said), "bbox", print_function=lambda *_: None)
    judge.params.iouThrs = np.array([overlap])
    judge.params.maxDets = [1000]
    judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
    judge.evaluate()
    judge.accumulate()
    return [float(judge.eval["precision"][0, :, tag, 0, 0].mean()) for tag in range(tags)]


class TestAveragePrecision:
    @pytest.mark.parametrize("overlap", [0.3, 0.5, 0.75])
    @pytest.mark.parametrize("seed", range(5))
    def test_is_that_of_coco(self, seed: int, overlap: float) -> None:
        found, truth = drawn(seed)
        areas = [scores.matches(found, truth, tag, overlap).average_precision for tag in range(2)]
        assert areas == pytest.approx(by_coco(found, truth, 2, overlap), abs=1e-6)

    def test_is_one_for_a_perfect_detector_and_zero_for_a_silent_one(self) -> None:
        _, truth = drawn(0)
        perfect = [Detections(each.boxes, each.tags, np.ones(len(each.tags))) for each in truth]
        silent = [Detections(np.empty((0, 4)), np.empty(0, np.intp), np.empty(0)) for _ in truth]
        for found, area in ((perfect, 1.0), (silent, 0.0)):
            said = scores.performance(found, truth, tags=2, threshold=0.5, overlap=0.5)
            assert said.overall.average_precision == area
            assert said.overall.recall == area


class TestPerformance:
    def test_counts_boxes_from_the_threshold_on(self) -> None:
        truth = [Truth(np.array([[0.0, 0, 10, 10], [20, 20, 30, 30]]), np.array([0, 0]))]
        boxes = np.array([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30], [50, 50, 60, 60]])
        found = [Detections(boxes, np.zeros(4, np.intp), np.array([0.9, 0.8, 0.4, 0.7]))]
        at_half = scores.performance(found, truth, tags=1, threshold=0.5, overlap=0.5).tags[0]
        assert (at_half.precision, at_half.recall) == (1 / 3, 1 / 2)  # the second box finds what is found already
        low = scores.performance(found, truth, tags=1, threshold=0.4, overlap=0.5).tags[0]
        assert (low.precision, low.recall) == (2 / 4, 1.0)

    def test_asks_for_the_overlap(self) -> None:
        truth = [Truth(np.array([[0.0, 0, 10, 10]]), np.array([0]))]
        found = [Detections(np.array([[0.0, 0, 10, 6]]), np.array([0]), np.array([0.9]))]
        rates = [
            scores.performance(found, truth, tags=1, threshold=0.5, overlap=overlap).overall.recall
            for overlap in (0.59, 0.6, 0.61)
        ]
        assert rates == [1.0, 1.0, 0.0]

    def test_a_tag_that_is_not_there_does_not_count(self) -> None:
        truth = [Truth(np.array([[0.0, 0, 10, 10]]), np.array([0]))]
        found = [Detections(np.array([[0.0, 0, 10, 10]]), np.array([0]), np.array([0.9]))]
        assert scores.performance(found, truth, tags=3, threshold=0.5, overlap=0.5).overall.average_precision == 1.0

    @settings(max_examples=30, deadline=None)
    @given(seed=st.integers(0, 10_000), threshold=st.floats(0, 1))
    def test_recall_falls_as_the_threshold_rises(self, seed: int, threshold: float) -> None:
        found, truth = drawn(seed, images=3)
        low, high = (
            scores.performance(found, truth, tags=2, threshold=at, overlap=0.5).overall.recall
            for at in (threshold / 2, threshold)
        )
        assert low >= high
