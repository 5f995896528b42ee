"""A program that takes down all it has built, piece by piece, and finds nothing left."""

from collections.abc import Iterator
from typing import Any

import pytest
from azure.cognitiveservices.vision.customvision.training.models import CustomVisionErrorException
from tests.azure import sdk

pytestmark = pytest.mark.slow

NAME = "short-lived"


@pytest.fixture
def built(trainer: Any) -> Iterator[tuple[str, str]]:
    project, iteration = sdk.trained_project(trainer)
    trainer.publish_iteration(project, iteration.id, NAME, sdk.RESOURCE)
    return project, iteration.id


class TestDeleting:
    def test_piece_by_piece_leaves_nothing(self, trainer: Any, built: tuple[str, str]) -> None:
        project, iteration = built
        trainer.delete_images(project, all_images=True, all_iterations=True)
        assert trainer.get_image_count(project) == 0
        assert trainer.get_images(project, iteration_id=iteration) == []
        for tag in trainer.get_tags(project):
            trainer.delete_tag(project, tag.id)
        assert trainer.get_tags(project) == []
        trainer.unpublish_iteration(project, iteration)
        trainer.delete_iteration(project, iteration)
        assert trainer.get_iterations(project) == []
        trainer.delete_project(project)
        assert project not in {known.id for known in trainer.get_projects()}

    def test_a_project_takes_all_it_holds_with_it(self, trainer: Any, predictor: Any, built: tuple[str, str]) -> None:
        project, iteration = built
        trainer.unpublish_iteration(project, iteration)
        trainer.delete_project(project)
        with pytest.raises(CustomVisionErrorException, match="does not exist"):
            trainer.get_iteration(project, iteration)
        with pytest.raises(Exception, match="does not exist"):
            predictor.classify_image(project, NAME, sdk.coloured()[0].data)

    def test_images_of_an_iteration_outlive_the_workspace(self, trainer: Any, built: tuple[str, str]) -> None:
        project, iteration = built
        ids = [image.id for image in trainer.get_images(project)]
        trainer.delete_images(project, image_ids=ids)
        assert trainer.get_image_count(project) == 0
        assert trainer.get_image_count(project, iteration_id=iteration) == len(ids)

    def test_a_tag_stays_with_the_iteration(self, trainer: Any, built: tuple[str, str]) -> None:
        project, iteration = built
        for tag in trainer.get_tags(project):
            trainer.delete_tag(project, tag.id)
        assert [tag.name for tag in trainer.get_tags(project, iteration)] == ["red", "blue"]
        assert trainer.get_image_count(project, tagging_status="Untagged") == 10

    def test_an_unpublished_name_can_be_used_again(self, trainer: Any, built: tuple[str, str]) -> None:
        project, iteration = built
        trainer.unpublish_iteration(project, iteration)
        assert trainer.publish_iteration(project, iteration, NAME, sdk.RESOURCE) is True
