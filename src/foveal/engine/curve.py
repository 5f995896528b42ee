"""Precision and recall at every threshold of a slider at once, each with how sure it is.

The same figures as `report` gives for one threshold. There, the variance of a ratio is a sum of squares over images;
multiplied out, it needs the sums of hits², hits · predictions and predictions² alone. Each of them grows by a known
amount whenever the threshold falls below one more probability, so that all are running sums over sorted probabilities.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foveal.engine import report
from foveal.engine.report import Evidence, Floats

THRESHOLDS: Floats = np.arange(101) / 100
NOTHING = 1e-12
"""Of a sum of squares: what is left of it by rounding alone."""


@dataclass(frozen=True, slots=True)
class Line:
    """A share at each threshold (t,), and the interval that holds the true one nine times in ten."""

    values: Floats
    lows: Floats
    highs: Floats


@dataclass(frozen=True, slots=True)
class Curve:
    """What comes of each threshold (t,); `right`, `wrong` and `missed` count as in `report.TagReport`."""

    precision: Line
    recall: Line
    right: Floats
    wrong: Floats
    missed: Floats


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums over images at each threshold (t,)."""

    hits: Floats
    predicted: Floats
    hits_squared: Floats
    hits_predicted: Floats
    predicted_squared: Floats
    hits_true: Floats


def curve(said: Evidence, tags: Sequence[int], thresholds: Floats = THRESHOLDS) -> Curve:
    """Say what comes of each threshold, over these tags together."""
    true = said.counts(tags, 1.0).true
    sums = _sums(said, tags, true, thresholds)
    total, squares = (np.full(len(thresholds), float(each.sum())) for each in (true, true**2))
    return Curve(
        precision=_ratio(
            said, sums.hits, sums.predicted, (sums.hits_squared, sums.hits_predicted, sums.predicted_squared)
        ),
        recall=_ratio(said, sums.hits, total, (sums.hits_squared, sums.hits_true, squares)),
        right=sums.hits,
        wrong=sums.predicted - sums.hits,
        missed=total - sums.hits,
    )


def _sums(said: Evidence, tags: Sequence[int], true: Floats, thresholds: Floats) -> _Sums:
    scores, right, images = said.judged(tags)
    reached = np.searchsorted(thresholds, scores, side="right")
    order = np.lexsort((-reached, images))
    reached, right, images = reached[order], right[order], images[order]
    first = np.searchsorted(images, images)  # where the judgements of the same image begin
    before = np.arange(len(images)) - first
    hits = np.cumsum(right) - (np.cumsum(right) - right)[first]  # of the image, up to this judgement

    def reaching(weights: NDArray[np.generic]) -> Floats:
        binned = np.bincount(reached, weights=weights, minlength=len(thresholds) + 1)
        return np.cumsum(binned[::-1])[::-1][1:].astype(np.float64)

    repeats = said.repeats
    return _Sums(
        hits=reaching(right) / repeats,
        predicted=reaching(np.ones(len(images))) / repeats,
        hits_squared=reaching(right * (2 * hits - 1)) / repeats**2,
        hits_predicted=reaching(hits + right * before) / repeats**2,
        predicted_squared=reaching(2 * before + 1) / repeats**2,
        hits_true=reaching(right * true[images]) / repeats,
    )


def _ratio(said: Evidence, hits: Floats, cases: Floats, squares: tuple[Floats, Floats, Floats]) -> Line:
    """Ratios of sums (t,) as `report` has them, from the sums over images of hits², hits · cases and cases²."""
    some = cases > 0
    total = np.where(some, cases, 1.0)
    values = np.where(some, hits / total, 0.0)
    own, mixed, other = squares
    spread = own - 2 * values * mixed + values**2 * other
    certain = spread <= NOTHING * np.maximum(own, other)
    worth = values * (1 - values) * total**2 / np.where(certain, 1.0, spread)
    worth = np.where(certain, total, np.minimum(total, worth))
    lows, highs = report.wilsons(values, worth / said.design_effect)
    return Line(values, np.where(some, lows, 0.0), np.where(some, highs, 1.0))
