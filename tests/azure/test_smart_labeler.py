"""A program that has a model suggest tags for new pictures, confirms them, and trains again: the Smart Labeler."""

from dataclasses import dataclass
from math import isclose, log2
from typing import Any

import pytest
from azure.cognitiveservices.vision.customvision.training.models import (
    ImageTagCreateEntry,
    SuggestedTagAndRegionQueryToken,
)
from tests.azure import sdk
from tests.azure.scene import refusal
from tests.azure.sdk import Photo
from tests.support.pictures import picture

pytestmark = pytest.mark.slow

COLOURS = ("red", "blue", "red", "red", "blue")


@dataclass(frozen=True)
class Story:
    """What the program saw on its way."""

    project: str
    iteration: str
    tags: dict[str, str]
    untagged: list[str]
    """Ids of the new pictures, oldest first; their colours are those above."""
    before: Any
    """The counts before anything was suggested."""
    suggestions: list[Any]
    counts: Any
    pages: list[Any]
    confirmed: str
    after: Any
    """Counts and suggestions once one image was tagged."""
    second: Any
    """The iteration trained on what was confirmed."""


@pytest.fixture(scope="module")
def story(trainer: Any) -> Story:
    project, iteration = sdk.trained_project(trainer, "Multilabel")
    tags = {tag.name: tag.id for tag in trainer.get_tags(project)}
    photos = [Photo(f"{n}.png", picture(45_000 + n, colour), ()) for n, colour in enumerate(COLOURS)]
    sdk.upload(trainer, project, photos, {})
    assert trainer.get_untagged_image_count(project) == len(COLOURS)
    untagged = [image.id for image in trainer.get_untagged_images(project, order_by="Oldest")]
    before = trainer.query_suggested_image_count(project, iteration.id, tag_ids=list(tags.values()), threshold=0.5)
    suggestions = trainer.suggest_tags_and_regions(project, iteration.id, untagged)
    counts = trainer.query_suggested_image_count(project, iteration.id, tag_ids=list(tags.values()), threshold=0.5)
    pages = ask(trainer, project, iteration.id, max_count=2, sort_by="UncertaintyDescending")
    confirmed = untagged[0]
    trainer.create_image_tags(project, [ImageTagCreateEntry(image_id=confirmed, tag_id=tags["red"])])
    after = (
        trainer.query_suggested_image_count(project, iteration.id, tag_ids=[tags["red"]], threshold=0.5),
        ask(trainer, project, iteration.id),
    )
    second = sdk.train(trainer, project)
    return Story(project, iteration.id, tags, untagged, before, suggestions, counts, pages, confirmed, after, second)


def ask(trainer: Any, project: str, iteration: str, **token: Any) -> list[Any]:
    """Query page after page; give the answers."""
    token = SuggestedTagAndRegionQueryToken(**{"tag_ids": [], "threshold": 0, "max_count": 0, **token})
    pages = [trainer.query_suggested_images(project, iteration, token)]
    while pages[-1].token.continuation:
        pages.append(trainer.query_suggested_images(project, iteration, pages[-1].token))
    return pages


def ids(pages: list[Any]) -> list[str]:
    return [row.id for page in pages for row in page.results]


class TestSuggest:
    def test_each_image_gets_its_colour(self, story: Story) -> None:
        assert [row.id for row in story.suggestions] == story.untagged
        assert [row.predictions[0].tag_name for row in story.suggestions] == list(COLOURS)

    def test_a_suggestion_names_project_iteration_and_tags(self, story: Story) -> None:
        for row in story.suggestions:
            assert (row.project, row.iteration) == (story.project, story.iteration)
            assert {each.tag_name: each.tag_id for each in row.predictions} == story.tags
            assert [each.bounding_box for each in row.predictions] == [None, None]

    def test_the_uncertainty_is_the_mean_entropy_in_bits(self, story: Story) -> None:
        for row in story.suggestions:
            values = [each.probability for each in row.predictions]
            bits = [-p * log2(p) - (1 - p) * log2(1 - p) for p in values]
            assert isclose(row.prediction_uncertainty, sum(bits) / len(bits), abs_tol=1e-5)


class TestCount:
    def test_there_is_nothing_before_something_was_suggested(self, story: Story) -> None:
        assert story.before == dict.fromkeys(story.tags.values(), 0)

    def test_each_tag_counts_the_images_it_is_likely_for(self, story: Story) -> None:
        assert story.counts == {story.tags["red"]: 3, story.tags["blue"]: 2}


class TestQuery:
    def test_pages_begin_with_what_the_model_is_least_sure_of(self, story: Story) -> None:
        assert [len(page.results) for page in story.pages] == [2, 2, 1]
        order = sorted(story.suggestions, key=lambda row: row.prediction_uncertainty, reverse=True)
        assert ids(story.pages) == [row.id for row in order]

    def test_the_token_tells_what_was_asked(self, story: Story) -> None:
        tokens = [page.token for page in story.pages]
        assert {(token.max_count, token.sort_by) for token in tokens} == {(2, "UncertaintyDescending")}
        assert len({token.session for token in tokens}) == 1
        assert not tokens[-1].continuation

    def test_a_row_is_the_suggestion_with_its_picture(self, story: Story) -> None:
        told = {row.id: row for row in story.suggestions}
        for row in (row for page in story.pages for row in page.results):
            first = told[row.id]
            assert [each.as_dict() for each in row.predictions] == [each.as_dict() for each in first.predictions]
            assert (row.created, row.width, row.height) == (first.created, 341, 256)
            place = story.untagged.index(row.id)
            assert sdk.opened(row.original_image_uri) == picture(45_000 + place, COLOURS[place])

    def test_a_tag_and_a_threshold_narrow_it(self, trainer: Any, story: Story) -> None:
        pages = ask(trainer, story.project, story.iteration, tag_ids=[story.tags["blue"]], threshold=0.5)
        assert set(ids(pages)) == {story.untagged[1], story.untagged[4]}
        assert (pages[0].token.tag_ids, pages[0].token.threshold) == ([story.tags["blue"]], 0.5)


class TestConfirm:
    def test_a_tagged_image_is_no_longer_suggested(self, story: Story) -> None:
        counts, pages = story.after
        assert counts == {story.tags["red"]: 2}
        assert set(ids(pages)) == set(story.untagged) - {story.confirmed}

    def test_the_next_training_learns_from_it(self, trainer: Any, story: Story) -> None:
        assert (story.second.name, story.second.status) == ("Iteration 2", "Completed")
        images = trainer.get_images(story.project, iteration_id=story.second.id)
        assert story.confirmed in {image.id for image in images}
        assert len(images) == 11

    def test_suggestions_are_those_of_their_iteration(self, trainer: Any, story: Story) -> None:
        counts = trainer.query_suggested_image_count(story.project, story.second.id, threshold=0)
        assert set(counts.values()) == {0}


class TestRefusals:
    def test_a_tag_that_the_iteration_never_learnt_is_refused(self, trainer: Any, story: Story) -> None:
        late = trainer.create_tag(story.project, sdk.new_name("tag")).id
        found = refusal(lambda: ask(trainer, story.project, story.iteration, tag_ids=[late]))
        assert found[:2] == (400, "BadRequestInvalidIds")
        assert late in found[2]
