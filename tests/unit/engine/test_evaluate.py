import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from foveal.engine import evaluate

tag_sets = arrays.arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 5)))


@st.composite
def guesses(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    targets = draw(tag_sets)
    return targets, draw(arrays.arrays(np.float32, targets.shape, elements=st.floats(0, 1, width=32)))


class TestFolds:
    @given(tag_sets, st.integers(2, 5), st.integers(0, 9))
    def test_give_every_image_a_fold_and_keep_them_even(self, targets: np.ndarray, count: int, seed: int) -> None:
        made = evaluate.folds(targets, count, np.random.default_rng(seed))
        assert made.shape == (len(targets),)
        assert set(made.tolist()) <= set(range(count))

    @given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(2, 5))
    def test_spread_exclusive_tags_within_one(self, tags: list[int], count: int) -> None:
        targets = np.eye(4, dtype=bool)[tags]
        made = evaluate.folds(targets, count, np.random.default_rng(0))
        per_fold = np.array([targets[made == fold].sum(0) for fold in range(count)])
        assert (per_fold.max(0) - per_fold.min(0) <= 1).all()

    def test_spread_images_without_tags(self) -> None:
        made = evaluate.folds(np.zeros((10, 2), bool), 5, np.random.default_rng(0))
        assert np.bincount(made).tolist() == [2] * 5

    def test_are_the_same_for_the_same_seed(self) -> None:
        targets = np.random.default_rng(1).random((50, 3)) < 0.4
        first, second = (evaluate.folds(targets, 5, np.random.default_rng(7)) for _ in range(2))
        np.testing.assert_array_equal(first, second)


