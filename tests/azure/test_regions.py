"""A program that draws boxes: the steps of Microsoft's object detection quickstart, up to the training."""

from datetime import datetime
from io import BytesIO
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from azure.cognitiveservices.vision.customvision.training.models import (
    ImageFileCreateBatch,
    ImageFileCreateEntry,
    ImageRegionCreateEntry,
    Region,
)
from PIL import Image, ImageDraw
from tests.azure import sdk
from tests.azure.scene import refusal
from tests.support.pictures import picture

pytestmark = pytest.mark.slow

BOX = {"left": 0.125, "top": 0.25, "width": 0.375, "height": 0.5}
MOST_REGIONS = 300
SEEDS = count(40_000)


@pytest.fixture(scope="module")
def project(trainer: Any) -> str:
    return sdk.new_detector(trainer)


@pytest.fixture(scope="module")
def tags(trainer: Any, project: str) -> dict[str, str]:
    return sdk.new_tags(trainer, project, ("fork", "scissors"))


@pytest.fixture
def image(trainer: Any, project: str) -> str:
    """An image of its own, without regions."""
    return upload(trainer, project).image.id


def upload(trainer: Any, project: str, *regions: Region) -> Any:
    """Upload a picture that nobody has uploaded before, with regions; give what the service said of it."""
    entry = ImageFileCreateEntry(name="a.png", contents=picture(next(SEEDS)), regions=list(regions))
    return trainer.create_images_from_files(project, ImageFileCreateBatch(images=[entry])).images[0]


def read(trainer: Any, project: str, image: str) -> Any:
    (found,) = trainer.get_images_by_ids(project, [image])
    return found


def edges(box: Any) -> dict[str, float]:
    return {name: getattr(box, name) for name in BOX}


class TestProject:
    def test_is_one_for_object_detection(self, trainer: Any, project: str) -> None:
        settings = trainer.get_project(project).settings
        domain = trainer.get_domain(settings.domain_id)
        assert (domain.name, domain.type, domain.enabled) == ("General", "ObjectDetection", True)
        assert (settings.classification_type, settings.detection_parameters) == (None, None)


class TestUpload:
    def test_a_picture_brings_its_regions_and_their_tags(
        self, trainer: Any, project: str, tags: dict[str, str]
    ) -> None:
        fork, scissors = (Region(tag_id=id, **BOX) for id in tags.values())
        created = upload(trainer, project, fork, scissors)
        assert (created.status, [region.tag_name for region in created.image.regions]) == ("OK", [None, None])
        found = read(trainer, project, created.image.id)
        assert {tag.tag_name: tag.tag_id for tag in found.tags} == tags
        assert {region.tag_name: region.tag_id for region in found.regions} == tags
        for region in found.regions:
            assert edges(region) == BOX
            assert str(UUID(region.region_id)) == region.region_id
            assert isinstance(region.created, datetime)

    def test_a_picture_without_regions_has_none(self, trainer: Any, project: str, image: str) -> None:
        found = read(trainer, project, image)
        assert (found.regions, found.tags) == (None, None)


