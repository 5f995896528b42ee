"""A program that looks behind the figures of an iteration: which images it was judged on, and what was said of each."""

from collections import Counter
from datetime import datetime
from math import isclose
from typing import Any

import pytest
from tests.azure import sdk
from tests.azure.sdk import Published

pytestmark = pytest.mark.slow

COLOURS = ("red", "blue")


@pytest.fixture(scope="module")
def rows(trainer: Any, classifier: Published) -> list[Any]:
    return trainer.get_image_performances(classifier.project, classifier.iteration.id)


@pytest.fixture(scope="module")
def tags(trainer: Any, classifier: Published) -> dict[str, str]:
    return {tag.name: tag.id for tag in trainer.get_tags(classifier.project, classifier.iteration.id)}


class TestImages:
    def test_each_image_of_the_iteration_is_told_once(
        self, trainer: Any, classifier: Published, rows: list[Any]
    ) -> None:
        images = trainer.get_images(classifier.project, iteration_id=classifier.iteration.id)
        assert [row.id for row in rows] == [image.id for image in images]

    def test_with_its_tag_and_a_probability_for_each(self, rows: list[Any], tags: dict[str, str]) -> None:
        for row in rows:
            assert {each.tag_name: each.tag_id for each in row.predictions} == tags
            assert isclose(sum(each.probability for each in row.predictions), 1, abs_tol=1e-5)
            assert [tag.tag_name for tag in row.tags] in ([colour] for colour in COLOURS)

    def test_with_its_size_and_its_picture(self, rows: list[Any]) -> None:
        for row in rows:
            assert (row.width, row.height, row.regions) == (341, 256, None)
            assert isinstance(row.created, datetime)
        assert sdk.opened(rows[0].image_uri)
        assert sdk.opened(rows[0].thumbnail_uri)

    def test_a_confusion_matrix_can_be_made_of_it(self, rows: list[Any]) -> None:
        matrix = Counter((row.tags[0].tag_name, row.predictions[0].tag_name) for row in rows)
        assert matrix == {("red", "red"): 5, ("blue", "blue"): 5}


class TestPages:
    def test_hold_each_image_once_in_either_order(self, trainer: Any, classifier: Published, rows: list[Any]) -> None:
        def pages(order: str) -> list[str]:
            found = [
                trainer.get_image_performances(
                    classifier.project, classifier.iteration.id, order_by=order, take=4, skip=skip
                )
                for skip in (0, 4, 8)
            ]
            assert [len(page) for page in found] == [4, 4, 2]
            return [row.id for page in found for row in page]

        ids = [row.id for row in rows]
        assert (pages("Newest"), pages("Oldest")) == (ids, ids[::-1])

    def test_counts_are_those_of_the_tags_asked_for(
        self, trainer: Any, classifier: Published, tags: dict[str, str]
    ) -> None:
        of = (classifier.project, classifier.iteration.id)
        red = trainer.get_image_performances(*of, tag_ids=[tags["red"]])
        assert {tag.tag_name for row in red for tag in row.tags} == {"red"}
        assert trainer.get_image_performance_count(*of) == 10
        assert trainer.get_image_performance_count(*of, tag_ids=[tags["red"]]) == len(red) == 5
        assert trainer.get_image_performance_count(*of, tag_ids=list(tags.values())) == 10


class TestFigures:
    @pytest.mark.parametrize("threshold", [0.1, 0.5, 0.95])
    def test_are_what_the_images_add_up_to(
        self, trainer: Any, classifier: Published, rows: list[Any], threshold: float
    ) -> None:
        of = (classifier.project, classifier.iteration.id)
        figures = trainer.get_iteration_performance(*of, threshold=threshold, overlap_threshold=0.3)
        said = Counter(
            (each.tag_name, each.tag_name == row.tags[0].tag_name)
            for row in rows
            for each in row.predictions
            if each.probability >= threshold
        )
        for tag in figures.per_tag_performance:
            right, wrong = said[tag.name, True], said[tag.name, False]
            assert isclose(tag.recall, right / 5, abs_tol=1e-6)
            assert isclose(tag.precision, right / (right + wrong) if right else 0, abs_tol=1e-6)
            assert (tag.precision_std_deviation, tag.recall_std_deviation) == (0, 0)
