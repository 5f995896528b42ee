"""Help for labelling on real photos, with planted copies and planted errors."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from foveal.engine import backbones, heads, solvers
from foveal.engine.features import Embedder, head_features
from foveal.engine.labelling.duplicates import near_duplicates
from foveal.engine.labelling.label_errors import label_errors
from foveal.engine.labelling.typical import typical_and_diverse

DATA = Path(__file__).parents[4] / "../shared/data"
PER_TAG = 50
PLANTED = 20

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="the development photos (../shared/data) are not here"),
]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(backbones.find(), threads=1)


@pytest.fixture(scope="module")
def photos() -> list[Image.Image]:
    folders = sorted(each for each in (DATA / "flowers5").iterdir() if each.is_dir())
    files = [file for folder in folders for file in sorted(folder.glob("*.jpg"))[:PER_TAG]]
    return [Image.open(file).convert("RGB") for file in files]


@pytest.fixture(scope="module")
def features(embedder: Embedder, photos: list[Image.Image]) -> NDArray[np.float32]:
    return embedded(embedder, photos)


@pytest.fixture(scope="module")
def targets(photos: list[Image.Image]) -> NDArray[np.bool_]:
    return np.repeat(np.eye(5, dtype=bool), PER_TAG, axis=0)[: len(photos)]


def embedded(embedder: Embedder, photos: list[Image.Image]) -> NDArray[np.float32]:
    side = embedder.backbone.size_px
    pixels = (np.asarray(photo.resize((side, side), Image.Resampling.BILINEAR)) for photo in photos)
    return head_features(embedder.embed(pixels))


def jpeg(photo: Image.Image, quality: int) -> Image.Image:
    out = BytesIO()
    photo.save(out, "JPEG", quality=quality)
    return Image.open(out).convert("RGB")


def cropped(photo: Image.Image) -> Image.Image:
    width, height = photo.size
    left, top = round(width * 0.025), round(height * 0.025)
    return photo.crop((left, top, width - left, height - top))


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG at 30": lambda photo: jpeg(photo, 30),
    "half the size": lambda photo: photo.resize((photo.width // 2, photo.height // 2)),
    "cropped by 5 %": cropped,
    "10 % brighter": lambda photo: ImageEnhance.Brightness(photo).enhance(1.1),
}


@pytest.mark.parametrize("kind", COPIES)
def test_eight_of_ten_copies_of_flowers_are_found_and_hardly_a_pair_that_is_none(
    kind: str, embedder: Embedder, photos: list[Image.Image], features: NDArray[np.float32]
) -> None:
    chosen = np.random.default_rng(0).permutation(len(photos))[:PLANTED]
    made = embedded(embedder, [COPIES[kind](photos[int(at)]) for at in chosen])
    groups = {group.members for group in near_duplicates(np.vstack([features, made]))}
    planted = {(int(at), len(photos) + copy) for copy, at in enumerate(chosen)}
    assert len(groups & planted) >= 0.8 * PLANTED
    assert len(groups - planted) <= 3


def test_the_first_twenty_flowers_are_of_all_tags_and_teach_more_than_random_ones(
    features: NDArray[np.float32], targets: NDArray[np.bool_]
) -> None:
    chosen_right, random_right, complete = list[float](), list[float](), 0
    for seed in range(8):
        pool = np.random.default_rng(seed).permutation(len(features))[: len(features) * 2 // 3]
        nothing = np.zeros(len(pool), bool)
        chosen = pool[[each.image for each in typical_and_diverse(features[pool], nothing, 20, seed=seed)]]
        complete += bool(targets[chosen].any(0).all())
        chosen_right.append(accuracy(features, targets, chosen))
        random_right.append(accuracy(features, targets, pool[:20]))
    assert complete >= 6
    assert np.mean(chosen_right) >= np.mean(random_right)


def accuracy(features: NDArray[np.float32], targets: NDArray[np.bool_], seen: NDArray[np.intp]) -> float:
    """The share of the photos not seen that a head fitted on those seen gets right."""
    problem = solvers.Problem(features[seen].astype(np.float64), targets[seen], exclusive=True)
    [linear] = solvers.ridge(problem, [1e-2])
    rest = np.setdiff1d(np.arange(len(features)), seen)
    return float((linear(features[rest].astype(np.float64)).argmax(1) == targets[rest].argmax(1)).mean())


def test_most_planted_label_errors_are_listed_and_four_of_ten_listed_are_errors(
    features: NDArray[np.float32], targets: NDArray[np.bool_]
) -> None:
    found, listed = list[float](), list[float]()
    for seed in range(4):
        rng = np.random.default_rng(seed)
        seen = np.concatenate([rng.permutation(np.flatnonzero(targets[:, tag]))[:20] for tag in range(5)])
        given = targets[seen].argmax(1)
        wrong = rng.permutation(100)[:10]
        given[wrong] = (given[wrong] + rng.integers(1, 5, 10)) % 5
        flipped = np.eye(5, dtype=bool)[given]
        held_out = heads.fit(features[seen], flipped, exclusive=True, seed=seed).held_out
        images = [error.image for error in label_errors(flipped, held_out.reshape(-1, 100, 5).mean(0), exclusive=True)]
        hits = np.isin(images, wrong)
        found.append(float(hits.sum()) / 10)
        listed.append(float(hits.mean()))
    # Measured on all 500 photos: 0.70 of the planted ones were found, 0.40 of those listed were planted.
    assert np.mean(found) >= 0.55
    assert np.mean(listed) >= 0.28
