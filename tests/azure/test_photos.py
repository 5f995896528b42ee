"""The quickstarts' own photos, through the SDK: what a newcomer tries first must come out right."""

from pathlib import Path
from typing import Any

import pytest
from tests.azure import sdk
from tests.azure.sdk import Photo

pytestmark = [pytest.mark.slow, pytest.mark.shared]

FRUIT = {"IMG_TEST_1": "apple", "IMG_TEST_2": "banana", "IMG_TEST_3": "orange"}


def trained(trainer: Any, folder: Path) -> str:
    """Train on a folder of folders; give the project."""
    photos = [
        Photo(path.name, path.read_bytes(), (path.parent.name,))
        for path in sorted(folder.glob("[!_]*/*"))
        if path.suffix in {".jpg", ".png"}
    ]
    project = sdk.new_project(trainer)
    tags = sdk.new_tags(trainer, project, sorted({tag for photo in photos for tag in photo.tags}))
    sdk.upload(trainer, project, photos, tags)
    sdk.train(trainer, project)
    return project


class TestPhotos:
    def test_the_tree_is_a_hemlock(self, trainer: Any, shared: Path) -> None:
        folder = shared / "data" / "azure_trees"
        project = trained(trainer, folder)
        (photo,) = (path for path in (folder / "_test").iterdir() if path.suffix == ".jpg")
        best = trainer.quick_test_image(project, photo.read_bytes()).predictions[0]
        assert best.tag_name == "Hemlock"
        assert best.probability > 0.5

    def test_each_fruit_is_named(self, trainer: Any, shared: Path) -> None:
        folder = shared / "data" / "mslearn_fruit"
        project = trained(trainer, folder)
        photos = sorted(path for path in (folder / "_test").iterdir() if path.suffix == ".jpg")
        answers = {path.stem: trainer.quick_test_image(project, path.read_bytes()) for path in photos}
        assert {stem: answer.predictions[0].tag_name for stem, answer in answers.items()} == FRUIT
