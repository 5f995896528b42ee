"""The object detection quickstart on its own photos: draw boxes, train, publish, find the fork and the scissors."""

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from azure.cognitiveservices.vision.customvision.training.models import (
    ImageFileCreateBatch,
    ImageFileCreateEntry,
    Region,
)
from tests.azure import sdk
from tests.azure.scene import refusal
from tests.azure.sdk import RESOURCE, Published

from foveal.engine.finetune import multiplies_bfloat16
from foveal.geometry import Box, intersection_over_union

# In one group, so that one process alone trains the detector, which takes minutes.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.shared,
    pytest.mark.xdist_group("detector"),
    pytest.mark.skipif(
        not multiplies_bfloat16(), reason="without bfloat16 a core trains for five minutes and more; others train here"
    ),
]

FORK = Box(0.105, 0.26, 0.63, 0.54)  # on the quickstart's test photo, drawn by hand
APART = 29  # the tenth photo of scissors
TRAINING_SECONDS = 1800  # the machine has the other tests to run as well


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "data" / "azure_fork_scissors"


@pytest.fixture(scope="module")
def detector(trainer: Any, folder: Path) -> Published:
    """A project with the boxes of all photos but one of scissors, trained and published."""
    project = sdk.new_detector(trainer)
    tags = sdk.new_tags(trainer, project, ("fork", "scissors"))
    entries = drawn(folder, tags)
    entries.pop(APART)
    answer = trainer.create_images_from_files(project, ImageFileCreateBatch(images=entries))
    assert answer.is_batch_successful, [image.status for image in answer.images]
    iteration = sdk.train(trainer, project, seconds=TRAINING_SECONDS)
    trainer.publish_iteration(project, iteration.id, "detectModel", RESOURCE)
    return Published(project, iteration, "detectModel")


def drawn(folder: Path, tags: Mapping[str, str]) -> list[ImageFileCreateEntry]:
    """The photos with their boxes, as fractions of their sides."""
    told = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
    names = {each["id"]: each["name"] for each in told["categories"]}
    images = {each["id"]: each for each in told["images"]}
    regions: dict[int, list[Region]] = defaultdict(list)
    for each in told["annotations"]:
        width, height = images[each["image_id"]]["width"], images[each["image_id"]]["height"]
        x, y, w, h = each["bbox"]
        box = {"left": x / width, "top": y / height, "width": w / width, "height": h / height}
        regions[each["image_id"]].append(Region(tag_id=tags[names[each["category_id"]]], **box))
    return [
        ImageFileCreateEntry(
            name=image["file_name"],
            contents=(folder / "images" / image["file_name"]).read_bytes(),
            regions=regions[id],
        )
        for id, image in images.items()
    ]


def box(prediction: Any) -> Box:
    found = prediction.bounding_box
    return Box(found.left, found.top, found.width, found.height)


class TestDetect:
    def test_finds_the_fork_of_the_test_photo(self, predictor: Any, detector: Published, folder: Path) -> None:
        with (folder / "test" / "test_image.jpg").open("rb") as photo:
            self.check(predictor.detect_image(detector.project, detector.name, photo), "fork", FORK)

    def test_finds_scissors_that_it_never_saw(self, predictor: Any, detector: Published, folder: Path) -> None:
        apart = drawn(folder, {"fork": "fork", "scissors": "scissors"})[APART]
        (region,) = apart.regions
        assert region.tag_id == "scissors"
        answer = predictor.detect_image_with_no_store(detector.project, detector.name, apart.contents)
        self.check(answer, "scissors", Box(region.left, region.top, region.width, region.height))

    def check(self, answer: Any, tag: str, place: Box) -> None:
        best = max(answer.predictions, key=lambda each: each.probability)
        assert best.tag_name == tag
        assert best.probability >= 0.5
        assert intersection_over_union(box(best), place) >= 0.5

    def test_groups_boxes_by_tag_the_most_probable_first(self, trainer: Any, detector: Published, folder: Path) -> None:
        photo = (folder / "test" / "test_image.jpg").read_bytes()
        answer = trainer.quick_test_image(detector.project, photo, iteration_id=detector.iteration.id)
        names = [each.tag_name for each in answer.predictions]
        assert names == sorted(names)
        for tag in set(names):
            values = [each.probability for each in answer.predictions if each.tag_name == tag]
            assert values == sorted(values, reverse=True)
        assert 0 < len(names) <= 200
        for each in answer.predictions:
            assert 0 <= each.bounding_box.left <= each.bounding_box.left + each.bounding_box.width <= 1 + 1e-6

    def test_a_detector_names_the_right_routes(self, predictor: Any, detector: Published, folder: Path) -> None:
        photo = (folder / "test" / "test_image.jpg").read_bytes()
        status, code, message = refusal(lambda: predictor.classify_image(detector.project, detector.name, photo))
        assert (status, code) == (400, "BadRequestNotSupported")
        assert "call the detect routes" in message


class TestPerformance:
    def test_is_that_of_boxes_on_photos_not_seen(self, trainer: Any, detector: Published) -> None:
        found = trainer.get_iteration_performance(
            detector.project, detector.iteration.id, threshold=0.5, overlap_threshold=0.5
        )
        assert 0.5 < found.average_precision <= 1
        assert {row.name for row in found.per_tag_performance} == {"fork", "scissors"}
        strict = trainer.get_iteration_performance(detector.project, detector.iteration.id, overlap_threshold=0.95)
        assert strict.average_precision < found.average_precision

    def test_images_show_their_boxes_and_what_was_found(self, trainer: Any, detector: Published) -> None:
        images = trainer.get_image_performances(detector.project, detector.iteration.id, take=100)
        assert len(images) == 39
        assert all(len(image.regions) == 1 for image in images)
        assert any(image.predictions for image in images)


class TestStored:
    def test_what_was_found_is_kept_with_its_boxes(
        self, trainer: Any, predictor: Any, detector: Published, folder: Path
    ) -> None:
        photo = (folder / "test" / "test_image.jpg").read_bytes()
        answer = predictor.detect_image(detector.project, detector.name, photo, application="shelf")
        token = {"order_by": "Newest", "application": "shelf"}
        kept = trainer.query_predictions(detector.project, token).results[0]
        assert [(each.tag_name, box(each)) for each in kept.predictions] == [
            (each.tag_name, box(each)) for each in answer.predictions
        ]


class TestSuggest:
    def test_boxes_for_a_photo_without_any(self, trainer: Any, detector: Published, folder: Path) -> None:
        entry = ImageFileCreateEntry(name="new", contents=(folder / "test" / "test_image.jpg").read_bytes())
        made = trainer.create_images_from_files(detector.project, ImageFileCreateBatch(images=[entry])).images[0]
        (said,) = trainer.suggest_tags_and_regions(detector.project, detector.iteration.id, [made.image.id])
        best = max(said.predictions, key=lambda each: each.probability)
        assert best.tag_name == "fork"
        assert intersection_over_union(box(best), FORK) >= 0.5
        assert 0 <= said.prediction_uncertainty <= 1
        found = trainer.query_suggested_images(detector.project, detector.iteration.id, {"threshold": 0.5})
        assert [result.id for result in found.results] == [made.image.id]
