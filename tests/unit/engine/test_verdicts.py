"""Which images are behind a figure, and what of each is a mistake."""

import numpy as np
import pytest

from foveal.engine import verdicts
from foveal.engine.detection.scores import Truth
from foveal.engine.report import Judgements
from foveal.engine.verdicts import MISSED, RIGHT, WRONG, Wanted
from foveal.geometry import Detections

HERE, BESIDE, AWAY = [0.1, 0.1, 0.5, 0.5], [0.1, 0.1, 0.45, 0.5], [0.6, 0.6, 0.9, 0.9]
NOTHING = Detections(np.empty((0, 4)), np.empty(0, np.intp), np.empty(0))


def classifier(*, exclusive: bool = True) -> Judgements:
    """Three images of tags 0, 0 and 1, judged twice: one right, one taken for tag 1 once, one unsure."""
    held_out = [[[0.9, 0.1], [0.45, 0.55], [0.4, 0.6]], [[0.8, 0.2], [0.7, 0.3], [0.4, 0.6]]]
    targets = np.array([[1, 0], [1, 0], [0, 1]], bool)
    return Judgements(targets, np.array(held_out, np.float32), exclusive=exclusive)


class TestClassifier:
    @pytest.mark.parametrize(
        ("wanted", "threshold", "rows"),
        [
            (Wanted(), 0.5, [1, 2, 0]),
            (Wanted(true_tag=0), 0.5, [1, 0]),
            (Wanted(true_tag=0, said_tag=1), 0.5, [1]),
            (Wanted(said_tag=1), 0.5, [2, 1]),
            (Wanted(wrong=True), 0.5, []),
            (Wanted(wrong=True), 0.61, [1, 2]),
            (Wanted(wrong=True, true_tag=1), 0.61, [2]),
            (Wanted(wrong=True, said_tag=1), 0.4, [1]),
        ],
    )
    def test_finds_the_images(self, wanted: Wanted, threshold: float, rows: list[int]) -> None:
        found = verdicts.of_classifier(classifier(), threshold)
        assert verdicts.find(found, wanted).tolist() == rows

    def test_shares_tell_how_many_judgements_said_so(self) -> None:
        shares = verdicts.of_classifier(classifier(), 0.5).shares
        assert shares is not None
        assert shares.tolist() == [[1, 0], [0.5, 0.5], [0, 1]]

    def test_where_tags_do_not_exclude_one_another_the_threshold_decides(self) -> None:
        found = verdicts.of_classifier(classifier(exclusive=False), 0.3)
        assert found.shares is None
        assert verdicts.find(found, Wanted(true_tag=1, said_tag=0)).tolist() == [2]


class TestDetector:
    def test_each_object_is_found_once_by_the_surest_box(self) -> None:
        found = Detections(np.array([BESIDE, HERE, AWAY]), np.array([0, 0, 0]), np.array([0.6, 0.9, 0.2]))
        judged = verdicts.boxes(found, Truth(np.array([HERE, AWAY]), np.array([0, 0])), 1, (0.5, 0.3))
        told = [(box.verdict, box.probability, box.corners) for box in judged]
        assert told == [(RIGHT, 0.9, tuple(HERE)), (WRONG, 0.6, tuple(BESIDE)), (MISSED, None, tuple(AWAY))]

    def test_images_with_more_mistakes_come_first(self) -> None:
        right = Detections(np.array([HERE]), np.array([0]), np.array([0.9]))
        both = Detections(np.array([AWAY]), np.array([1]), np.array([0.9]))
        truth = [Truth(np.array([HERE]), np.array([0]))] * 3
        found = verdicts.of_detector([right, NOTHING, both], truth, 2, (0.5, 0.3))
        assert verdicts.find(found, Wanted(wrong=True)).tolist() == [2, 1]
        assert verdicts.find(found, Wanted(wrong=True, said_tag=1)).tolist() == [2]
        assert verdicts.find(found, Wanted(true_tag=0, wrong=True)).tolist() == [2, 1]
        assert verdicts.find(found, Wanted(true_tag=0, said_tag=0)).tolist() == [0]
