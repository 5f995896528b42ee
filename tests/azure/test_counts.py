"""A program that counts and pages through what is tagged and what is not, in the workspace and in an iteration."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from tests.azure import sdk
from tests.azure.sdk import Photo
from tests.support.pictures import picture

pytestmark = pytest.mark.slow

UNTAGGED = 5


@dataclass(frozen=True)
class Stock:
    """Five red and five blue images, trained; later one red was untagged and five untagged ones came."""

    project: str
    iteration: str
    tags: dict[str, str]
    untagged: list[str]
    """Ids of the five, oldest first."""
    freed: str
    """The red one that is untagged now."""


@pytest.fixture(scope="module")
def stock(trainer: Any) -> Stock:
    project, iteration = sdk.trained_project(trainer)
    tags = {tag.name: tag.id for tag in trainer.get_tags(project)}
    freed = trainer.get_tagged_images(project, tag_ids=[tags["red"]])[0].id
    trainer.delete_image_tags(project, [freed], [tags["red"]])
    photos = [Photo(f"{n}.png", picture(42_000 + n), ()) for n in range(UNTAGGED)]
    untagged = [sdk.upload(trainer, project, [photo], {})[0].image.id for photo in photos]
    return Stock(project, iteration.id, tags, untagged, freed)


class TestCounts:
    def test_tagged_and_untagged_make_up_all(self, trainer: Any, stock: Stock) -> None:
        counts = (
            trainer.get_tagged_image_count(stock.project),
            trainer.get_untagged_image_count(stock.project),
            trainer.get_image_count(stock.project),
        )
        assert counts == (9, 6, 15)

    def test_of_several_tags_any_counts(self, trainer: Any, stock: Stock) -> None:
        red, blue = stock.tags["red"], stock.tags["blue"]
        counts = [trainer.get_tagged_image_count(stock.project, tag_ids=ids) for ids in ([red], [blue], [red, blue])]
        assert counts == [4, 5, 9]
        assert trainer.get_image_count(stock.project, tag_ids=[red, blue]) == 9

    def test_an_iteration_remembers_what_was_tagged(self, trainer: Any, stock: Stock) -> None:
        of_iteration = {"iteration_id": stock.iteration}
        assert trainer.get_tagged_image_count(stock.project, **of_iteration) == 10
        assert trainer.get_tagged_image_count(stock.project, tag_ids=[stock.tags["red"]], **of_iteration) == 5
        assert trainer.get_untagged_image_count(stock.project, **of_iteration) == 0
        assert trainer.get_untagged_images(stock.project, **of_iteration) == []

    def test_each_status_counts_its_own(self, trainer: Any, stock: Stock) -> None:
        counts = {
            status: trainer.get_image_count(stock.project, tagging_status=status)
            for status in ("All", "Tagged", "Untagged")
        }
        assert counts == {"All": 15, "Tagged": 9, "Untagged": 6}


class TestUntagged:
    def test_newest_come_first_unless_asked_otherwise(self, trainer: Any, stock: Stock) -> None:
        oldest_first = [stock.freed, *stock.untagged]
        newest = [image.id for image in trainer.get_untagged_images(stock.project)]
        oldest = [image.id for image in trainer.get_untagged_images(stock.project, order_by="Oldest")]
        assert (newest, oldest) == (oldest_first[::-1], oldest_first)

    def test_pages_hold_each_image_once(self, trainer: Any, stock: Stock) -> None:
        pages = [trainer.get_untagged_images(stock.project, take=4, skip=skip) for skip in (0, 4, 8)]
        assert [len(page) for page in pages] == [4, 2, 0]
        assert {image.id for page in pages for image in page} == {stock.freed, *stock.untagged}

    def test_each_tells_what_it_is_and_opens(self, trainer: Any, stock: Stock) -> None:
        image = trainer.get_untagged_images(stock.project)[0]
        assert str(UUID(image.id)) == image.id
        assert isinstance(image.created, datetime)
        assert (image.tags, image.regions, image.metadata) == (None, None, None)
        assert sdk.opened(image.original_image_uri) == picture(42_000 + UNTAGGED - 1)
        assert sdk.opened(image.thumbnail_uri)


class TestTagged:
    def test_a_page_names_the_tags(self, trainer: Any, stock: Stock) -> None:
        page = trainer.get_tagged_images(stock.project, tag_ids=[stock.tags["red"]], order_by="Oldest", take=3)
        assert [[(tag.tag_name, tag.tag_id) for tag in image.tags] for image in page] == [
            [("red", stock.tags["red"])]
        ] * 3
        assert [image.created for image in page] == sorted(image.created for image in page)

    def test_take_nothing_is_an_empty_page(self, trainer: Any, stock: Stock) -> None:
        assert trainer.get_tagged_images(stock.project, take=0) == []

    def test_ids_come_back_in_the_order_asked_for(self, trainer: Any, stock: Stock) -> None:
        wanted = [stock.untagged[3], stock.freed, stock.untagged[0]]
        assert [image.id for image in trainer.get_images_by_ids(stock.project, wanted)] == wanted
