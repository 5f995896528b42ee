"""The drawn sample photos."""

import io

import numpy as np
import pytest
from PIL import Image

from foveal import samples
from foveal.imaging import PREDICTION_BYTES, renditions


class TestDraw:
    @pytest.mark.parametrize("tag", samples.TAGS)
    @pytest.mark.parametrize("size", [(320, 240), (256, 256), (300, 500)])
    def test_is_a_photo_that_the_service_takes_as_it_is(self, tag: str, size: tuple[int, int]) -> None:
        data = samples.draw(tag, np.random.default_rng(1), size)
        kept = renditions(data, max_bytes=PREDICTION_BYTES)
        assert (kept.width, kept.height) == (size if min(size) >= 256 else (341, 256))

    def test_is_neither_black_nor_white(self) -> None:
        for seed in range(12):
            pixels = np.asarray(Image.open(io.BytesIO(samples.draw("good", np.random.default_rng(seed)))))
            assert 25 < pixels.mean() < 200
            assert pixels.std() > 15

    def test_refuses_other_tags(self) -> None:
        with pytest.raises(ValueError, match="good, scratched"):
            samples.draw("bent", np.random.default_rng(0))


class TestDataset:
    def test_is_the_same_for_the_same_seed(self) -> None:
        assert samples.dataset(7, 3) == samples.dataset(7, 3)

    def test_differs_for_another(self) -> None:
        assert samples.dataset(7, 1) != samples.dataset(8, 1)

    def test_has_as_many_different_photos_per_tag_as_asked(self) -> None:
        photos = samples.dataset(0, 5)
        assert tuple(photos) == samples.TAGS
        assert len({photo for of_tag in photos.values() for photo in of_tag}) == 10
