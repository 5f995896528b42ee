"""Who learns which object, and what a good answer costs."""

import torch
from torch import Tensor

from foveal.engine.detection import assign
from foveal.engine.detection.assign import Objects
from foveal.engine.detection.finder import Found, Places

PLACES = Places.of(64)
COUNT = len(PLACES.strides)


def objects(boxes: list[list[float]], tags: list[int]) -> Objects:
    return Objects(torch.tensor([boxes]), torch.tensor([tags]), torch.ones(1, len(tags), dtype=torch.bool))


def perfect(boxes: list[list[float]], tags: list[int], *, sure: float = 8.0) -> Found:
    """An answer where each place boxes the first object whose middle is near, and is sure where it is inside."""
    given, logits = torch.zeros(1, COUNT, 4), torch.full((1, COUNT, 2), -sure)
    for box, tag in zip(boxes, tags, strict=True):
        corners = torch.tensor(box)
        x, y = PLACES.middles.unbind(-1)
        inside = (x > corners[0]) & (x < corners[2]) & (y > corners[1]) & (y < corners[3])
        given[0, inside] = corners
        logits[0, inside, tag] = sure
    return Found(given, logits, PLACES)


def corners(*boxes: list[float]) -> Tensor:
    return torch.tensor(list(boxes))


class TestAssign:
    BOXES = ([2.0, 2.0, 30.0, 30.0], [34.0, 34.0, 62.0, 62.0])

    def test_gives_each_object_its_places(self) -> None:
        boxes = list(self.BOXES)
        wanted = assign.assign(perfect(boxes, [0, 1]), objects(boxes, [0, 1]))
        for box, tag in zip(boxes, (0, 1), strict=True):
            learns = wanted.scores[0, :, tag] > 0
            assert 1 <= learns.sum() <= assign.MOST_PLACES
            assert (wanted.boxes[0, learns] == torch.tensor(box)).all()
            assert (wanted.scores[0, learns, 1 - tag] == 0).all()
            assert (PLACES.middles[learns] >= box[0]).all()
            assert (PLACES.middles[learns] <= box[2]).all()

    def test_wants_the_score_to_be_how_well_the_box_fits(self) -> None:
        boxes = [self.BOXES[0]]
        found = perfect(boxes, [0])
        found.boxes[0, :, 2:] -= 14.0  # half as wide and high: a quarter of the object
        wanted = assign.assign(found, objects(boxes, [0]))
        assert abs(wanted.scores.max().item() - 0.25) < 1e-4

    def test_passes_over_what_is_padding(self) -> None:
        there = objects([*self.BOXES], [0, 1])
        there.there[0, 1] = False
        wanted = assign.assign(perfect([*self.BOXES], [0, 1]), there)
        assert wanted.scores[0, :, 1].max() == 0

    def test_finds_a_place_for_what_is_smaller_than_a_cell(self) -> None:
        boxes = [[7.0, 7.0, 9.0, 9.0]]  # between the middles of four cells
        found = Found(torch.tensor(boxes).expand(1, COUNT, 4).clone(), torch.zeros(1, COUNT, 2), PLACES)
        assert assign.assign(found, objects(boxes, [1])).scores[0, :, 1].max() > 0.99

    def test_a_picture_without_objects_wants_nothing(self) -> None:
        empty = Objects(torch.zeros(1, 1, 4), torch.zeros(1, 1, dtype=torch.long), torch.zeros(1, 1, dtype=torch.bool))
        wanted = assign.assign(perfect([], []), empty)
        assert wanted.scores.sum() == 0
        assert torch.isfinite(assign.loss(perfect([], []), empty))


class TestLoss:
    def test_is_low_for_a_right_answer_and_higher_for_wrong_ones(self) -> None:
        boxes = [[2.0, 2.0, 30.0, 30.0]]
        there = objects(boxes, [0])
        right = assign.loss(perfect(boxes, [0]), there)
        other_tag = assign.loss(perfect(boxes, [1]), there)
        beside = assign.loss(perfect([[20.0, 20.0, 48.0, 48.0]], [0]), there)
        assert right < 0.5 * other_tag
        assert right < 0.5 * beside


class TestOverlap:
    def test_of_boxes_is_what_they_share(self) -> None:
        shared = assign.overlaps(corners([0, 0, 2, 2]), corners([0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]))
        assert torch.allclose(shared, torch.tensor([[1.0, 1 / 3, 0.0]]))

    def test_generalised_tells_how_far_apart_they_are(self) -> None:
        first = corners([0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1])
        near = assign.generalised_overlap(first, corners([0, 0, 1, 1], [1, 0, 2, 1], [3, 0, 4, 1]))
        assert torch.allclose(near, torch.tensor([1.0, 0.0, -0.5]))
