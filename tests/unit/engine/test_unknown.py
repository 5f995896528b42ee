"""Whether a picture resembles what a model was trained on."""

import numpy as np
import pytest
from numpy.typing import NDArray

from foveal.engine import unknown

Floats = NDArray[np.float32]


def kind(count: int, seed: int, *, which: int = 0, dimension: int = 96) -> Floats:
    """Embeddings of a kind of picture: around a centre, in its own 12 directions, with a little noise."""
    made = np.random.default_rng((7, which))
    centre, directions = made.normal(2, 1, dimension), made.normal(0, 0.6, (12, dimension))
    rng = np.random.default_rng(seed)
    points = centre + rng.normal(size=(count, 12)) @ directions + rng.normal(0, 0.3, (count, dimension))
    return points.astype(np.float32)


class TestFit:
    @pytest.mark.parametrize("count", [10, 60, 600])
    def test_pictures_of_another_kind_are_unknown(self, count: int) -> None:
        made = unknown.fit(kind(count, 0), seed=0)
        assert (made.scores(kind(300, 1, which=1)) > 0.5).all()

    @pytest.mark.parametrize(("count", "least"), [(60, 0.005), (250, 0.02)])
    def test_one_in_twenty_of_the_same_kind_is_or_fewer_of_few(self, count: int, least: float) -> None:
        scores = [unknown.fit(kind(count, seed), seed=0).scores(kind(500, 1000 + seed)) for seed in range(5)]
        assert least < float((np.stack(scores) > 0.5).mean()) < 0.08

    def test_a_typical_picture_is_hardly_unknown(self) -> None:
        assert float(np.median(unknown.fit(kind(150, 0), seed=0).scores(kind(500, 1)))) < 0.1

    def test_scores_grow_with_the_distance(self) -> None:
        made = unknown.fit(kind(100, 0), seed=0)
        near, far = kind(1, 5)[0], kind(1, 6, which=1)[0]
        scores = made.scores(np.stack([near + share * (far - near) for share in (0.0, 0.05, 0.1, 0.15)]))
        assert (np.diff(scores) > 0).all()

    def test_the_same_data_and_seed_give_the_same(self) -> None:
        first, second = (unknown.fit(kind(520, 0), seed=3) for _ in range(2))
        np.testing.assert_array_equal(first.basis, second.basis)
        np.testing.assert_array_equal(first.centre, second.centre)
        assert (first.edge, first.steepness) == (second.edge, second.steepness)

    @pytest.mark.parametrize("count", [2, 3, 12])
    def test_equal_pictures_give_finite_scores(self, count: int) -> None:
        made = unknown.fit(np.ones((count, 16), np.float32), seed=0)
        scores = made.scores(np.vstack([np.ones(16), np.arange(16)]).astype(np.float32))
        assert np.isfinite(scores).all()
        assert scores[1] > 0.5


class TestFitAndJudge:
    @pytest.mark.parametrize("count", [40, 200])
    def test_one_in_twenty_of_its_own_is_unknown(self, count: int) -> None:
        _, scores = unknown.fit_and_judge(kind(count, 0), seed=0)
        assert scores.shape == (count,)
        assert float((scores > 0.5).mean()) == pytest.approx(0.05, abs=0.01)

    def test_what_was_not_chosen_is_scored_too(self) -> None:
        _, scores = unknown.fit_and_judge(kind(800, 0), seed=0)
        assert 0.02 < float((scores > 0.5).mean()) < 0.09

    def test_each_is_judged_as_if_it_were_not_there(self) -> None:
        pictures = np.vstack([kind(60, 0), kind(1, 9, which=1)])
        made, scores = unknown.fit_and_judge(pictures, seed=0)
        assert scores[-1] > 0.9
        np.testing.assert_array_equal(made.basis, unknown.fit(pictures, seed=0).basis)


class TestShared:
    def test_the_tag_for_none_of_these_gains_what_is_unknown(self) -> None:
        said = np.array([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1]], np.float32)
        mixed = unknown.shared(said, np.array([0.0, 0.5], np.float32), 2)
        np.testing.assert_allclose(mixed, [[0.7, 0.2, 0.1], [0.35, 0.1, 0.55]], atol=1e-6)

    def test_repeats_are_mixed_alike_and_sums_stay_one(self) -> None:
        rng = np.random.default_rng(0)
        said = rng.dirichlet(np.ones(4), (3, 5)).astype(np.float32)
        strange = rng.random(5).astype(np.float32)
        mixed = unknown.shared(said, strange, 1)
        np.testing.assert_allclose(mixed.sum(2), 1, atol=1e-6)
        np.testing.assert_allclose(mixed[1], unknown.shared(said[1], strange, 1))
