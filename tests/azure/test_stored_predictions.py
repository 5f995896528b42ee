"""A program that looks through what was predicted, deletes some of it, and trains on the rest."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from azure.cognitiveservices.vision.customvision.training.models import (
    ImageIdCreateBatch,
    ImageIdCreateEntry,
    PredictionQueryTag,
    PredictionQueryToken,
)
from tests.azure import sdk
from tests.azure.scene import NOWHERE
from tests.azure.sdk import Published
from tests.support.pictures import picture

pytestmark = pytest.mark.slow

COLOURS = ("red", "blue", "red", "blue", "red")
GENERAL = "ee85a74c-405e-4adc-bb47-ffa8ca0c9f31"
SEEDS = count(44_000)


@dataclass(frozen=True)
class Kept:
    """Predictions under an application of their own, oldest first."""

    project: str
    application: str
    pictures: list[bytes]
    answers: list[Any]

    @property
    def ids(self) -> list[str]:
        return [answer.id for answer in self.answers]

    def query(self, trainer: Any, **token: Any) -> Any:
        asked = PredictionQueryToken(application=self.application, **token)
        return trainer.query_predictions(self.project, asked)

    def found(self, trainer: Any, **token: Any) -> list[str]:
        return [row.id for row in self.query(trainer, order_by="Oldest", **token).results]


@pytest.fixture
def kept(predictor: Any, classifier: Published) -> Kept:
    application = sdk.new_name("line")
    pictures = [picture(next(SEEDS), colour) for colour in COLOURS]
    answers = [
        predictor.classify_image(classifier.project, classifier.name, data, application=application)
        for data in pictures
    ]
    return Kept(classifier.project, application, pictures, answers)


def tag_id(answer: Any, name: str) -> str:
    return next(each.tag_id for each in answer.predictions if each.tag_name == name)


class TestQuery:
    def test_a_row_is_what_the_predictor_answered(self, trainer: Any, classifier: Published, kept: Kept) -> None:
        rows = kept.query(trainer, order_by="Oldest").results
        for row, answer, data in zip(rows, kept.answers, kept.pictures, strict=True):
            assert (row.id, row.project, row.iteration) == (answer.id, classifier.project, classifier.iteration.id)
            assert row.created == answer.created
            assert [each.as_dict() for each in row.predictions] == [each.as_dict() for each in answer.predictions]
            assert row.domain == GENERAL
            assert sdk.opened(row.original_image_uri) == data
        assert all(sdk.opened(link) for link in (rows[0].resized_image_uri, rows[0].thumbnail_uri))

    def test_ids_are_text_and_moments_are_moments(self, trainer: Any, kept: Kept) -> None:
        row = kept.query(trainer, max_count=1).results[0]
        assert str(UUID(row.id)) == row.id
        assert isinstance(row.created, datetime)
        assert [each.bounding_box for each in row.predictions] == [None, None]

    def test_the_token_leads_from_page_to_page(self, trainer: Any, kept: Kept) -> None:
        answer = kept.query(trainer, max_count=2)
        pages = [answer.results]
        assert (answer.token.order_by, answer.token.max_count) == ("Newest", 2)
        assert answer.token.application == kept.application
        while answer.token.continuation:
            session = answer.token.session
            answer = trainer.query_predictions(kept.project, answer.token)
            assert answer.token.session == session
            pages.append(answer.results)
        assert [len(page) for page in pages] == [2, 2, 1]
        assert [row.id for page in pages for row in page] == kept.ids[::-1]

    def test_what_comes_meanwhile_does_not_enter_the_pages(
        self, trainer: Any, predictor: Any, classifier: Published, kept: Kept
    ) -> None:
        first = kept.query(trainer, max_count=3)
        data = picture(next(SEEDS))
        predictor.classify_image(classifier.project, classifier.name, data, application=kept.application)
        second = trainer.query_predictions(kept.project, first.token)
        assert [row.id for row in (*first.results, *second.results)] == kept.ids[::-1]

    def test_suggested_begins_with_what_the_model_is_least_sure_of(self, trainer: Any, kept: Kept) -> None:
        best = {answer.id: answer.predictions[0].probability for answer in kept.answers}
        found = [row.id for row in kept.query(trainer, order_by="Suggested").results]
        assert [best[id] for id in found] == sorted(best.values())

    def test_a_tag_in_a_range_of_probability(self, trainer: Any, kept: Kept) -> None:
        red = tag_id(kept.answers[0], "red")
        likely = [PredictionQueryTag(id=red, min_threshold=0.5, max_threshold=1)]
        unlikely = [PredictionQueryTag(id=red, min_threshold=0, max_threshold=0.5)]
        assert kept.found(trainer, tags=likely) == kept.ids[::2]
        assert kept.found(trainer, tags=unlikely) == kept.ids[1::2]

    def test_by_iteration_and_by_time(self, trainer: Any, classifier: Published, kept: Kept) -> None:
        assert kept.found(trainer, iteration_id=classifier.iteration.id) == kept.ids
        began, ended = kept.answers[0].created, kept.answers[-1].created + timedelta(milliseconds=1)
        assert kept.found(trainer, start_time=began, end_time=ended) == kept.ids
        assert kept.found(trainer, start_time=ended) == []
        assert kept.found(trainer, end_time=began - timedelta(milliseconds=1)) == []

    def test_what_was_not_to_be_stored_is_not_there(
        self, trainer: Any, predictor: Any, classifier: Published, kept: Kept
    ) -> None:
        data = picture(next(SEEDS))
        answer = predictor.classify_image_with_no_store(
            classifier.project, classifier.name, data, application=kept.application
        )
        assert answer.id not in kept.found(trainer)

    @pytest.mark.parametrize("store", [True, False])
    def test_a_quick_test_is_kept_unless_told_otherwise(
        self, trainer: Any, classifier: Published, *, store: bool
    ) -> None:
        answer = trainer.quick_test_image(classifier.project, picture(next(SEEDS)), store=store)
        newest = trainer.query_predictions(classifier.project, PredictionQueryToken(max_count=1)).results
        assert ([row.id for row in newest] == [answer.id]) is store


class TestDelete:
    def test_those_named_are_gone_and_unknown_ones_passed_over(self, trainer: Any, kept: Kept) -> None:
        assert trainer.delete_prediction(kept.project, [*kept.ids[:2], NOWHERE]) is None
        assert kept.found(trainer) == kept.ids[2:]


class TestTrainOn:
    @pytest.fixture
    def entries(self, kept: Kept) -> ImageIdCreateBatch:
        """The first two with their right tags, one that nobody knows, and the third without a tag."""
        tagged = [
            ImageIdCreateEntry(id=answer.id, tag_ids=[tag_id(answer, colour)])
            for answer, colour in zip(kept.answers[:2], COLOURS, strict=False)
        ]
        others = [ImageIdCreateEntry(id=id) for id in (NOWHERE, kept.ids[2])]
        return ImageIdCreateBatch(images=[*tagged, *others], metadata={"application": kept.application})

    def test_each_is_told_in_the_order_sent(self, trainer: Any, kept: Kept, entries: ImageIdCreateBatch) -> None:
        raw = trainer.create_images_from_predictions(kept.project, entries, raw=True)
        assert (raw.response.status_code, raw.output.is_batch_successful) == (207, False)
        assert [image.status for image in raw.output.images] == ["OK", "OK", "ErrorSource", "OK"]
        assert [image.source_url for image in raw.output.images] == [entry.id for entry in entries.images]
        assert raw.output.images[2].image is None

    def test_they_are_training_images_with_ids_of_their_own(
        self, trainer: Any, kept: Kept, entries: ImageIdCreateBatch
    ) -> None:
        trainer.create_images_from_predictions(kept.project, entries)
        found = trainer.get_images(kept.project, filter=f"application eq '{kept.application}'", order_by="Oldest")
        borne = {sdk.opened(image.original_image_uri): [tag.tag_name for tag in image.tags or []] for image in found}
        assert borne == dict(zip(kept.pictures, (["red"], ["blue"], []), strict=False))
        assert not {image.id for image in found} & set(kept.ids)

    def test_they_leave_the_list(self, trainer: Any, kept: Kept, entries: ImageIdCreateBatch) -> None:
        trainer.create_images_from_predictions(kept.project, entries)
        assert kept.found(trainer) == kept.ids[3:]

    def test_a_whole_batch_is_answered_with_200(self, trainer: Any, kept: Kept) -> None:
        batch = ImageIdCreateBatch(images=[ImageIdCreateEntry(id=id) for id in kept.ids])
        raw = trainer.create_images_from_predictions(kept.project, batch, raw=True)
        assert (raw.response.status_code, raw.output.is_batch_successful) == (200, True)
