"""Learning curves on made embeddings."""

import numpy as np
import pytest
from numpy.typing import NDArray

from foveal.engine.features import head_features
from foveal.engine.labelling import learning_curve as curve
from foveal.engine.labelling.learning_curve import Gain, learning_curve


def blobs(counts: tuple[int, ...], spread: float, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Pictures around one centre for each tag; the wider the spread, the harder to tell apart."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    points = np.eye(48)[labels] + spread * rng.normal(size=(len(labels), 48))
    return head_features(points.astype(np.float32)), np.eye(len(counts), dtype=bool)[labels]


class TestLearningCurve:
    def test_what_is_learned_already_gains_nothing(self) -> None:
        features, targets = blobs((30, 30, 30), 0.02)
        for gain in learning_curve(features, targets, exclusive=True):
            assert gain.now == pytest.approx(1, abs=0.01)
            assert gain.gain == pytest.approx(0, abs=0.01)

    def test_what_is_hard_gains_and_the_interval_holds_the_gain(self) -> None:
        features, targets = blobs((25, 25, 25, 25), 0.35)
        gains = learning_curve(features, targets, exclusive=True)
        values = [gain.gain for gain in gains if gain.gain is not None]
        assert len(values) == 4
        assert 0.01 < np.mean(values) < 0.3
        for gain in gains:
            assert gain.low is not None
            assert gain.gain is not None
            assert gain.high is not None
            assert gain.low <= gain.gain <= gain.high
            assert gain.gain >= 0

    def test_many_images_of_the_same_kind_gain_less_than_few(self) -> None:
        few = learning_curve(*blobs((20, 20), 0.4), exclusive=True)
        many = learning_curve(*blobs((300, 300), 0.4), exclusive=True)
        assert max(gain.gain or 0 for gain in many) < max(gain.gain or 0 for gain in few)

    def test_too_few_images_are_not_guessed_about(self) -> None:
        features, targets = blobs((curve.FEWEST - 1, 40), 0.3)
        few, many = learning_curve(features, targets, exclusive=True)
        assert few == Gain(curve.FEWEST - 1)
        assert many.gain is not None
        assert learning_curve(features[:5], targets[:5], exclusive=True) == [Gain(5), Gain(0)]

    def test_several_tags_an_image_and_none(self) -> None:
        features, targets = blobs((40, 40), 0.3)
        targets[:10, 1] = True
        targets[70:] = False
        gains = learning_curve(features, targets, exclusive=False)
        assert [gain.images for gain in gains] == targets.sum(0).tolist()
        assert all(gain.gain is not None for gain in gains)

    def test_a_large_set_keeps_its_counts_and_rare_tags(self) -> None:
        features, targets = blobs((1500, 1500, 30), 0.3)
        gains = learning_curve(features, targets, exclusive=True)
        assert [gain.images for gain in gains] == [1500, 1500, 30]
        assert gains[2].gain is not None

    def test_the_same_seed_gives_the_same_curve(self) -> None:
        features, targets = blobs((25, 25), 0.3)
        assert learning_curve(features, targets, exclusive=True) == learning_curve(features, targets, exclusive=True)
