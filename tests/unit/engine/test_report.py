"""What is said of a classifier, and how sure that is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy.special import expit, softmax

from foveal.engine import evaluate, report
from foveal.engine.evaluate import NEVER_HELD
from foveal.engine.report import Estimate, Judgements

DRAWS = 300


@st.composite
def judged(draw: st.DrawFn) -> Judgements:
    """A few images, tags and repeats, with any probabilities."""
    repeats, images, tags = (draw(st.integers(1, most)) for most in (2, 12, 3))
    targets = draw(arrays.arrays(bool, (images, tags)))
    values = st.one_of(st.floats(0, 1, width=32), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
    held_out = draw(arrays.arrays(np.float32, (repeats, images, tags), elements=values))
    return Judgements(targets, held_out, exclusive=False, design_effect=draw(st.sampled_from([1.0, 2.25])))


def exclusive(tags: list[int], likeliest: list[list[int]], *, sure: float = 0.8) -> Judgements:
    """Judgements of images that have one of three tags, one list of the likeliest tags for each repeat."""
    said = np.where(np.eye(3, dtype=bool)[np.array(likeliest)], sure, (1 - sure) / 2)
    return Judgements(np.eye(3, dtype=bool)[tags], said.astype(np.float32), exclusive=True)


def same(first: Estimate, second: Estimate) -> bool:
    return (first.value, first.low, first.high) == pytest.approx((second.value, second.low, second.high))


def thresholds(said: Judgements) -> list[float]:
    """One threshold for each set of decisions that is possible, ascending."""
    values = np.unique(said.held_out.astype(np.float64))
    return [float(value) for value in (values + np.append(0.0, values[:-1])) / 2]


class TestWilson:
    @pytest.mark.parametrize(
        ("value", "count", "low", "high"),
        [
            # (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n) with z = 1.6449, by hand.
            (0.8, 10, 0.5408, 0.9314),
            (1.0, 10, 0.7870, 1.0),
            (0.0, 10, 0.0, 0.2130),
            (0.5, 100, 0.4189, 0.5811),
        ],
    )
    def test_agrees_with_a_count_by_hand(self, value: float, count: int, low: float, high: float) -> None:
        found = report.wilson(value, count)
        assert (found.value, found.low, found.high) == (
            value,
            pytest.approx(low, abs=1e-4),
            pytest.approx(high, abs=1e-4),
        )

    def test_of_no_cases_is_everything(self) -> None:
        assert report.wilson(0.0, 0) == report.Estimate(0.0, 0.0, 1.0)

    @given(st.floats(0, 1), st.floats(0.1, 1e6))
    def test_holds_the_share_itself_and_stays_a_share(self, value: float, count: float) -> None:
        found = report.wilson(value, count)
        assert 0 <= found.low <= value + 1e-9
        assert value - 1e-9 <= found.high <= 1

    @pytest.mark.parametrize(("truth", "count"), [(0.5, 20), (0.9, 30), (0.97, 60)])
    def test_holds_the_truth_nine_times_in_ten(self, truth: float, count: int) -> None:
        found = [report.wilson(hits / count, count) for hits in np.random.default_rng(0).binomial(count, truth, DRAWS)]
        assert np.mean([each.low <= truth <= each.high for each in found]) >= 0.85


def crowd(count: int, seed: int) -> Judgements:
    """Images of eight tags, whose decisions are not independent: what is hard is hard for all tags."""
    rng = np.random.default_rng(seed)
    targets = rng.random((count, 8)) < 0.4
    hard = rng.random((count, 1)) < 0.2
    scores = np.where(targets, 1, -1) * np.where(hard, -0.5, 2) + rng.normal(0, 1, targets.shape)
    return Judgements(targets, expit(2 * scores)[None].astype(np.float32), exclusive=False)


class TestRatio:
    def test_holds_the_truth_nine_times_in_ten_where_decisions_depend_on_one_another(self) -> None:
        truth = report.report(crowd(200_000, 1), 0.5, promise=1).overall
        found = [report.report(crowd(60, seed), 0.5, promise=1).overall for seed in range(DRAWS)]
        for name in ("precision", "recall"):
            true = getattr(truth, name).value
            made = [getattr(each, name) for each in found]
            held = np.mean([each.low <= true <= each.high for each in made])
            # As if decisions were independent: the interval that this one is there to replace.
            plain = [report.wilson(each.value, 60 * 8 * 0.4) for each in made]
            assert held >= 0.85
            assert np.mean([each.low <= true <= each.high for each in plain]) < 0.8

    def test_of_single_decisions_is_wilsons(self) -> None:
        said = exclusive([0, 0, 0, 0, 1, 1, 1, 2, 2, 2], [[0, 0, 0, 1, 1, 1, 1, 2, 2, 2]])
        found = report.report(said, 0.5, promise=1)
        assert same(found.overall.recall, report.wilson(0.9, 10))
        assert same(found.tags[0].rates.recall, report.wilson(0.75, 4))

    def test_counts_an_image_for_less_by_the_design_effect(self) -> None:
        plain = exclusive([0, 0, 1, 2] * 4, [[0, 1, 1, 2] * 4])
        folded = Judgements(plain.targets, plain.held_out, exclusive=True, design_effect=2.0)
        assert same(report.report(plain, 0.5, promise=1).overall.recall, report.wilson(0.75, 16))
        assert same(report.report(folded, 0.5, promise=1).overall.recall, report.wilson(0.75, 8))

    def test_a_repeat_adds_no_certainty(self) -> None:
        once = exclusive([0, 1, 2, 0, 1, 2], [[0, 1, 2, 0, 1, 0]])
        twice = Judgements(once.targets, np.tile(once.held_out, (2, 1, 1)), exclusive=True)
        first, second = (report.report(said, 0.5, promise=1).overall for said in (once, twice))
        assert same(first.precision, second.precision)
        assert same(first.recall, second.recall)
        assert same(first.average_precision, second.average_precision)


class TestDesignEffect:
    @pytest.mark.parametrize(("folds", "effect"), [(10, 1 + 10 / 9), (5, 2.25), (2, 3.0)])
    def test_of_folds(self, folds: int, effect: float) -> None:
        placed = np.arange(100)[None] % folds
        assert report.design_effect(placed) == pytest.approx(effect)
        assert report.design_effect(np.tile(placed, (3, 1))) == pytest.approx(effect)

    def test_of_a_fifth_held_out(self) -> None:
        assert report.design_effect(np.where(np.arange(100) < 20, 0, NEVER_HELD)[None]) == pytest.approx(1.25)

    def test_images_that_are_only_learned_from_make_it_smaller(self) -> None:
        placed = np.append(np.arange(100) % 10, np.full(100, NEVER_HELD))[None]
        assert report.design_effect(placed) == pytest.approx(1 + 10 * 10 / 190)


class TestAveragePrecision:
    def test_its_interval_counts_the_images_of_the_tag(self) -> None:
        said = Judgements(np.eye(2, dtype=bool)[[0] * 10 + [1] * 20], np.zeros((1, 30, 2), np.float32), exclusive=True)
        found = report.report(said, 0.5, promise=1).tags[0].rates.average_precision
        assert (found.value, found.low, found.high) == pytest.approx((1 / 3, 0.1484, 0.5892), abs=1e-4)

    def test_of_a_perfect_tag_is_still_uncertain(self) -> None:
        said = exclusive([0] * 10 + [1] * 10, [[0] * 10 + [1] * 10])
        assert report.report(said, 0.5, promise=1).tags[0].rates.average_precision == report.wilson(1.0, 10)

    def test_the_mean_over_tags_is_surer_than_each(self) -> None:
        said = exclusive([0, 1, 2] * 8, [[0, 1, 2] * 8])
        found = report.report(said, 0.5, promise=1)
        each, overall = found.tags[0].rates.average_precision, found.overall.average_precision
        assert overall.value == pytest.approx(1)
        assert each.low < overall.low < 1

    def test_a_tag_that_no_judged_image_has_is_left_out_of_the_mean(self) -> None:
        said = exclusive([0] * 10 + [1] * 10, [[0] * 10 + [1] * 10])
        found = report.report(said, 0.5, promise=1)
        assert found.overall.average_precision.value == pytest.approx(1)
        assert (found.tags[2].images, found.tags[2].known) == (0, False)

    def test_holds_the_truth_nine_times_in_ten(self) -> None:
        def made(count: int, seed: int) -> Judgements:
            rng = np.random.default_rng(seed)
            targets = (np.arange(count) % 4 == 0)[:, None]
            scores = targets * 1.8 + rng.normal(0, 1, targets.shape)
            return Judgements(targets, expit(scores)[None].astype(np.float32), exclusive=False)

        truth = report.report(made(200_000, 1), 0.5, promise=1).overall.average_precision.value
        found = [
            report.report(made(160, seed), 0.5, promise=1).tags[0].rates.average_precision for seed in range(DRAWS)
        ]
        assert np.mean([each.low <= truth <= each.high for each in found]) >= 0.85


class TestThresholds:
    @settings(deadline=None)
    @given(judged())
    def test_no_threshold_has_a_better_f1_than_the_best(self, said: Judgements) -> None:
        best = report.report(said, 0.5, promise=1).best_f1

        def f1(threshold: float) -> float:
            predicted = said.stacked >= np.float64(threshold)
            return 2 * float((predicted & said.repeated).sum()) / max(float(predicted.sum() + said.repeated.sum()), 1)

        assert best.f1 == pytest.approx(max(f1(each) for each in thresholds(said)))
        assert best.f1 == pytest.approx(f1(best.threshold))

    @settings(deadline=None)
    @given(judged(), st.sampled_from([0.3, 0.5, 0.6]))
    def test_the_lowest_one_that_keeps_the_promise_is_found(self, said: Judgements, promise: float) -> None:
        found = report.report(said, 0.5, promise=promise).promising
        lows = [(each, report.report(said, each, promise=1).overall.precision.low) for each in thresholds(said)]
        keeping = [each for each, low in lows if low >= promise and (said.stacked >= np.float64(each)).any()]
        assert (found and found.threshold) == (pytest.approx(keeping[0]) if keeping else None)

    def test_a_promise_is_kept_and_the_next_lower_threshold_breaks_it(self) -> None:
        said = crowd(400, 3)
        found = report.report(said, 0.5, promise=0.8)
        for tag, each in enumerate(found.tags):
            assert each.promising is not None
            assert each.promising.precision.low >= 0.8
            below = said.held_out[..., tag][said.held_out[..., tag] < each.promising.threshold].max()
            assert report.report(said, float(below), promise=1).tags[tag].rates.precision.low < 0.8

    def test_what_cannot_be_promised_is_not(self) -> None:
        said = exclusive([0, 1, 2], [[0, 1, 2]])
        assert report.report(said, 0.5, promise=0.95).promising is None


class TestCounts:
    def test_right_wrong_and_missed_are_means_over_repeats(self) -> None:
        said = exclusive([0, 0, 1, 2], [[0, 1, 1, 2], [0, 0, 1, 1]])
        red, green, blue = report.report(said, 0.5, promise=1).tags
        assert (red.images, red.right, red.wrong, red.missed) == (2, 1.5, 0, 0.5)
        assert (green.images, green.right, green.wrong, green.missed) == (1, 1, 1, 0)
        assert (blue.images, blue.right, blue.wrong, blue.missed) == (1, 0.5, 0, 0.5)

    @settings(deadline=None)
    @given(judged(), st.floats(0, 1))
    def test_the_figures_are_those_of_azures_route(self, said: Judgements, threshold: float) -> None:
        threshold = float(np.float32(threshold))
        found = report.report(said, threshold, promise=1)
        plain = evaluate.performance(said.repeated, said.stacked, threshold)
        for ours, theirs in zip(
            (found.overall, *(tag.rates for tag in found.tags)), (plain.overall, *plain.tags), strict=True
        ):
            assert ours.precision.value == pytest.approx(theirs.precision)
            assert ours.recall.value == pytest.approx(theirs.recall)
            assert ours.average_precision.value == pytest.approx(theirs.average_precision)

    def test_too_few_images_are_told(self) -> None:
        known = {count: report.report(exclusive([0, 1] * count, [[0, 1] * count]), 0.5, promise=1) for count in (2, 3)}
        assert [known[2].tags[0].known, known[3].tags[0].known] == [False, True]
        assert known[2].known


class TestConfusion:
    def test_counts_images_by_their_tag_and_the_likeliest(self) -> None:
        said = exclusive([0, 0, 1, 2], [[0, 1, 1, 2], [0, 0, 1, 1]])
        assert report.report(said, 0.5, promise=1).confusion == ((1.5, 0.5, 0), (0, 1, 0), (0, 0.5, 0.5))

    @given(st.lists(st.tuples(*[st.integers(0, 2)] * 4), min_size=1, max_size=30))
    def test_its_rows_sum_to_the_images_of_the_tags(self, rows: list[tuple[int, int, int, int]]) -> None:
        tags = [row[0] for row in rows]
        said = exclusive(tags, [[row[at] for row in rows] for at in (1, 2, 3)])
        found = report.report(said, 0.5, promise=1).confusion
        assert found is not None
        np.testing.assert_allclose(np.sum(found, axis=1), np.bincount(tags, minlength=3), atol=1e-5)

    def test_there_is_none_where_tags_do_not_exclude_one_another(self) -> None:
        assert report.report(crowd(20, 0), 0.5, promise=1).confusion is None


def calibrated(count: int, seed: int, *, exclusive: bool, sharpened: float = 1.0) -> Judgements:
    """Tags drawn from the very probabilities that are told, made too sure by `sharpened`."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 1.5, (count, 4))
    if exclusive:
        drawn = (scores + rng.gumbel(size=scores.shape)).argmax(1)
        targets: NDArray[np.bool_] = np.eye(4, dtype=bool)[drawn]
        said = softmax(scores * sharpened, axis=1)
    else:
        targets = rng.random(scores.shape) < expit(scores)
        said = expit(scores * sharpened)
    return Judgements(targets, said[None].astype(np.float32), exclusive=exclusive)


class TestReliability:
    @pytest.mark.parametrize("exclusive", [True, False])
    def test_of_a_calibrated_model_is_what_chance_brings(self, *, exclusive: bool) -> None:
        found = [report.reliability(calibrated(200, seed, exclusive=exclusive)) for seed in range(100)]
        errors, expected = (np.mean([getattr(each, name) for each in found]) for name in ("error", "by_chance"))
        assert errors == pytest.approx(expected, rel=0.1)

    @pytest.mark.parametrize("exclusive", [True, False])
    def test_of_one_that_is_too_sure_is_more(self, *, exclusive: bool) -> None:
        found = report.reliability(calibrated(1000, 0, exclusive=exclusive, sharpened=4))
        assert found.error > 4 * found.by_chance

    def test_bins_hold_all_judgements_in_order(self) -> None:
        found = report.reliability(calibrated(95, 0, exclusive=False)).bins
        assert sum(each.count for each in found) == 95 * 4
        assert [each.confidence for each in found] == sorted(each.confidence for each in found)

    def test_of_very_few_images_is_finite(self) -> None:
        found = report.reliability(exclusive([0, 1], [[0, 1]]))
        assert found.error == pytest.approx(0.2)
        assert len(found.bins) == 2
