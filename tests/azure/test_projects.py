"""A program that keeps house: domains to choose from, projects with settings, tags with descriptions."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from azure.cognitiveservices.vision.customvision.training.models import (
    ImageProcessingSettings,
    ProjectSettings,
    Tag,
)
from tests.azure import sdk
from tests.azure.sdk import Photo
from tests.support.pictures import picture

pytestmark = pytest.mark.slow

GENERAL = "ee85a74c-405e-4adc-bb47-ffa8ca0c9f31"
FOOD = "c151d5b5-dd07-472a-acc8-15d29dea8518"
AUGMENTATIONS = {
    "rotation",
    "scaling",
    "translation",
    "horizontal flip",
    "equalize",
    "solarize",
    "padtosquare",
}


@pytest.fixture(scope="module")
def project(trainer: Any) -> str:
    return sdk.new_project(trainer)


class TestDomains:
    def test_are_listed_as_the_service_lists_them(self, trainer: Any) -> None:
        found = trainer.get_domains()
        kinds = [domain.type for domain in found]
        assert (kinds.count("Classification"), kinds.count("ObjectDetection")) == (12, 6)
        assert [domain.name for domain in found[:5]] == ["General", "Food", "Landmarks", "Retail", "Adult"]
        assert len({domain.id for domain in found}) == len(found)

    def test_one_by_its_id_is_as_it_is_listed(self, trainer: Any) -> None:
        for listed in trainer.get_domains():
            assert trainer.get_domain(listed.id).as_dict() == listed.as_dict()

    def test_tells_what_an_export_weighs(self, trainer: Any) -> None:
        domain = trainer.get_domain(GENERAL)
        assert (domain.exportable, domain.enabled, domain.exportable_platforms) == (True, True, sdk.PLATFORMS)
        assert domain.model_information.estimated_model_size_in_megabytes == 12
        assert domain.model_information.description


class TestCreate:
    def test_without_a_wish_it_is_multilabel_and_general(self, trainer: Any) -> None:
        name = sdk.new_name()
        project = trainer.create_project(name)
        assert (project.name, project.description, project.status) == (name, "", "Succeeded")
        assert (project.settings.domain_id, project.settings.classification_type) == (GENERAL, "Multilabel")
        assert (project.settings.target_export_platforms, project.settings.use_negative_set) == ([], True)
        assert project.settings.detection_parameters is None
        methods = project.settings.image_processing_settings.augmentation_methods
        assert methods == dict.fromkeys(AUGMENTATIONS, True)
        assert (project.thumbnail_uri, project.dr_mode_enabled) == (None, False)

    def test_its_id_is_text_and_its_moments_are_moments(self, trainer: Any) -> None:
        project = trainer.create_project(sdk.new_name())
        assert str(UUID(project.id)) == project.id
        assert project.created == project.last_modified
        assert abs(datetime.now(UTC) - project.created) < timedelta(minutes=5)

    def test_wishes_are_kept(self, trainer: Any) -> None:
        project = trainer.create_project(
            sdk.new_name(),
            description="weißblau & co, 100 %",
            domain_id=FOOD,
            classification_type="Multiclass",
            target_export_platforms=["ONNX", "CoreML"],
        )
        found = trainer.get_project(project.id)
        assert found.as_dict() == project.as_dict()
        assert (found.description, found.settings.domain_id) == ("weißblau & co, 100 %", FOOD)
        assert (found.settings.classification_type, found.settings.target_export_platforms) == (
            "Multiclass",
            ["ONNX", "CoreML"],
        )

    def test_the_newest_is_listed_first(self, trainer: Any) -> None:
        ids = [sdk.new_project(trainer) for _ in range(2)]
        assert [project.id for project in trainer.get_projects()[:2]] == ids[::-1]

    def test_its_first_picture_is_its_face(self, trainer: Any) -> None:
        project = sdk.new_project(trainer)
        photos = [Photo(f"{n}.png", picture(46_000 + n), ()) for n in range(2)]
        first, _ = (sdk.upload(trainer, project, [photo], {})[0].image for photo in photos)
        shown = trainer.get_project(project).thumbnail_uri
        assert sdk.opened(shown) == sdk.opened(first.thumbnail_uri)


class TestUpdate:
    def test_name_description_and_settings_change(self, trainer: Any) -> None:
        project = trainer.get_project(sdk.new_project(trainer))
        project.name, project.description = sdk.new_name("renamed"), "new"
        project.settings.domain_id, project.settings.classification_type = FOOD, "Multilabel"
        updated = trainer.update_project(project.id, project)
        assert updated.as_dict() == trainer.get_project(project.id).as_dict()
        assert (updated.name, updated.description) == (project.name, "new")
        assert (updated.settings.domain_id, updated.settings.classification_type) == (FOOD, "Multilabel")
        assert (updated.created, updated.last_modified >= project.last_modified) == (project.created, True)

    def test_what_is_not_named_stays(self, trainer: Any) -> None:
        project = trainer.get_project(sdk.new_project(trainer, description="kept"))
        project.settings = ProjectSettings(
            image_processing_settings=ImageProcessingSettings(augmentation_methods={"rotation": False})
        )
        updated = trainer.update_project(project.id, project).settings
        assert (updated.domain_id, updated.classification_type) == (GENERAL, "Multiclass")
        methods = updated.image_processing_settings.augmentation_methods
        assert {name for name, used in methods.items() if not used} == {"rotation"}


class TestTags:
    def test_one_is_as_it_was_made(self, trainer: Any, project: str) -> None:
        tag = trainer.create_tag(project, "scratch", description="deeper than 1 µm", type="Regular")
        assert (tag.name, tag.description, tag.type, tag.image_count) == (
            "scratch",
            "deeper than 1 µm",
            "Regular",
            0,
        )
        assert trainer.get_tag(project, tag.id).as_dict() == tag.as_dict()

    def test_without_a_wish_it_is_regular_and_undescribed(self, trainer: Any, project: str) -> None:
        tag = trainer.create_tag(project, "dent")
        assert (tag.description, tag.type) == (None, "Regular")

    def test_they_are_listed_in_the_order_of_their_making(self, trainer: Any) -> None:
        project = sdk.new_project(trainer)
        made = sdk.new_tags(trainer, project, ("c", "a", "b"))
        assert {tag.name: tag.id for tag in trainer.get_tags(project)} == made
        assert [tag.name for tag in trainer.get_tags(project)] == ["c", "a", "b"]

    def test_name_description_and_type_change(self, trainer: Any, project: str) -> None:
        tag = trainer.create_tag(project, "hole")
        trainer.update_tag(project, tag.id, Tag(name="no hole", description="all is well", type="Negative"))
        found = trainer.get_tag(project, tag.id)
        assert (found.id, found.name, found.description, found.type) == (tag.id, "no hole", "all is well", "Negative")

    def test_it_counts_its_images_now_and_as_they_were_trained(self, trainer: Any) -> None:
        project, iteration = sdk.trained_project(trainer)
        red = trainer.get_tags(project)[0]
        (first, *_) = trainer.get_tagged_images(project, tag_ids=[red.id])
        trainer.delete_image_tags(project, [first.id], [red.id])
        trainer.update_tag(project, red.id, Tag(name="crimson", description="", type="Regular"))
        now, then = trainer.get_tag(project, red.id), trainer.get_tag(project, red.id, iteration_id=iteration.id)
        assert (now.name, now.image_count) == ("crimson", 4)
        assert (then.name, then.image_count) == ("red", 5)
