"""A program whose pictures bear several tags, and that tests a model before it publishes it."""

from collections.abc import Sequence
from io import BytesIO
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from tests.azure import sdk
from tests.azure.sdk import Photo

pytestmark = pytest.mark.slow

SHAPES = ("disc", "square", "cross")
INKS = {"disc": (200, 30, 30), "square": (20, 90, 200), "cross": (20, 140, 50)}
PATTERNS = {
    "disc": [("ellipse", (0, 0, 50, 50))],
    "square": [("rectangle", (0, 0, 50, 50))],
    "cross": [("rectangle", (18, 0, 32, 50)), ("rectangle", (0, 18, 50, 32))],
}


def drawn(shapes: Sequence[str], seed: int) -> bytes:
    """Draw the shapes side by side, in any order, at any height, on grey paper."""
    rng = np.random.default_rng(seed)
    paper = rng.normal(200, 8, (80, 240, 3)).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(paper)
    pen = ImageDraw.Draw(image)
    places = rng.permutation(3)
    for shape, place in zip(shapes, places, strict=False):
        x, y = int(place) * 80 + int(rng.integers(0, 28)), int(rng.integers(0, 28))
        for kind, (left, top, right, bottom) in PATTERNS[shape]:
            getattr(pen, kind)((x + left, y + top, x + right, y + bottom), fill=INKS[shape])
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def project(trainer: Any) -> str:
    project = sdk.new_project(trainer, "Multilabel")
    kinds = [kind for size in (1, 2) for kind in combinations(SHAPES, size)]
    photos = [
        Photo(f"{'-'.join(kind)}-{n}.png", drawn(kind, 100 * at + n), kind)
        for at, kind in enumerate(kinds)
        for n in range(8)
    ]
    sdk.upload(trainer, project, photos, sdk.new_tags(trainer, project, SHAPES))
    return project


@pytest.fixture(scope="module")
def iteration(trainer: Any, project: str) -> Any:
    return sdk.train(trainer, project)


def probabilities(answer: Any) -> dict[str, float]:
    return {one.tag_name: one.probability for one in answer.predictions}


class TestMultilabel:
    def test_a_picture_counts_for_each_of_its_tags(self, trainer: Any, project: str, iteration: Any) -> None:
        assert [tag.image_count for tag in trainer.get_tags(project, iteration.id)] == [24, 24, 24]

    def test_the_iteration_is_multilabel(self, iteration: Any) -> None:
        assert iteration.classification_type == "Multilabel"

    def test_two_shapes_are_both_found(self, trainer: Any, project: str, iteration: Any) -> None:
        found = probabilities(trainer.quick_test_image(project, drawn(("disc", "square"), 9001), iteration.id))
        assert min(found["disc"], found["square"]) > found["cross"]
        assert sum(found.values()) > 1.05

    def test_without_an_iteration_the_newest_one_answers(self, trainer: Any, project: str, iteration: Any) -> None:
        data = drawn(("cross",), 9002)
        named = trainer.quick_test_image(project, data, iteration.id, store=False)
        unnamed = trainer.quick_test_image(project, data)
        assert (unnamed.iteration, probabilities(unnamed)) == (iteration.id, probabilities(named))

    def test_a_quick_test_takes_a_stream(self, trainer: Any, project: str, iteration: Any) -> None:
        data = drawn(("cross",), 9003)
        answers = [trainer.quick_test_image(project, source, iteration.id) for source in (data, BytesIO(data))]
        assert probabilities(answers[0]) == probabilities(answers[1])

    def test_a_tag_taken_from_an_image_is_gone(self, trainer: Any, project: str, iteration: Any) -> None:
        tags = {tag.name: tag.id for tag in trainer.get_tags(project)}
        image = next(image for image in trainer.get_tagged_images(project, take=256) if len(image.tags) > 1)
        taken, kept = image.tags[0].tag_name, image.tags[1].tag_name
        trainer.delete_image_tags(project, [image.id], [tags[taken]])
        found = trainer.get_images_by_ids(project, [image.id])[0]
        assert [tag.tag_name for tag in found.tags] == [kept]
        remembered = trainer.get_images_by_ids(project, [image.id], iteration_id=iteration.id)[0]
        assert {tag.tag_name for tag in remembered.tags} == {taken, kept}
