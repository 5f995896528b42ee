"""A program that notes with each picture where it comes from, and finds pictures by these notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from azure.cognitiveservices.vision.customvision.training.models import ImageFileCreateBatch, ImageFileCreateEntry
from tests.azure import sdk
from tests.azure.scene import NOWHERE, refusal
from tests.support.pictures import picture

pytestmark = pytest.mark.slow

NOTES = {
    "a": {"line": "7", "shift": "night"},
    "b": {"line": "7", "shift": "day"},
    "c": {"line": "8", "shift": "day", "note": "it's 100 % ødd & #1"},
    "d": None,
}
SEEDS = count(41_000)


def upload(trainer: Any, project: str, metadata: dict[str, str] | None, tags: Sequence[str] = ()) -> Any:
    """Upload a picture that nobody has uploaded before; give the image."""
    entry = ImageFileCreateEntry(name="a.png", contents=picture(next(SEEDS)), tag_ids=list(tags))
    batch = ImageFileCreateBatch(images=[entry], metadata=metadata)
    return trainer.create_images_from_files(project, batch).images[0].image


@dataclass(frozen=True)
class Stock:
    """Images by letter, with the notes of the table above; `a` and `b` are tagged."""

    project: str
    tag: str
    ids: dict[str, str]

    def letters(self, images: Sequence[Any]) -> str:
        """Tell images by their letters, in order."""
        letter = {id: letter for letter, id in self.ids.items()}
        return "".join(letter[image.id] for image in images)


@pytest.fixture(scope="module")
def stock(trainer: Any) -> Stock:
    project = sdk.new_project(trainer)
    tag = trainer.create_tag(project, "part").id
    ids = {
        letter: upload(trainer, project, metadata, [tag] if letter in "ab" else ()).id
        for letter, metadata in NOTES.items()
    }
    return Stock(project, tag, ids)


class TestUpload:
    def test_the_notes_of_a_batch_are_those_of_its_images(self, trainer: Any, stock: Stock) -> None:
        found = trainer.get_images_by_ids(stock.project, list(stock.ids.values()))
        assert [image.metadata for image in found] == list(NOTES.values())

    def test_the_answer_of_the_upload_tells_them(self, trainer: Any) -> None:
        image = upload(trainer, sdk.new_project(trainer), {"line": "9"})
        assert (image.metadata, image.tags) == ({"line": "9"}, None)


class TestFind:
    @pytest.mark.parametrize(
        ("expression", "letters"),
        [
            ("line eq '7'", "ba"),
            ("line ne '7'", "dc"),
            ("line eq '7' and shift eq 'day'", "b"),
            ("line eq '8' or shift eq 'night'", "ca"),
            ("shift eq 'night' or line eq '7' and shift eq 'day'", "ba"),
            ("note eq 'it''s 100 % ødd & #1'", "c"),
            ("line eq 'seven'", ""),
        ],
    )
    def test_a_filter_finds_and_counts(self, trainer: Any, stock: Stock, expression: str, letters: str) -> None:
        assert stock.letters(trainer.get_images(stock.project, filter=expression)) == letters
        assert trainer.get_image_count(stock.project, filter=expression) == len(letters)

    def test_it_holds_beside_the_other_conditions(self, trainer: Any, stock: Stock) -> None:
        def found(**conditions: Any) -> str:
            return stock.letters(trainer.get_images(stock.project, filter="shift eq 'day'", **conditions))

        assert [found(), found(order_by="Oldest")] == ["cb", "bc"]
        assert [found(tagging_status="Tagged"), found(tagging_status="Untagged")] == ["b", "c"]
        assert [found(tag_ids=[stock.tag]), found(take=1), found(take=1, skip=1)] == ["b", "c", "b"]
        assert trainer.get_image_count(stock.project, filter="shift eq 'day'", tag_ids=[stock.tag]) == 1

    def test_what_cannot_be_read_is_told_with_its_place(self, trainer: Any, stock: Stock) -> None:
        status, code, message = refusal(lambda: trainer.get_images(stock.project, filter="line gt '7'"))
        assert (status, code) == (400, "BadRequest")
        assert "character 5" in message


class TestUpdate:
    def test_pairs_are_set_beside_the_others_and_none_takes_one_away(self, trainer: Any, stock: Stock) -> None:
        images = [upload(trainer, stock.project, {"line": "1", "shift": "day"}).id for _ in range(2)]
        raw = trainer.update_image_metadata(stock.project, images, {"line": "2", "lot": "b", "shift": None}, raw=True)
        assert (raw.response.status_code, raw.output.is_batch_successful) == (200, True)
        assert [(entry.image_id, entry.status) for entry in raw.output.images] == [(image, "OK") for image in images]
        for shown in (raw.output.images, trainer.get_images_by_ids(stock.project, images)):
            assert [each.metadata for each in shown] == [{"line": "2", "lot": "b"}] * 2
        trainer.delete_images(stock.project, images)

    def test_without_its_last_pair_an_image_has_no_notes(self, trainer: Any) -> None:
        project = sdk.new_project(trainer)
        image = upload(trainer, project, {"line": "1"}).id
        trainer.update_image_metadata(project, [image], {"line": None})
        (found,) = trainer.get_images(project)
        assert found.metadata is None

    def test_one_image_that_fails_does_not_spoil_the_others(self, trainer: Any) -> None:
        project = sdk.new_project(trainer)
        full = upload(trainer, project, {f"old {n}": "" for n in range(10)}).id
        good = upload(trainer, project, None).id
        raw = trainer.update_image_metadata(project, [full, NOWHERE, good], {"new": "x"}, raw=True)
        assert (raw.response.status_code, raw.output.is_batch_successful) == (207, False)
        assert {entry.image_id: entry.status for entry in raw.output.images} == {
            full: "ErrorLimitExceed",
            NOWHERE: "ErrorImageNotFound",
            good: "OK",
        }
        assert trainer.get_image_count(project, filter="new eq 'x'") == 1
