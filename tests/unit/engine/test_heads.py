import time

import numpy as np
import pytest
from numpy.typing import NDArray

from foveal.engine import evaluate, heads
from foveal.errors import Invalid

Sample = tuple[NDArray[np.float32], NDArray[np.bool_]]


def clusters(count: int, tags: int, *, spread: float = 0.5, dimension: int = 48, seed: int = 0) -> Sample:
    """Embeddings around one centre per tag, after a ReLU as the backbone's are."""
    centres = np.random.default_rng(99).normal(1, 1, (tags, dimension))
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % tags
    features = np.maximum(centres[labels] + rng.normal(0, spread, (count, dimension)), 0)
    return features.astype(np.float32), np.eye(tags, dtype=bool)[labels]


def several(count: int, tags: int, seed: int = 0) -> Sample:
    """Each tag adds its direction; some images have no tag."""
    rng = np.random.default_rng(seed)
    targets = rng.random((count, tags)) < 0.35
    targets[:3], targets[-3:] = False, True
    directions = np.random.default_rng(98).normal(0, 1, (tags, 64))
    features = targets @ directions + rng.normal(0, 0.3, (count, 64)) + 2
    return np.maximum(features, 0).astype(np.float32), targets


class TestExclusive:
    @pytest.mark.parametrize(("count", "tags"), [(10, 2), (15, 3), (120, 6), (200, 3)])
    def test_tells_apart_what_is_apart(self, count: int, tags: int) -> None:
        fitted = heads.fit(*clusters(count, tags), exclusive=True, seed=0)
        features, targets = clusters(60, tags, seed=1)
        guess = fitted.head.probabilities(features)
        assert (guess.argmax(1) == targets.argmax(1)).mean() > 0.95
        np.testing.assert_allclose(guess.sum(1), 1, rtol=1e-5)

    def test_is_neither_too_sure_nor_too_shy(self) -> None:
        fitted = heads.fit(*clusters(90, 3, spread=3.0), exclusive=True, seed=0)
        features, targets = clusters(900, 3, spread=3.0, seed=1)
        guess = fitted.head.probabilities(features)
        right = (guess.argmax(1) == targets.argmax(1)).mean()
        assert abs(guess.max(1).mean() - right) < 0.1

    def test_does_not_claim_certainty_from_ten_images(self) -> None:
        fitted = heads.fit(*clusters(10, 2, spread=0.05), exclusive=True, seed=0)
        assert 0.5 < fitted.held_out.max(2).mean() < 0.99

    def test_knows_nothing_where_there_is_nothing_to_know(self) -> None:
        features = np.random.default_rng(0).random((60, 32), np.float32)
        fitted = heads.fit(features, np.eye(3, dtype=bool)[np.arange(60) % 3], exclusive=True, seed=0)
        assert fitted.held_out.max(2).mean() < 0.6

    def test_gives_a_rare_tag_its_say(self) -> None:
        features, targets = clusters(400, 2, spread=1.5)
        keep = targets[:, 0] | (np.arange(400) < 40)
        fitted = heads.fit(features[keep], targets[keep], exclusive=True, seed=0)
        fresh, truth = clusters(400, 2, spread=1.5, seed=1)
        right = fitted.head.probabilities(fresh).argmax(1) == truth.argmax(1)
        assert right[truth[:, 1]].mean() > 0.8

    def test_refuses_images_of_two_tags(self) -> None:
        features, targets = several(30, 3)
        with pytest.raises(Invalid, match="exactly one"):
            heads.fit(features, targets, exclusive=True, seed=0)


class TestSeveral:
    def test_finds_each_tag_and_none(self) -> None:
        fitted = heads.fit(*several(80, 4), exclusive=False, seed=0)
        features, targets = several(200, 4, seed=1)
        guess = fitted.head.probabilities(features)
        assert ((guess >= 0.5) == targets).mean() > 0.95
        assert guess[:3].max() < 0.5  # images without any tag

    def test_takes_one_tag_alone(self) -> None:
        features, targets = clusters(20, 2)
        fitted = heads.fit(features, targets[:, :1], exclusive=False, seed=0)
        assert ((fitted.head.probabilities(features) >= 0.5) == targets[:, :1]).all()

    def test_takes_a_tag_that_every_image_has(self) -> None:
        features, targets = clusters(20, 2)
        targets[:, 0] = True
        fitted = heads.fit(features, targets, exclusive=False, seed=0)
        assert (fitted.head.probabilities(features)[:, 0] > 0.5).all()


