"""All thresholds at once, and one at a time, give the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from foveal.engine import report
from foveal.engine.curve import THRESHOLDS, Curve, curve
from foveal.engine.detection.evidence import Boxes
from foveal.engine.detection.scores import Truth
from foveal.engine.report import Evidence, Judgements
from foveal.geometry import Detections

BOXES = np.array([[0.1, 0.1, 0.5, 0.5], [0.6, 0.6, 0.9, 0.9], [0.1, 0.1, 0.4, 0.5]])


@st.composite
def judged(draw: st.DrawFn) -> Judgements:
    """A few images, tags and repeats, with any probabilities."""
    repeats, images, tags = (draw(st.integers(1, most)) for most in (3, 12, 3))
    targets = draw(arrays.arrays(bool, (images, tags)))
    values = st.one_of(st.floats(0, 1, width=32), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
    held_out = draw(arrays.arrays(np.float32, (repeats, images, tags), elements=values))
    return Judgements(targets, held_out, exclusive=False, design_effect=draw(st.sampled_from([1.0, 2.25])))


def boxes(seed: int) -> Boxes:
    """Some boxes of two tags on six images, among them images without any."""
    rng = np.random.default_rng(seed)
    found, truth = list[Detections](), list[Truth]()
    for _ in range(6):
        many, there = rng.integers(0, 4), rng.integers(0, 3)
        found.append(Detections(BOXES[rng.integers(0, 3, many)], rng.integers(0, 2, many), rng.random(many)))
        truth.append(Truth(BOXES[rng.permutation(2)[:there]], rng.integers(0, 2, there)))
    return Boxes(found, truth, 2, 0.3, 2.25)


def check(said: Evidence, at: int) -> None:
    """Compare one step of the curves with the report for that threshold."""
    found = report.report(said, float(THRESHOLDS[at]), promise=0.9)
    same(found.overall, curve(said, range(said.tags)), at)
    for tag, told in enumerate(found.tags):
        one = curve(said, (tag,))
        same(told.rates, one, at)
        assert (one.right[at], one.wrong[at], one.missed[at]) == pytest.approx((told.right, told.wrong, told.missed))


def same(rates: report.Rates, one: Curve, at: int) -> None:
    for told, line in ((rates.precision, one.precision), (rates.recall, one.recall)):
        expected = (told.value, told.low, told.high)
        assert (line.values[at], line.lows[at], line.highs[at]) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(judged(), st.integers(0, 100))
def test_a_classifiers_is_that_of_its_report(said: Judgements, at: int) -> None:
    check(said, at)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("at", [0, 30, 77, 100])
def test_a_detectors_is_that_of_its_report(seed: int, at: int) -> None:
    check(boxes(seed), at)


def test_nothing_found_leaves_everything_open() -> None:
    said = Boxes(
        [Detections(np.empty((0, 4)), np.empty(0, np.intp), np.empty(0))], [Truth(BOXES[:1], np.zeros(1, int))], 1, 0.3
    )
    found = curve(said, (0,))
    assert set(found.precision.values) == {0.0}
    assert (set(found.precision.lows), set(found.precision.highs)) == ({0.0}, {1.0})
    assert set(found.missed) == {1.0}
