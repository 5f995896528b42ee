"""A program that trains again and again: chosen tags, Negative tags, an earlier iteration to start from, new names."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from azure.cognitiveservices.vision.customvision.training.models import CustomBaseModelInfo, ImageTagCreateEntry
from tests.azure import sdk
from tests.azure.sdk import Photo, Published
from tests.support.pictures import picture

pytestmark = pytest.mark.slow

GENERAL = "ee85a74c-405e-4adc-bb47-ffa8ca0c9f31"
COLOURS = ("red", "blue", "green")


def stocked(trainer: Any, colours: Sequence[str] = COLOURS, *, first: int) -> tuple[str, dict[str, str]]:
    """Make a project of colours; give its id and its tags."""
    project = sdk.new_project(trainer)
    tags = sdk.new_tags(trainer, project, colours)
    sdk.upload(trainer, project, sdk.coloured(colours, first=first), tags)
    return project, tags


@pytest.fixture(scope="module")
def project(trainer: Any) -> str:
    """A project of three tags with two iterations, the second of two tags."""
    project, tags = stocked(trainer, first=48_000)
    sdk.train(trainer, project)
    sdk.train(trainer, project, selected_tags=[tags["red"], tags["green"]])
    return project


def told(iteration: Any, *, besides: set[str]) -> dict[str, Any]:
    """All that an iteration tells, besides some of it."""
    return {name: value for name, value in iteration.as_dict().items() if name not in besides}


class TestOne:
    def test_tells_what_it_is(self, trainer: Any, classifier: Published) -> None:
        found = trainer.get_iteration(classifier.project, classifier.iteration.id)
        assert (found.name, found.status, found.project_id) == ("Iteration 1", "Completed", classifier.project)
        assert (found.domain_id, found.classification_type) == (GENERAL, "Multiclass")
        assert (found.exportable, found.exportable_to) == (True, sdk.PLATFORMS)
        assert (found.training_type, found.reserved_budget_in_hours) == ("Regular", 0)
        assert found.training_time_in_minutes == 1
        assert (found.custom_base_model_info, found.training_error_details) == (None, None)
        assert str(UUID(found.id)) == found.id
        assert found.created <= found.trained_at <= found.last_modified

    def test_while_it_trains_it_tells_less(self, trainer: Any) -> None:
        project, _ = stocked(trainer, first=47_000)
        begun = trainer.train_project(project)
        assert (begun.name, begun.status, begun.training_type) == ("Iteration 1", "Training", "Regular")
        assert (begun.exportable, begun.exportable_to, begun.training_time_in_minutes) == (False, None, 0)
        assert (begun.domain_id, begun.classification_type) == (None, None)
        assert (begun.trained_at, begun.publish_name, begun.original_publish_resource_id) == (None, None, None)


class TestAgain:
    def test_the_newest_is_listed_first(self, trainer: Any, project: str) -> None:
        second, first = trainer.get_iterations(project)
        assert (first.name, second.name) == ("Iteration 1", "Iteration 2")
        assert first.trained_at < second.trained_at

    def test_selected_tags_leave_the_others_out(self, trainer: Any, project: str) -> None:
        second, first = trainer.get_iterations(project)
        tags = {each.name: [tag.name for tag in trainer.get_tags(project, each.id)] for each in (first, second)}
        assert tags == {"Iteration 1": list(COLOURS), "Iteration 2": ["red", "green"]}
        answer = trainer.quick_test_image(project, picture(49_000, "green"), second.id)
        assert [each.tag_name for each in answer.predictions] == ["green", "red"]
        assert trainer.get_image_count(project, iteration_id=second.id) == 10

    def test_a_new_name_is_all_that_changes(self, trainer: Any, project: str) -> None:
        before = trainer.get_iterations(project)[1]
        renamed = trainer.update_iteration(project, before.id, "the one of May")
        assert renamed.as_dict() == trainer.get_iteration(project, before.id).as_dict()
        assert renamed.name == "the one of May"
        changed = {"name", "last_modified"}
        assert told(renamed, besides=changed) == told(before, besides=changed)
        trainer.update_iteration(project, before.id, before.name)

    def test_with_overwrite_a_name_moves_to_the_newer_one(self, trainer: Any, predictor: Any, project: str) -> None:
        second, first = trainer.get_iterations(project)
        trainer.publish_iteration(project, first.id, "moves", sdk.RESOURCE)
        data = picture(49_001, "blue")
        assert predictor.classify_image(project, "moves", data).iteration == first.id
        assert trainer.publish_iteration(project, second.id, "moves", sdk.RESOURCE, overwrite=True) is True
        assert predictor.classify_image(project, "moves", data).iteration == second.id
        assert trainer.get_iteration(project, first.id).publish_name is None
        trainer.unpublish_iteration(project, second.id)


class TestBase:
    def test_an_iteration_of_another_project_is_a_start(self, trainer: Any, classifier: Published) -> None:
        project, _ = stocked(trainer, ("red", "blue"), first=50_000)
        base = CustomBaseModelInfo(project_id=classifier.project, iteration_id=classifier.iteration.id)
        iteration = sdk.train(trainer, project, custom_base_model_info=base)
        assert iteration.custom_base_model_info.as_dict() == base.as_dict()
        assert trainer.get_image_count(project, iteration_id=iteration.id) == 10
        answer = trainer.quick_test_image(project, picture(49_002, "blue"), iteration.id)
        assert answer.predictions[0].tag_name == "blue"


class TestNegative:
    def test_a_negative_tag_is_told_with_its_type(self, trainer: Any) -> None:
        project = sdk.new_project(trainer, "Multilabel")
        tags = sdk.new_tags(trainer, project, ("red", "blue"))
        tags["none"] = trainer.create_tag(project, "none", type="Negative").id
        green = [Photo(f"none-{n}.png", picture(51_000 + n, "green"), ("none",)) for n in range(5)]
        sdk.upload(trainer, project, [*sdk.coloured(first=52_000), *green], tags)
        iteration = sdk.train(trainer, project)
        known = {tag.name: (tag.type, tag.image_count) for tag in trainer.get_tags(project, iteration.id)}
        assert known == {"red": ("Regular", 5), "blue": ("Regular", 5), "none": ("Negative", 5)}
        best = trainer.quick_test_image(project, picture(51_900, "green"), iteration.id).predictions[0]
        assert (best.tag_name, best.tag_type, best.tag_id) == ("none", "Negative", tags["none"])
        figures = trainer.get_iteration_performance(project, iteration.id, threshold=0.5)
        assert [row.name for row in figures.per_tag_performance] == ["red", "blue", "none"]


class TestImageTags:
    def test_a_second_tag_exceeds_what_a_multiclass_image_bears(self, trainer: Any) -> None:
        project, tags = stocked(trainer, ("red", "blue"), first=53_000)
        bare = sdk.upload(trainer, project, [Photo("bare.png", picture(53_900), ())], {})[0].image.id
        red = trainer.get_tagged_images(project, tag_ids=[tags["red"]])[0].id
        pairs = [(bare, "blue"), (red, "red"), (red, "blue")]
        summary = trainer.create_image_tags(
            project, [ImageTagCreateEntry(image_id=image, tag_id=tags[name]) for image, name in pairs]
        )
        outcome = [
            [(entry.image_id, entry.tag_id) for entry in entries]
            for entries in (summary.created, summary.duplicated, summary.exceeded)
        ]
        assert outcome == [[(image, tags[name])] for image, name in pairs]