class TestFit:
    @pytest.mark.parametrize("exclusive", [True, False])
    def test_is_the_same_for_the_same_seed(self, *, exclusive: bool) -> None:
        first, second = (heads.fit(*clusters(40, 4), exclusive=exclusive, seed=5) for _ in range(2))
        np.testing.assert_array_equal(first.head.weights, second.head.weights)
        np.testing.assert_array_equal(first.head.bias, second.head.bias)
        np.testing.assert_array_equal(first.held_out, second.held_out)

    def test_weighs_every_solver_and_names_the_best(self) -> None:
        fitted = heads.fit(*clusters(30, 3), exclusive=True, seed=0)
        losses = [candidate.log_loss for candidate in fitted.candidates]
        assert losses == sorted(losses)
        assert {candidate.method for candidate in fitted.candidates} == {"ridge", "gaussian", "logistic"}
        assert sum(candidate.weight for candidate in fitted.candidates) == pytest.approx(1)
        best = max(fitted.candidates, key=lambda candidate: candidate.weight)
        assert (fitted.method, fitted.regularisation) == (best.method, best.regularisation)

    @pytest.mark.parametrize("exclusive", [True, False])
    def test_stays_finite_on_equal_embeddings(self, *, exclusive: bool) -> None:
        targets = np.eye(2, dtype=bool)[np.arange(12) % 2]
        fitted = heads.fit(np.ones((12, 16), np.float32), targets, exclusive=exclusive, seed=0)
        np.testing.assert_allclose(fitted.head.probabilities(np.ones((1, 16), np.float32)), 0.5, atol=0.1)

    def test_refuses_a_tag_with_one_image(self) -> None:
        features, targets = clusters(11, 2)
        targets[:, 1], targets[0, 1] = False, True
        with pytest.raises(Invalid, match="at least 2"):
            heads.fit(features, targets, exclusive=False, seed=0)

    @pytest.mark.slow
    @pytest.mark.parametrize(("count", "seconds"), [(100, 3.0), (2000, 20.0)])
    def test_is_quick(self, count: int, seconds: float) -> None:
        sample = clusters(count, 10, dimension=352)
        began = time.perf_counter()
        heads.fit(*sample, exclusive=True, seed=0)
        assert time.perf_counter() - began < seconds  # ten times the target: this guards the order, not the clock


class TestBorrowed:
    """Images of an earlier iteration are learned from, and never judged."""

    def test_the_others_alone_are_judged(self) -> None:
        features, targets = clusters(60, 3)
        folds = evaluate.plan(targets, 0, own=np.arange(60) < 45)
        fitted = heads.fit(features, targets, exclusive=True, seed=0, folds=folds)
        assert fitted.judged.tolist() == list(range(45))
        assert fitted.held_out.shape == (len(folds), 45, 3)
        assert (fitted.held_out.argmax(2) == targets[:45].argmax(1)).mean() > 0.9

    def test_they_are_learned_from(self) -> None:
        features, targets = clusters(80, 2, spread=2.5)
        own = np.arange(80) < 12
        alone = heads.fit(features[own], targets[own], exclusive=True, seed=0)
        helped = heads.fit(features, targets, exclusive=True, seed=0, folds=evaluate.plan(targets, 0, own=own))
        unseen, truth = clusters(400, 2, spread=2.5, seed=1)
        scores = [(fitted.head.probabilities(unseen).argmax(1) == truth.argmax(1)).mean() for fitted in (alone, helped)]
        assert scores[1] > scores[0]

    def test_none_changes_nothing(self) -> None:
        features, targets = clusters(40, 3)
        plain = heads.fit(features, targets, exclusive=True, seed=0)
        same = heads.fit(
            features, targets, exclusive=True, seed=0, folds=evaluate.plan(targets, 0, own=np.ones(40, bool))
        )
        assert np.array_equal(plain.head.weights, same.head.weights)
        assert np.array_equal(plain.held_out, same.held_out)
