"""The engine on real photos, as a user would meet it."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from foveal.engine import backbones, heads
from foveal.engine.features import Embedder

DATA = Path(__file__).parents[3] / "../shared/data"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="the development photos (../shared/data) are not here"),
]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(backbones.find(), threads=1)


def picture(path: Path, size: int) -> NDArray[np.uint8]:
    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGB").resize((size, size), Image.Resampling.BILINEAR))


def photos(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png"})


def fitted(embedder: Embedder, folder: Path) -> tuple[heads.Fitted, list[str]]:
    tags = sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith("_"))
    files = [(path, number) for number, tag in enumerate(tags) for path in photos(folder / tag)]
    features = embedder.embed(picture(path, embedder.backbone.size_px) for path, _ in files)
    targets = np.eye(len(tags), dtype=bool)[[number for _, number in files]]
    return heads.fit(features, targets, exclusive=True, seed=0), tags


def test_twenty_photos_of_trees_are_enough_for_a_hemlock(embedder: Embedder) -> None:
    made, tags = fitted(embedder, DATA / "azure_trees")
    [test] = photos(DATA / "azure_trees/_test")
    probabilities = made.head.probabilities(embedder.embed([picture(test, embedder.backbone.size_px)]))
    assert probabilities[0, tags.index("Hemlock")] > 0.5


def test_fruit_is_told_apart(embedder: Embedder) -> None:
    made, tags = fitted(embedder, DATA / "mslearn_fruit")
    tests = photos(DATA / "mslearn_fruit/_test")
    guess = made.head.probabilities(embedder.embed(picture(path, embedder.backbone.size_px) for path in tests))
    assert [tags[number] for number in guess.argmax(1)] == ["apple", "banana", "orange"]