@st.composite
def sets(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images of one of three tags, which are one's own, and the groups that they are in."""
    tags = draw(st.lists(st.integers(0, 2), min_size=2, max_size=70))
    own = np.arange(len(tags)) < draw(st.integers(2, len(tags)))
    groups = draw(st.lists(st.integers(0, 40), min_size=len(tags), max_size=len(tags)))
    return np.eye(3, dtype=bool)[tags], own, np.array(groups)


class TestPlan:
    @given(sets(), st.integers(0, 3))
    def test_every_own_image_is_judged_once_in_each_repeat_and_no_other(
        self, sets: tuple[np.ndarray, np.ndarray, np.ndarray], seed: int
    ) -> None:
        targets, own, groups = sets
        made = evaluate.plan(targets, seed, own=own, groups=groups)
        assert made.shape[1] == len(targets)
        assert (made[:, own] >= 0).all()
        assert (made[:, ~own] == evaluate.NEVER_HELD).all()

    @given(sets(), st.integers(0, 3))
    def test_groups_share_a_fold_unless_too_little_of_a_tag_were_left_to_learn_from(
        self, sets: tuple[np.ndarray, np.ndarray, np.ndarray], seed: int
    ) -> None:
        targets, own, groups = sets
        made = evaluate.plan(targets, seed, own=own, groups=groups)[:, own]
        rarest = min(len(set(groups[own][column])) for column in targets[own].T)
        if rarest < evaluate.FEWEST_FOLDS:
            np.testing.assert_array_equal(made, evaluate.plan(targets, seed, own=own)[:, own])
            return
        for repeat, placed in enumerate(made):
            count = int(placed.max()) + 1
            together = evaluate.folds(targets[own], count, np.random.default_rng((seed, repeat)), groups[own])
            left = min(targets[own][together != fold].sum(0).min() for fold in range(count))
            shares = all(len(set(placed[groups[own] == group])) == 1 for group in groups[own])
            assert shares or left < evaluate.FEWEST_FOLDS

    @pytest.mark.parametrize(
        ("count", "folds", "repeats"),
        [(10, 5, 3), (60, 10, 3), (61, 10, 2), (200, 10, 2), (400, 10, 1), (1000, 5, 1), (1001, 3, 1), (5000, 3, 1)],
    )
    def test_few_images_are_judged_more_often(self, count: int, folds: int, repeats: int) -> None:
        made = evaluate.plan(np.eye(2, dtype=bool)[np.arange(count) % 2], 0)
        assert made.shape == (repeats, count)
        assert [set(row.tolist()) for row in made] == [set(range(folds))] * repeats

    def test_repeats_differ(self) -> None:
        made = evaluate.plan(np.eye(2, dtype=bool)[np.arange(60) % 2], 0)
        assert len({row.tobytes() for row in made}) == 3

    def test_of_many_images_a_stratified_fifth_is_held_out(self) -> None:
        tags = np.arange(5005) % 7
        [made] = evaluate.plan(np.eye(7, dtype=bool)[tags], 0)
        assert set(made.tolist()) == {0, evaluate.NEVER_HELD}
        np.testing.assert_array_equal(np.bincount(tags[made == 0]), 5005 // 7 // 5)

    def test_is_the_same_for_the_same_seed(self) -> None:
        targets = np.eye(3, dtype=bool)[np.arange(80) % 3]
        np.testing.assert_array_equal(evaluate.plan(targets, 4), evaluate.plan(targets, 4))


class TestTeachable:
    def test_groups_across_tags_never_leave_a_tag_without_images_to_learn_from(self) -> None:
        for seed in range(60):
            rng = np.random.default_rng(seed)
            targets = np.eye(3, dtype=bool)[np.arange(36) % 3]
            groups = rng.integers(0, 4, 36)  # few large groups that hold images of all tags
            for most in (None, 3):
                for placed in evaluate.plan(targets, seed, groups=groups, most_folds=most):
                    left = [targets[placed != fold].sum(0).min() for fold in range(placed.max() + 1)]
                    assert min(left) >= 2


class TestAveragePrecision:
    def test_agrees_with_a_count_by_hand(self) -> None:
        hits = np.array([True, False, True, False])
        assert evaluate.average_precision(hits, np.array([0.9, 0.8, 0.7, 0.1])) == pytest.approx((1 + 2 / 3) / 2)

    def test_is_one_where_all_hits_come_first(self) -> None:
        assert evaluate.average_precision(np.array([False, True, True]), np.array([0.1, 0.5, 0.9])) == 1.0

    def test_is_the_share_of_hits_where_all_scores_are_equal(self) -> None:
        assert evaluate.average_precision(np.array([True, False, False, False]), np.ones(4)) == pytest.approx(0.25)

    def test_is_zero_without_hits(self) -> None:
        assert evaluate.average_precision(np.zeros(3, bool), np.arange(3.0)) == 0.0

    @given(guesses())
    def test_does_not_depend_on_the_order(self, guess: tuple[np.ndarray, np.ndarray]) -> None:
        hits, scores = guess[0][:, 0], guess[1][:, 0]
        order = np.random.default_rng(0).permutation(len(hits))
        expected = evaluate.average_precision(hits, scores)
        assert evaluate.average_precision(hits[order], scores[order]) == pytest.approx(expected)


class TestPerformance:
    @given(guesses(), st.floats(0, 1))
    def test_stays_between_zero_and_one(self, guess: tuple[np.ndarray, np.ndarray], threshold: float) -> None:
        made = evaluate.performance(*guess, threshold)
        for scores in (made.overall, *made.tags):
            for value in (scores.precision, scores.recall, scores.average_precision):
                assert 0 <= value <= 1 + 1e-9

    @given(guesses())
    def test_finds_everything_at_threshold_zero(self, guess: tuple[np.ndarray, np.ndarray]) -> None:
        made = evaluate.performance(*guess, 0.0)
        assert made.overall.recall == (1.0 if guess[0].any() else 0.0)
        assert made.overall.precision == pytest.approx(guess[0].mean())

    def test_pools_decisions_and_averages_areas(self) -> None:
        targets = np.array([[True, False], [True, False], [False, True], [False, True]])
        probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.1, 0.5]])
        made = evaluate.performance(targets, probabilities, 0.5)
        assert made.overall.precision == pytest.approx(3 / 4)
        assert made.overall.recall == pytest.approx(3 / 4)
        assert [tag.recall for tag in made.tags] == [0.5, 1.0]
        assert [tag.precision for tag in made.tags] == [1.0, pytest.approx(2 / 3)]
        assert made.overall.average_precision == pytest.approx(np.mean([tag.average_precision for tag in made.tags]))

    def test_a_tag_that_no_image_has_is_left_out_of_the_mean(self) -> None:
        targets = np.array([[True, False], [False, False]])
        made = evaluate.performance(targets, np.array([[0.9, 0.1], [0.1, 0.2]]), 0.5)
        assert made.overall.average_precision == 1
        assert made.tags[1].average_precision == 0

    def test_is_zero_where_nothing_was_predicted_or_tagged(self) -> None:
        made = evaluate.performance(np.zeros((2, 1), bool), np.zeros((2, 1)), 0.5)
        assert made.overall == evaluate.Scores(0.0, 0.0, 0.0)
