import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from foveal import imaging
from foveal.engine import proposals
from foveal.engine.detection import base
from foveal.engine.proposals import SIZE_PX, Proposal, Proposer
from foveal.errors import Invalid
from foveal.geometry import Box, intersection_over_union

DATA = Path(__file__).parents[3] / "../shared/data"

Pixels = NDArray[np.uint8]

SMALL = Box(0.1, 0.6, 0.2, 0.2)
TALL = Box(0.6, 0.15, 0.2, 0.7)
LARGE = Box(0.1, 0.15, 0.75, 0.7)


@pytest.fixture(scope="module", params=["foveal-s", "foveal-xs"])
def proposer(request: pytest.FixtureRequest) -> Proposer:
    return Proposer(base.find(request.param), threads=1)


def picture(*boxes: Box) -> Pixels:
    """Striped ovals on a table, each filling its box."""
    image = Image.new("RGB", (SIZE_PX, SIZE_PX), (205, 196, 180))
    stripes = Image.new("RGB", image.size, (190, 40, 30))
    lines = ImageDraw.Draw(stripes)
    for at in range(0, SIZE_PX, 16):
        lines.line((at, 0, at, SIZE_PX), fill=(240, 210, 60), width=5)
    mask = Image.new("L", image.size)
    for box in boxes:
        corners = (box.left, box.top, box.left + box.width, box.top + box.height)
        ImageDraw.Draw(mask).ellipse([SIZE_PX * corner for corner in corners], fill=255)
    image.paste(stripes, mask=mask)
    return np.array(image)


def closest(drawn: Box, found: Sequence[Proposal]) -> float:
    return max((intersection_over_union(drawn, each.box) for each in found), default=0.0)


class TestPropose:
    @pytest.mark.parametrize("drawn", [SMALL, TALL, LARGE], ids=["small", "tall", "large"])
    def test_an_object_on_a_plain_background_comes_first(self, proposer: Proposer, drawn: Box) -> None:
        assert closest(drawn, proposer.propose(picture(drawn))[:1]) > 0.5

    def test_each_of_two_objects_has_a_box(self, proposer: Proposer) -> None:
        found = proposer.propose(picture(SMALL, TALL))
        assert closest(SMALL, found) > 0.5
        assert closest(TALL, found) > 0.5

    def test_an_object_from_edge_to_edge_is_among_the_ten(self, proposer: Proposer) -> None:
        cut = Box(-0.2, 0.3, 1.4, 0.4)
        assert closest(Box(0, 0.3, 1, 0.4), proposer.propose(picture(cut))) > 0.8

    def test_moves_with_the_object(self, proposer: Proposer) -> None:
        mirrored = proposer.propose(np.ascontiguousarray(picture(SMALL)[:, ::-1]))
        assert closest(Box(0.7, 0.6, 0.2, 0.2), mirrored[:1]) > 0.5

    @pytest.mark.parametrize("grey", [0, 128, 255])
    def test_nothing_stands_out_of_a_plain_colour(self, proposer: Proposer, grey: int) -> None:
        assert proposer.propose(np.full((SIZE_PX, SIZE_PX, 3), grey, np.uint8)) == []

    def test_nothing_stands_out_of_noise(self, proposer: Proposer) -> None:
        assert proposer.propose(np.random.default_rng(0).integers(0, 256, (SIZE_PX, SIZE_PX, 3), np.uint8)) == []

    def test_the_best_comes_first(self, proposer: Proposer) -> None:
        confidences = [each.confidence for each in proposer.propose(picture(SMALL, TALL))]
        assert len(set(confidences)) > 1
        assert confidences == sorted(confidences, reverse=True)
        assert all(0 <= confidence <= 1 for confidence in confidences)

    def test_boxes_lie_in_the_picture_and_differ(self, proposer: Proposer) -> None:
        boxes = [each.box for each in proposer.propose(picture(SMALL, TALL))]
        for at, box in enumerate(boxes):
            assert box.area > 0
            assert 0 <= box.left <= box.left + box.width <= 1
            assert 0 <= box.top <= box.top + box.height <= 1
            assert all(intersection_over_union(box, other) < proposals.SAME_OBJECT for other in boxes[:at])

    def test_gives_at_most_so_many(self, proposer: Proposer, monkeypatch: pytest.MonkeyPatch) -> None:
        image = picture(SMALL, TALL)
        assert 3 < len(proposer.propose(image)) <= proposals.MAX_PROPOSALS
        monkeypatch.setattr(proposals, "MAX_PROPOSALS", 3)
        assert len(proposer.propose(image)) == 3

    def test_threads_get_the_same_answers_as_one(self, proposer: Proposer) -> None:
        images = [picture(SMALL), picture(TALL), picture(SMALL, TALL)] * 3
        alone = [proposer.propose(image) for image in images]
        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(proposer.propose, images)) == alone

    @pytest.mark.parametrize("shape", [(224, 224, 3), (SIZE_PX, SIZE_PX), (SIZE_PX, SIZE_PX, 4)])
    def test_refuses_another_shape(self, proposer: Proposer, shape: tuple[int, ...]) -> None:
        with pytest.raises(Invalid, match=r"not \("):
            proposer.propose(np.zeros(shape, np.uint8))


@pytest.mark.shared
@pytest.mark.skipif(not DATA.is_dir(), reason="the development photos (../shared/data) are not here")
@pytest.mark.parametrize(("proposer", "least"), [("foveal-s", 0.9), ("foveal-xs", 0.7)], indirect=["proposer"])
def test_forks_and_scissors_are_found_in_photos(proposer: Proposer, least: float) -> None:
    folder = DATA / "azure_fork_scissors"
    told = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
    images = {image["id"]: image for image in told["images"]}
    first, any_of_ten = [], []
    for annotation in told["annotations"]:
        image = images[annotation["image_id"]]
        decoded = imaging.decode(
            (folder / "images" / image["file_name"]).read_bytes(), max_bytes=imaging.TRAINING_BYTES
        )
        found = proposer.propose(imaging.model_input(decoded, proposer.size_px))
        x, y, width, height = np.array(annotation["bbox"]) / ([image["width"], image["height"]] * 2)
        drawn = Box(x, y, width, height)
        first.append(closest(drawn, found[:1]) >= 0.5)
        any_of_ten.append(closest(drawn, found) >= 0.5)
    assert np.mean(first) >= least  # one box of seven tenths about the centre: 0.65
    assert np.mean(any_of_ten) >= 0.95  # ten boxes about the centre: 0.88
