"""What a model said comes back from bytes as it was, and is put in order."""

from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from foveal import domains
from foveal.domains import OBJECT_DETECTION
from foveal.geometry import Box, Detections
from foveal.services import predictions, said
from foveal.services.said import Boxes, Probabilities
from foveal.services.tags import CountedTag

CLASSIFIER = domains.DEFAULT.id
DETECTOR = domains.named("general", OBJECT_DETECTION).id
TAGS = [CountedTag(uuid4(), name, None, "Regular", 3) for name in ("fork", "knife", "spoon")]
FOUND = Detections(
    np.array([[0.1, 0.2, 0.5, 0.6], [0.0, 0.0, 1.0, 0.5], [0.25, 0.25, 0.75, 1.0]], np.float32),
    np.array([2, 0, 2]),
    np.array([0.9, 0.5, 0.25], np.float32),
)
NOTHING = Detections(np.empty((0, 4), np.float32), np.empty(0, np.intp), np.empty(0, np.float32))


class TestRead:
    def test_probabilities_come_back(self) -> None:
        values = np.array([0.25, 0.5, 0.125], np.float32)
        back = said.read(CLASSIFIER, Probabilities(values).to_bytes())
        np.testing.assert_array_equal(back.by_tag(3), values)

    @pytest.mark.parametrize("found", [FOUND, NOTHING], ids=["three", "none"])
    def test_boxes_come_back(self, found: Detections) -> None:
        back: Any = said.read(DETECTOR, Boxes(found).to_bytes())
        np.testing.assert_array_equal(back.found.boxes, found.boxes)
        np.testing.assert_array_equal(back.found.tags, found.tags)
        np.testing.assert_array_equal(back.found.scores, found.scores)


class TestBoxes:
    def test_a_tag_is_as_probable_as_its_best_box(self) -> None:
        assert Boxes(FOUND).by_tag(3).tolist() == pytest.approx([0.5, 0, 0.9])
        assert Boxes(NOTHING).by_tag(3).tolist() == [0, 0, 0]

    def test_the_least_sure_box_decides_the_uncertainty(self) -> None:
        assert Boxes(FOUND).uncertainty == pytest.approx(1)  # the knife of one half
        sure = Detections(FOUND.boxes[:1], FOUND.tags[:1], FOUND.scores[:1])
        assert 0 < Boxes(sure).uncertainty < 0.5
        assert Boxes(NOTHING).uncertainty == 0


class TestRanked:
    def test_boxes_are_told_tag_by_tag_the_most_probable_first(self) -> None:
        told = predictions.ranked(TAGS, Boxes(FOUND))
        assert [(each.tag.name, round(each.probability, 2)) for each in told] == [
            ("fork", 0.5),
            ("spoon", 0.9),
            ("spoon", 0.25),
        ]
        assert told[0].box == Box(0, 0, 1, 0.5)

    def test_tags_are_told_without_boxes(self) -> None:
        told = predictions.ranked(TAGS, Probabilities(np.array([0.1, 0.7, 0.2], np.float32)))
        assert [(each.tag.name, each.box) for each in told] == [("knife", None), ("spoon", None), ("fork", None)]
