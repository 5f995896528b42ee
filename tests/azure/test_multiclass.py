"""A program that uploads by 64, polls until Completed, reads the figures, publishes, classifies and exports."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from math import isclose
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from tests.azure import sdk
from tests.azure.sdk import Photo

from foveal import samples

pytestmark = pytest.mark.slow

TRAINED_ON = 35
NAME = "inspector"


@dataclass(frozen=True)
class Story:
    """What is there once the program has run up to the publishing."""

    project: str
    results: list[Any]
    iteration: Any
    unseen: list[Photo]


@pytest.fixture(scope="module")
def story(trainer: Any) -> Iterator[Story]:
    drawn = samples.dataset(seed=7, per_tag=TRAINED_ON + 3)
    photos = [Photo(f"{tag}-{n}.jpg", data, (tag,)) for tag, all in drawn.items() for n, data in enumerate(all)]
    unseen = [photo for photo in photos if int(photo.name.split("-")[1].removesuffix(".jpg")) >= TRAINED_ON]
    project = sdk.new_project(trainer, description="parts, good and scratched")
    tags = sdk.new_tags(trainer, project, samples.TAGS)
    results = sdk.upload(trainer, project, [photo for photo in photos if photo not in unseen], tags)
    iteration = sdk.train(trainer, project)
    assert trainer.publish_iteration(project, iteration.id, NAME, sdk.RESOURCE) is True
    yield Story(project, results, iteration, unseen)
    trainer.unpublish_iteration(project, iteration.id)


@pytest.fixture(scope="module")
def archive(trainer: Any, story: Story) -> Iterator[ZipFile]:
    with sdk.export(trainer, story.project, story.iteration.id) as archive:
        yield archive


class TestUpload:
    def test_answers_for_each_picture_in_the_order_sent(self, story: Story) -> None:
        names = [f"{tag}-{n}.jpg" for tag in samples.TAGS for n in range(TRAINED_ON)]
        assert [result.source_url for result in story.results] == names

    def test_counts_them_all(self, trainer: Any, story: Story) -> None:
        assert trainer.get_image_count(story.project, tagging_status="Tagged") == 2 * TRAINED_ON
        assert [tag.image_count for tag in trainer.get_tags(story.project)] == [TRAINED_ON, TRAINED_ON]

    def test_pages_hold_each_image_once(self, trainer: Any, story: Story) -> None:
        pages = [trainer.get_tagged_images(story.project, take=32, skip=skip) for skip in (0, 32, 64)]
        assert [len(page) for page in pages] == [32, 32, 2 * TRAINED_ON - 64]
        assert {image.id for page in pages for image in page} == {result.image.id for result in story.results}


class TestTraining:
    def test_ends_in_an_iteration_that_tells_what_it_is(self, trainer: Any, story: Story) -> None:
        iteration = trainer.get_iteration(story.project, story.iteration.id)
        assert (iteration.name, iteration.status) == ("Iteration 1", "Completed")
        assert (iteration.classification_type, iteration.training_type) == ("Multiclass", "Regular")
        assert (iteration.publish_name, iteration.original_publish_resource_id) == (NAME, sdk.RESOURCE)
        assert iteration.trained_at >= iteration.created

    def test_reports_precision_and_recall_for_all_and_for_each_tag(self, trainer: Any, story: Story) -> None:
        found = trainer.get_iteration_performance(story.project, story.iteration.id, threshold=0.5)
        assert [row.name for row in found.per_tag_performance] == list(samples.TAGS)
        for row in (found, *found.per_tag_performance):
            for value in (row.precision, row.recall, row.average_precision):
                assert 0.5 < value <= 1

    def test_recall_falls_as_the_threshold_rises(self, trainer: Any, story: Story) -> None:
        recalls = [
            trainer.get_iteration_performance(story.project, story.iteration.id, threshold=threshold).recall
            for threshold in (0.0, 0.5, 1.0)
        ]
        assert recalls == sorted(recalls, reverse=True)
        assert recalls[0] == 1


class TestClassify:
    def test_names_the_tag_of_photos_it_has_not_seen(self, predictor: Any, story: Story) -> None:
        answers = [predictor.classify_image(story.project, NAME, photo.data) for photo in story.unseen]
        right = sum(
            answer.predictions[0].tag_name in photo.tags for answer, photo in zip(answers, story.unseen, strict=True)
        )
        assert right >= len(story.unseen) - 1

    @pytest.mark.parametrize("operation", ["classify_image", "classify_image_with_no_store"])
    def test_takes_bytes_a_stream_and_a_file(
        self, predictor: Any, story: Story, tmp_path: Path, operation: str
    ) -> None:
        data = story.unseen[0].data
        path = tmp_path / "photo.jpg"
        path.write_bytes(data)
        classify = getattr(predictor, operation)
        with path.open("rb") as file:
            answers = [classify(story.project, NAME, source) for source in (data, BytesIO(data), file)]
        found = [[(one.tag_name, one.probability) for one in answer.predictions] for answer in answers]
        assert found[0] == found[1] == found[2]

    def test_probabilities_are_sorted_and_sum_to_one(self, predictor: Any, story: Story) -> None:
        for photo in story.unseen:
            answer = predictor.classify_image_with_no_store(story.project, NAME, photo.data)
            values = [one.probability for one in answer.predictions]
            assert values == sorted(values, reverse=True)
            assert isclose(sum(values), 1, abs_tol=1e-5)

    def test_the_answer_has_the_id_of_the_request(self, predictor: Any, story: Story) -> None:
        raw = predictor.classify_image(story.project, NAME, story.unseen[0].data, application="tests", raw=True)
        headers = raw.response.headers
        assert raw.output.id == headers["Request-Id"] == headers["apim-request-id"]

    def test_the_answer_names_project_iteration_and_tags(self, trainer: Any, predictor: Any, story: Story) -> None:
        answer = predictor.classify_image(story.project, NAME, story.unseen[0].data)
        assert (answer.project, answer.iteration) == (story.project, story.iteration.id)
        known = {(tag.id, tag.name, "Regular") for tag in trainer.get_tags(story.project)}
        assert {(one.tag_id, one.tag_name, one.tag_type) for one in answer.predictions} == known
        assert all(one.bounding_box is None for one in answer.predictions)


class TestExport:
    def test_holds_the_labels_in_the_order_of_the_outputs(self, archive: ZipFile) -> None:
        assert archive.read("labels.txt").decode().split() == list(samples.TAGS)

    def test_answers_as_the_service_does(self, predictor: Any, story: Story, archive: ZipFile) -> None:
        session = onnxruntime.InferenceSession(archive.read("model.onnx"), providers=["CPUExecutionProvider"])
        side = session.get_inputs()[0].shape[2]
        for photo in story.unseen:
            fitted = Image.open(BytesIO(photo.data)).convert("RGB").resize((side, side))
            tensor = np.asarray(fitted, np.float32).transpose(2, 0, 1)[None]
            ours = session.run(None, {session.get_inputs()[0].name: tensor})[0][0]
            answer = predictor.classify_image_with_no_store(story.project, NAME, _png(fitted))
            served = {one.tag_name: one.probability for one in answer.predictions}
            assert np.allclose(ours, [served[tag] for tag in samples.TAGS], atol=1e-4)


def _png(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