class TestDraw:
    def test_what_is_drawn_is_told_in_the_order_sent(
        self, trainer: Any, project: str, tags: dict[str, str], image: str
    ) -> None:
        wanted = [ImageRegionCreateEntry(image_id=image, tag_id=id, **BOX) for id in tags.values()]
        summary = trainer.create_image_regions(project, wanted)
        assert [region.tag_id for region in summary.created] == list(tags.values())
        assert (summary.duplicated, summary.exceeded) == ([], [])
        found = {region.region_id: edges(region) for region in read(trainer, project, image).regions}
        assert found == {region.region_id: BOX for region in summary.created}
        assert {region.image_id for region in summary.created} == {image}

    def test_a_box_that_is_there_is_told_as_a_duplicate(
        self, trainer: Any, project: str, tags: dict[str, str], image: str
    ) -> None:
        first = ImageRegionCreateEntry(image_id=image, tag_id=tags["fork"], **BOX)
        second = ImageRegionCreateEntry(image_id=image, tag_id=tags["fork"], **{**BOX, "left": 0.5})
        trainer.create_image_regions(project, [first])
        raw = trainer.create_image_regions(project, [first, second], raw=True)
        assert raw.response.status_code == 207
        assert [region.left for region in raw.output.created] == [0.5]
        assert [(region.image_id, edges(region)) for region in raw.output.duplicated] == [(image, BOX)]

    def test_an_image_bears_300_and_the_rest_are_told(
        self, trainer: Any, project: str, tags: dict[str, str], image: str
    ) -> None:
        boxes = [
            ImageRegionCreateEntry(image_id=image, tag_id=tags["fork"], left=n / 512, top=0, width=0.25, height=0.25)
            for n in range(5 * sdk.BATCH)
        ]
        batches = [boxes[at : at + sdk.BATCH] for at in range(0, len(boxes), sdk.BATCH)]
        summaries = [trainer.create_image_regions(project, batch) for batch in batches]
        assert sum(len(summary.created) for summary in summaries) == MOST_REGIONS
        assert [region.left for region in summaries[-1].exceeded] == [box.left for box in boxes[MOST_REGIONS:]]
        assert len(read(trainer, project, image).regions) == MOST_REGIONS


class TestRemove:
    def test_the_tag_goes_with_its_last_region(
        self, trainer: Any, project: str, tags: dict[str, str], image: str
    ) -> None:
        boxes = [{**BOX, "left": left} for left in (0.125, 0.5)]
        wanted = [ImageRegionCreateEntry(image_id=image, tag_id=tags["fork"], **box) for box in boxes]
        first, second = (region.region_id for region in trainer.create_image_regions(project, wanted).created)
        assert trainer.delete_image_regions(project, [first]) is None
        left = read(trainer, project, image)
        assert ([region.region_id for region in left.regions], len(left.tags)) == ([second], 1)
        trainer.delete_image_regions(project, [second, first])
        left = read(trainer, project, image)
        assert (left.regions, left.tags) == (None, None)

    def test_untagging_takes_the_regions_along(self, trainer: Any, project: str, tags: dict[str, str]) -> None:
        created = upload(trainer, project, *(Region(tag_id=id, **BOX) for id in tags.values()))
        trainer.delete_image_tags(project, [created.image.id], [tags["fork"]])
        assert [region.tag_name for region in read(trainer, project, created.image.id).regions] == ["scissors"]


class TestPropose:
    def test_a_bright_square_on_grey_is_proposed(self, trainer: Any, project: str) -> None:
        image = trainer.create_images_from_data(project, bright_square()).images[0].image.id
        answer = trainer.get_image_region_proposals(project, image)
        assert (answer.project_id, answer.image_id) == (project, image)
        confidences = [proposal.confidence for proposal in answer.proposals]
        assert 1 <= len(confidences) <= 10
        assert confidences == sorted(confidences, reverse=True)
        assert all(0 <= confidence <= 1 for confidence in confidences)
        best = answer.proposals[0].bounding_box
        assert (best.left, best.top) == pytest.approx((0.25, 0.25), abs=0.1)
        assert (best.width, best.height) == pytest.approx((0.4, 0.4), abs=0.1)

    def test_an_image_of_another_project_has_none(self, trainer: Any, image: str) -> None:
        other = sdk.new_detector(trainer)
        assert refusal(lambda: trainer.get_image_region_proposals(other, image))[:2] == (404, "NotFoundImage")


def bright_square() -> bytes:
    """Draw a bright square on grey, from a quarter of each side to 0.65 of it."""
    canvas = Image.new("RGB", (400, 400), (120, 120, 120))
    ImageDraw.Draw(canvas).rectangle((100, 100, 260, 260), fill=(250, 210, 20), outline=(30, 30, 30), width=6)
    out = BytesIO()
    canvas.save(out, "PNG")
    return out.getvalue()
