from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from foveal.engine import backbones
from foveal.engine.features import Embedder, head_features
from foveal.errors import Invalid


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(backbones.find(), threads=1)


def pictures(count: int, size: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)


class TestEmbed:
    def test_gives_a_row_for_each_image_of_a_stream(self, embedder: Embedder) -> None:
        made = embedder.embed(iter(pictures(11, embedder.backbone.size_px)))
        assert made.shape == (11, embedder.backbone.dimension)
        assert made.dtype == np.float32

    def test_gives_an_image_the_same_embedding_in_any_company(self, embedder: Embedder) -> None:
        images = pictures(10, embedder.backbone.size_px)
        together, alone = embedder.embed(images), embedder.embed(images[9:])
        np.testing.assert_allclose(together[9:], alone, rtol=1e-4, atol=1e-5)

    def test_gives_nothing_for_nothing(self, embedder: Embedder) -> None:
        assert embedder.embed([]).shape == (0, embedder.backbone.dimension)

    def test_refuses_an_image_of_another_size(self, embedder: Embedder) -> None:
        with pytest.raises(Invalid, match="shape"):
            embedder.embed(pictures(1, 32))

    def test_lets_an_error_of_the_stream_through(self, embedder: Embedder) -> None:
        def broken() -> Iterator[NDArray[np.uint8]]:
            yield from pictures(9, embedder.backbone.size_px)
            raise OSError("the disk is gone")

        with pytest.raises(OSError, match="the disk is gone"):
            embedder.embed(broken())


class TestHeadFeatures:
    def test_have_length_one_and_keep_zero(self) -> None:
        made = head_features(np.array([[3, 4], [0, 0]], np.float32))
        np.testing.assert_allclose(made, [[0.6, 0.8], [0, 0]])
