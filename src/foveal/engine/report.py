"""All that can be said of how good a classifier is, each figure with how sure it is.

Intervals hold nine times in ten. They are Wilson's (1927), on the number of images that the judgements are worth:
models that judge by cross-validation share training images and differ from the one that will serve, so that an image
counts for less than one (`design_effect`, after Nadeau & Bengio 2003), and decisions on one image are not independent
(the variance of a ratio over images). Average precision counts as a share of the images that have the tag (the
binomial interval of Boyd, Eng & Page 2013).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from foveal.engine import evaluate
from foveal.engine.evaluate import NEVER_HELD, Folds, Targets

CONFIDENCE = 0.9
Z = 1.6449  # of the normal distribution, for that confidence on two sides
TOO_WIDE = 0.5  # an interval of recall that leaves half of all values open says nothing
BINS = 10  # of equal numbers of judgements

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share 0..1 and the interval that holds the true one nine times in ten."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rates:
    """Precision and recall at a threshold, and average precision over all thresholds."""

    precision: Estimate
    recall: Estimate
    average_precision: Estimate


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold and what comes of it."""

    threshold: float
    precision: Estimate
    recall: Estimate
    f1: float


@dataclass(frozen=True, slots=True)
class TagReport:
    """What is known of one tag; `known` is False where there are too few images to say anything.

    `right`, `wrong` and `missed` count images: rightly said to have the tag, wrongly so, and wrongly not (means over
    repeats).
    """

    images: int
    known: bool
    rates: Rates
    right: float
    wrong: float
    missed: float
    best_f1: Choice
    promising: Choice | None
    """The lowest threshold whose precision is as promised, to 95 in 100 cases; None: there is none."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Judgements of like confidence: how sure they were, how often right, and how many they are."""

    confidence: float
    accuracy: float
    count: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """Expected calibration error: how far confidence and being right lie apart on average.

    `by_chance` is what a perfectly calibrated model would show on so few images.
    """

    error: float
    by_chance: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of a classifier at a threshold."""

    threshold: float
    images: int
    known: bool
    overall: Rates
    tags: tuple[TagReport, ...]
    best_f1: Choice
    promising: Choice | None
    confusion: tuple[tuple[float, ...], ...] | None
    """Images by their tag (row) and the likeliest tag (column), means over repeats; None: tags do not exclude."""
    reliability: Reliability


@dataclass(frozen=True, slots=True)
class Counts:
    """Of each image (m,), as means over repeats: right predictions, predictions, what is really there."""

    hits: Floats
    predicted: Floats
    true: Floats


class Evidence(Protocol):
    """What a report is made from: what was said of images, and whether it is right."""

    @property
    def tags(self) -> int: ...

    @property
    def images(self) -> int: ...

    @property
    def repeats(self) -> int:
        """How often each image was judged."""
        ...

    @property
    def design_effect(self) -> float:
        """How many judged images one independent image is worth."""
        ...

    def confidences(self) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
        """How sure each judgement was (j,), and whether it was right (j,)."""
        ...

    @property
    def confusion(self) -> tuple[tuple[float, ...], ...] | None:
        """Images by their tag (row) and the likeliest tag (column), means over repeats."""
        ...

    def cases(self, tag: int) -> int:
        """How many images, or objects, bear the tag."""
        ...

    def area(self, tag: int) -> float:
        """Average precision."""
        ...

    def counts(self, tags: Sequence[int], threshold: float) -> Counts: ...

    def said(self, tags: Sequence[int]) -> tuple[Floats, NDArray[np.bool_]]:
        """Every probability that was given (j,), and whether it was right to give it (j,)."""
        ...

    def judged(self, tags: Sequence[int]) -> tuple[Floats, NDArray[np.bool_], NDArray[np.intp]]:
        """The same, and in which image (j,)."""
        ...


@dataclass(frozen=True)
class Judgements:
    """What classifiers that had not seen an image said of it.

    Args:
        targets: (m, k), which image has which tag.
        held_out: (repeats, m, k) probabilities.
        exclusive: an image has exactly one tag.
        design_effect: how many judged images one independent image is worth; see `design_effect`.
    """

    targets: Targets
    held_out: NDArray[np.floating]
    exclusive: bool
    design_effect: float = 1.0

    @cached_property
    def repeated(self) -> Targets:
        return np.tile(self.targets, (len(self.held_out), 1))

    @cached_property
    def stacked(self) -> NDArray[np.floating]:
        return self.held_out.reshape(-1, self.targets.shape[1])

    @property
    def repeats(self) -> int:
        return len(self.held_out)

    @property
    def tags(self) -> int:
        return self.targets.shape[1]

    @property
    def images(self) -> int:
        return len(self.targets)

    def cases(self, tag: int) -> int:
        return int(self.targets[:, tag].sum())

    def area(self, tag: int) -> float:
        return evaluate.average_precision(self.repeated[:, tag], self.stacked[:, tag])

    def counts(self, tags: Sequence[int], threshold: float) -> Counts:
        targets = self.targets[:, tags]
        predicted = self.held_out[:, :, tags] >= np.float64(threshold)  # a plain float would be rounded to single
        hits = (predicted & targets).sum(2).mean(0)
        return Counts(hits, predicted.sum(2).mean(0), targets.sum(1).astype(np.float64))

    def said(self, tags: Sequence[int]) -> tuple[Floats, NDArray[np.bool_]]:
        return self.stacked[:, tags].ravel().astype(np.float64), self.repeated[:, tags].ravel()

    def judged(self, tags: Sequence[int]) -> tuple[Floats, NDArray[np.bool_], NDArray[np.intp]]:
        return *self.said(tags), np.repeat(np.tile(np.arange(self.images), self.repeats), len(tags))

    def confidences(self) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
        if not self.exclusive:
            return self.stacked.ravel(), self.repeated.ravel()
        right = self.repeated[np.arange(len(self.stacked)), self.stacked.argmax(1)]
        return self.stacked.max(1), right

    @property
    def confusion(self) -> tuple[tuple[float, ...], ...] | None:
        return _confusion(self) if self.exclusive else None


def design_effect(folds: Folds) -> float:
    """How many times the variance of independent judgements those by folds (repeats, n) have.

    1 + J * (judged images / images learned from), for J folds: Nadeau & Bengio 2003, "Inference for the generalization
    error", with one more repeat counting for nothing.
    """
    placed = folds[0]
    count = int(placed.max()) + 1
    judged = float(np.bincount(placed[placed != NEVER_HELD], minlength=count).mean())
    return 1 + count * judged / max(len(placed) - judged, 1)


def report(said: Evidence, threshold: float, *, promise: float) -> Report:
    """Say all that is known at the threshold, and which thresholds keep the promised precision."""
    every = tuple(range(said.tags))
    tags = tuple(_tag(said, tag, threshold, promise) for tag in every)
    overall = _overall(said, threshold, tags)
    return Report(
        threshold=threshold,
        images=said.images,
        known=_known(overall),
        overall=overall,
        tags=tags,
        best_f1=_best_f1(said, every),
        promising=_promising(said, every, promise),
        confusion=said.confusion,
        reliability=reliability(said),
    )


def reliability(said: Evidence) -> Reliability:
    """Compare confidence and being right, in bins of equal numbers of judgements.

    Where tags exclude one another, a judgement is the likeliest tag of an image; else each tag of each image; of a
    detector each box.
    """
    confidence, right = said.confidences()
    parts = [part for part in np.array_split(np.argsort(confidence, kind="stable"), BINS) if len(part)]
    bins = tuple(Bin(float(confidence[part].mean()), float(right[part].mean()), len(part)) for part in parts)
    error = sum(each.count * abs(each.confidence - each.accuracy) for each in bins) / max(len(confidence), 1)
    return Reliability(error, _by_chance(bins, said.repeats), bins)


def wilson(value: float, count: float) -> Estimate:
    """Wilson's interval of a share that was observed in so many independent cases; of none, all of 0..1."""
    low, high = wilsons(np.array(value), np.array(count))
    return Estimate(value, float(low), float(high))


