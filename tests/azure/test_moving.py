"""A program that carries projects from one server to another."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
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
from tests.azure.sdk import Photo
from tests.slow.remote import until
from tests.support.pictures import picture
from tests.support.server import Server

pytestmark = pytest.mark.slow

BOX = {"left": 0.125, "top": 0.25, "width": 0.375, "height": 0.5}
MANY = 3 * sdk.BATCH


@dataclass(frozen=True)
class Side:
    """A server with its clients."""

    server: Server
    trainer: Any
    predictor: Any

    def imported(self, token: str, **more: str) -> Any:
        """Import and poll until it has ended."""
        return self.ended(self.trainer.import_project(token, **more))

    def ended(self, project: Any) -> Any:
        until(lambda: self.trainer.get_project(project.id).status != "Importing")
        return self.trainer.get_project(project.id)

    def blobs(self) -> int:
        """Count the pictures that lie on the disk of this server."""
        return sum(path.is_file() for path in (self.server.data / "blobs" / "images").rglob("*"))


@pytest.fixture(scope="module")
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def side(stack: ExitStack, server: Server) -> Side:
    return Side(server, stack.enter_context(sdk.trainer_of(server)), stack.enter_context(sdk.predictor_of(server)))


@pytest.fixture(scope="module")
def here(stack: ExitStack, server: Server) -> Side:
    return side(stack, server)


@pytest.fixture(scope="module")
def there(stack: ExitStack, tmp_path_factory: pytest.TempPathFactory) -> Side:
    """A second server, which may fetch from the first."""
    data = tmp_path_factory.mktemp("there")
    return side(stack, stack.enter_context(Server(data, {"FOVEAL_FETCH_ALLOWED_HOSTS": "127.0.0.1"})))


@dataclass(frozen=True)
class Moved:
    """A project as it is here, what its export told, and its copy there."""

    project: Any
    exported: Any
    copy: Any


@pytest.fixture(scope="module")
def classifier(here: Side, there: Side) -> Moved:
    """Two iterations, the first named and published; a note, an untagged image, a Negative tag without images."""
    trainer = here.trainer
    project, first = sdk.trained_project(trainer)
    trainer.update_iteration(project, first.id, "the first")
    trainer.publish_iteration(project, first.id, "live", sdk.RESOURCE)
    trainer.update_image_metadata(project, [trainer.get_images(project)[0].id], {"line": "7"})
    trainer.create_tag(project, "none", description="nothing to see", type="Negative")
    sdk.upload(trainer, project, [Photo("bare.png", picture(60_000), ())], {})
    sdk.train(trainer, project, force_train=True, selected_tags=[tag.id for tag in trainer.get_tags(project)[:2]])
    exported = trainer.export_project(project)
    return Moved(trainer.get_project(project), exported, there.imported(exported.token))


@pytest.fixture(scope="module")
def detector(here: Side, there: Side) -> Moved:
    trainer = here.trainer
    project = sdk.new_detector(trainer, description="forks")
    (tag,) = sdk.new_tags(trainer, project, ["fork"]).values()
    regions = [Region(tag_id=tag, **{**BOX, "left": left}) for left in (0.125, 0.5)]
    entry = ImageFileCreateEntry(name="a.png", contents=picture(60_001), regions=regions)
    trainer.create_images_from_files(project, ImageFileCreateBatch(images=[entry]))
    exported = trainer.export_project(project)
    return Moved(trainer.get_project(project), exported, there.imported(exported.token, name="forks elsewhere"))


class TestExport:
    def test_tells_what_a_copy_would_hold(self, classifier: Moved, detector: Moved) -> None:
        counts = [
            (told.iteration_count, told.image_count, told.tag_count, told.region_count)
            for told in (classifier.exported, detector.exported)
        ]
        # Tags and regions count once for the workspace and once for each iteration.
        assert counts == [(2, 11, 3 + 2 + 2, 0), (0, 1, 1, 2)]

    def test_tells_how_long_it_will_take_and_gives_a_link(self, here: Side, classifier: Moved) -> None:
        assert 1_000 < classifier.exported.estimated_import_time_in_ms < 10_000
        assert classifier.exported.token.startswith(here.server.endpoint)


class TestCopy:
    def test_has_name_description_and_settings(self, classifier: Moved, detector: Moved) -> None:
        for moved in (classifier, detector):
            assert moved.copy.status == "Succeeded"
            assert moved.copy.id != moved.project.id
            assert moved.copy.description == moved.project.description
            assert moved.copy.settings.as_dict() == moved.project.settings.as_dict()
        assert (classifier.copy.name, detector.copy.name) == (classifier.project.name, "forks elsewhere")

    def test_has_the_same_images(self, here: Side, there: Side, classifier: Moved) -> None:
        old, new = (self.images(*at) for at in ((here, classifier.project), (there, classifier.copy)))
        assert len(old) == 11
        assert old == new

    def images(self, side: Side, project: Any) -> list[Any]:
        """All that an image tells, without ids and links."""
        return [
            (
                sdk.opened(image.original_image_uri),
                sdk.opened(image.resized_image_uri),
                (image.created, image.width, image.height),
                image.metadata,
                [tag.tag_name for tag in image.tags or []],
            )
            for image in side.trainer.get_images(project.id)
        ]

    def test_has_the_same_tags(self, here: Side, there: Side, classifier: Moved) -> None:
        old, new = (
            [(tag.name, tag.description, tag.type, tag.image_count) for tag in side.trainer.get_tags(project.id)]
            for side, project in ((here, classifier.project), (there, classifier.copy))
        )
        assert old == new
        assert old[-1] == ("none", "nothing to see", "Negative", 0)

    def test_has_the_same_regions(self, there: Side, detector: Moved) -> None:
        (image,) = there.trainer.get_images(detector.copy.id)
        (tag,) = there.trainer.get_tags(detector.copy.id)
        assert [(region.tag_name, region.tag_id) for region in image.regions] == [("fork", tag.id)] * 2
        assert sorted(region.left for region in image.regions) == [0.125, 0.5]
        assert {(region.top, region.width, region.height) for region in image.regions} == {(0.25, 0.375, 0.5)}

    def test_has_the_same_iterations_none_published(self, here: Side, there: Side, classifier: Moved) -> None:
        old, new = (
            side.trainer.get_iterations(project.id)
            for side, project in ((here, classifier.project), (there, classifier.copy))
        )
        kept = ("name", "status", "created", "trained_at", "training_time_in_minutes", "classification_type")
        assert [[getattr(each, name) for name in kept] for each in new] == [
            [getattr(each, name) for name in kept] for each in old
        ]
        assert [each.name for each in new] == ["Iteration 2", "the first"]
        assert {each.publish_name for each in new} == {None}
        assert {each.project_id for each in new} == {classifier.copy.id}

    def test_predicts_and_is_judged_as_the_original(self, here: Side, there: Side, classifier: Moved) -> None:
        at = ((here, classifier.project.id), (there, classifier.copy.id))
        old, new = ([each.id for each in side.trainer.get_iterations(project)] for side, project in at)
        data = picture(60_900, "blue")
        for pair in zip(old, new, strict=True):
            answers, figures = [], []
            for (side, project), iteration in zip(at, pair, strict=True):
                answer = side.trainer.quick_test_image(project, data, iteration, store=False)
                answers.append([(each.tag_name, each.probability) for each in answer.predictions])
                judged = side.trainer.get_iteration_performance(project, iteration, threshold=0.5)
                figures.append((judged.precision, judged.recall, judged.average_precision))
            assert answers[0] == answers[1]
            assert figures[0] == figures[1]

    def test_publishes_its_own_names(self, there: Side, classifier: Moved) -> None:
        iteration = there.trainer.get_iterations(classifier.copy.id)[0]
        there.trainer.publish_iteration(classifier.copy.id, iteration.id, "live", sdk.RESOURCE)
        answer = there.predictor.classify_image(classifier.copy.id, "live", picture(60_901, "red"))
        assert answer.predictions[0].tag_name == "red"
        assert {each.tag_id for each in answer.predictions} <= {
            tag.id for tag in there.trainer.get_tags(classifier.copy.id)
        }
        there.trainer.unpublish_iteration(classifier.copy.id, iteration.id)

    def test_another_one_gets_a_number(self, there: Side, classifier: Moved) -> None:
        assert there.imported(classifier.exported.token).name == f"{classifier.project.name} (1)"

    def test_one_beside_the_original_needs_no_way_over_the_network(self, here: Side, detector: Moved) -> None:
        copy = here.imported(detector.exported.token)
        assert (copy.status, copy.name) == ("Succeeded", f"{detector.project.name} (1)")
        assert here.trainer.get_image_count(copy.id) == 1


class TestRefused:
    def test_by_a_server_that_may_not_fetch_there(self, here: Side, detector: Moved, tmp_path: Path) -> None:
        token = here.trainer.export_project(detector.project.id).token
        with Server(tmp_path, arguments=("--no-worker",)) as server, sdk.trainer_of(server) as trainer:
            status, code, message = refusal(lambda: trainer.import_project(token))
            assert (status, code) == (400, "BadRequestInvalidImportToken")
            assert "FOVEAL_FETCH_ALLOWED_HOSTS" in message
            assert trainer.get_projects() == []


class TestBrokenOff:
    def test_it_fails_with_nothing_half_done_and_can_be_begun_again(self, there: Side, tmp_path: Path) -> None:
        first = Server(tmp_path, arguments=("--no-worker",))
        with first, sdk.trainer_of(first) as trainer:
            project = sdk.new_project(trainer)
            photos = [Photo(f"{n}.png", picture(61_000 + n), ("red",)) for n in range(MANY)]
            sdk.upload(trainer, project, photos, sdk.new_tags(trainer, project, ["red"]))
            there_before = there.blobs()
            begun = there.trainer.import_project(trainer.export_project(project).token)
            until(lambda: there.blobs() > there_before)
            first.kill()
        assert there.ended(begun).status == "Failed"
        assert there.trainer.get_image_count(begun.id) == 0
        assert (there.trainer.get_tags(begun.id), there.trainer.get_iterations(begun.id)) == ([], [])
        with first, sdk.trainer_of(first) as trainer:
            copy = there.imported(trainer.export_project(project).token, name=sdk.new_name("second try"))
        assert copy.status == "Succeeded"
        assert there.trainer.get_image_count(copy.id) == MANY