def wilsons(shares: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Both ends of many such intervals; 0..1 where the count is 0."""
    some = np.where(counts > 0, counts, 1.0)
    middle = (shares + Z**2 / (2 * some)) / (1 + Z**2 / some)
    half = Z / (1 + Z**2 / some) * np.sqrt(shares * (1 - shares) / some + Z**2 / (4 * some**2))
    low, high = np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)
    return np.where(counts > 0, low, 0.0), np.where(counts > 0, high, 1.0)


def _by_chance(bins: Sequence[Bin], repeats: int) -> float:
    """Mean absolute deviation of a share, by the normal distribution; repeats of an image are one case."""
    total = sum(each.count for each in bins)
    spread = [each.confidence * (1 - each.confidence) / (each.count / repeats) for each in bins]
    return sum(each.count * np.sqrt(2 / np.pi * wide) for each, wide in zip(bins, spread, strict=True)) / max(total, 1)


def _tag(said: Evidence, tag: int, threshold: float, promise: float) -> TagReport:
    tags = (tag,)
    counts, cases = said.counts(tags, threshold), said.cases(tag)
    precision, recall = _precision_and_recall(said, counts)
    rates = Rates(precision, recall, wilson(said.area(tag), cases / said.design_effect))
    right = float(counts.hits.sum())
    return TagReport(
        images=cases,
        known=_known(rates),
        rates=rates,
        right=right,
        wrong=float(counts.predicted.sum()) - right,
        missed=float(counts.true.sum()) - right,
        best_f1=_best_f1(said, tags),
        promising=_promising(said, tags, promise),
    )


def _overall(said: Evidence, threshold: float, tags: Sequence[TagReport]) -> Rates:
    # A tag without images to judge it by says nothing of the model; where all are so, nothing is known.
    areas = [tag.rates.average_precision for tag in tags if tag.images] or [Estimate(0.0, 0.0, 1.0)]
    value = float(np.mean([area.value for area in areas]))
    half = float(np.sqrt(sum(((area.high - area.low) / 2) ** 2 for area in areas))) / len(areas)
    area = Estimate(value, max(0.0, value - half), min(1.0, value + half))
    return Rates(*_precision_and_recall(said, said.counts(range(said.tags), threshold)), area)


def _known(rates: Rates) -> bool:
    return rates.recall.high - rates.recall.low <= TOO_WIDE


def _precision_and_recall(said: Evidence, counts: Counts) -> tuple[Estimate, Estimate]:
    return _ratio(said, counts.hits, counts.predicted), _ratio(said, counts.hits, counts.true)


def _ratio(said: Evidence, hits: Floats, cases: Floats) -> Estimate:
    """Sum of hits over sum of cases, (m,) each, with the interval that the variance between images allows."""
    total = float(cases.sum())
    if total == 0:
        return Estimate(0.0, 0.0, 1.0)
    value = float(hits.sum()) / total
    variance = float(((hits - value * cases) ** 2).sum()) / total**2
    worth = min(total, value * (1 - value) / variance) if variance > 0 else total
    return wilson(value, worth / said.design_effect)


def _best_f1(said: Evidence, tags: Sequence[int]) -> Choice:
    thresholds, hits, predicted = _sweep(said, tags)
    if not len(thresholds):
        return Choice(0.0, Estimate(0.0, 0.0, 1.0), Estimate(0.0, 0.0, 1.0), 0.0)
    true = said.repeats * sum(said.cases(tag) for tag in tags)
    best = int(np.argmax(2 * hits / np.maximum(predicted + true, 1)))
    return _choice(said, tags, float(thresholds[best]))


def _promising(said: Evidence, tags: Sequence[int], promise: float) -> Choice | None:
    thresholds, hits, predicted = _sweep(said, tags)
    # A first sieve by the plain interval, which is never the wider one; the low thresholds come last.
    worth = predicted / said.repeats / said.design_effect
    for at in np.flatnonzero(wilsons(hits / predicted, worth)[0] >= promise)[::-1]:
        choice = _choice(said, tags, float(thresholds[at]))
        if choice.precision.low >= promise:
            return choice
    return None


def _sweep(said: Evidence, tags: Sequence[int]) -> tuple[Floats, Floats, Floats]:
    """For each threshold that makes a difference, highest first: it, and how many hits and predictions it gives.

    A threshold lies half way between two probabilities that occur.
    """
    scores, right = said.said(tags)
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1) if len(scores) else np.empty(0, np.intp)
    values = scores[order][ends]
    thresholds = (values + np.append(values[1:], [0.0][: len(values)])) / 2
    return thresholds, np.cumsum(right[order])[ends].astype(np.float64), (ends + 1).astype(np.float64)


def _choice(said: Evidence, tags: Sequence[int], threshold: float) -> Choice:
    precision, recall = _precision_and_recall(said, said.counts(tags, threshold))
    together = precision.value + recall.value
    return Choice(threshold, precision, recall, 2 * precision.value * recall.value / together if together else 0.0)


def _confusion(said: Judgements) -> tuple[tuple[float, ...], ...]:
    likeliest = said.stacked.argmax(1)
    true = said.repeated.argmax(1)
    counts = np.zeros((said.targets.shape[1],) * 2)
    np.add.at(counts, (true, likeliest), 1 / len(said.held_out))
    return tuple(tuple(float(each) for each in row) for row in counts.round(6))
