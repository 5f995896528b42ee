"""What more images of a tag would bring: learning curves of a plain head, carried a little further.

On growing parts of the images a ridge head is fitted and judged on the rest, again and again with other parts. Each
tag's error, one less its average precision, follows floor + scale * images^-power; the spread over the repeats gives
the interval.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foveal.engine import evaluate, solvers

MORE = 10  # images
REPEATS = 8
MOST_IMAGES = 600  # larger sets are sampled: a curve needs no more
PARTS = 10
HELD = 3  # parts that judge
LEARNED = (2, 3, 4, 5, 7)  # parts that are learned from, one number after the other
STRENGTH = 1e-2  # of the ridge
POWERS = (0.25, 0.5, 0.75, 1.0)
DRAWS = 200  # of the bootstrap
# Repeats share images, so that their mean is no surer than that of two that share none: the variance of the mean is
# 1/repeats + judged/learned of theirs (Nadeau and Bengio 2003), here 1/8 + 3/7.
INDEPENDENT = 2
INTERVAL = (5, 95)  # per cent
FEWEST = 20  # images of a tag: from ten, the gains expected on photos were half of those that came, from 20 as large

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gain:
    """What more images of a tag would bring in average precision (0..1), with a 90 % interval; None: too few to know.

    `now` is the average precision that the curve expects at today's number of images.
    """

    images: int
    now: float | None = None
    gain: float | None = None
    low: float | None = None
    high: float | None = None


def learning_curve(
    features: NDArray[np.float32], targets: NDArray[np.bool_], *, exclusive: bool, seed: int = 0
) -> list[Gain]:
    """Say for each tag what ten more images of it would bring, if the other tags grow in proportion.

    Args:
        features: (n, d), each of length one.
        targets: (n, k), which image has which tag.
        exclusive: an image has exactly one tag; else any number.
        seed: decides the parts.
    """
    rng = np.random.default_rng(seed)
    counts = targets.sum(0)
    if not (counts >= FEWEST).any():
        return [Gain(int(count)) for count in counts]
    chosen = _sampled(targets, rng)
    problem = _problem(features[chosen], targets[chosen], exclusive=exclusive)
    images, errors = _measured(problem, rng)
    return [_gain(int(count), images[:, tag], errors[:, :, tag], rng) for tag, count in enumerate(counts)]


def _sampled(targets: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.intp]:
    """Choose images of a large set so that each tag keeps its share."""
    if len(targets) <= MOST_IMAGES:
        return np.arange(len(targets))
    share = MOST_IMAGES / len(targets)
    wanted = np.maximum(targets.sum(0) * share, FEWEST)
    order, held = rng.permutation(len(targets)), np.zeros(targets.shape[1])
    kept: list[int] = []
    for image in order.tolist():
        tags = targets[image]
        if not tags.any() or (held[tags] < wanted[tags]).any():
            kept.append(image)
            held += tags
        if len(kept) == MOST_IMAGES:
            break
    return np.array(sorted(kept))


def _problem(features: NDArray[np.float32], targets: NDArray[np.bool_], *, exclusive: bool) -> solvers.Problem:
    """Centre, and rotate into the space that the images span: few images become cheap."""
    centred = features.astype(np.float64) - features.mean(0)
    if len(centred) < centred.shape[1]:
        centred = centred @ np.linalg.qr(centred.T)[0]
    length = max(float(np.sqrt((centred**2).sum(1).mean())), 1e-12)
    return solvers.Problem(centred / length, targets, exclusive)


def _measured(problem: solvers.Problem, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return images learned from (sizes, k) and errors (repeats, sizes, k), not a number where none could be judged."""
    tags = problem.targets.shape[1]
    images, errors = np.zeros((len(LEARNED), tags)), np.full((REPEATS, len(LEARNED), tags), np.nan)
    for repeat in range(REPEATS):
        parts = evaluate.folds(problem.targets, PARTS, rng)
        judged = parts < HELD
        for at, number in enumerate(LEARNED):
            learned = (parts >= HELD) & (parts < HELD + number)
            images[at] += problem.targets[learned].sum(0) / REPEATS
            errors[repeat, at] = _errors(problem, learned, judged)
    return images, errors


def _errors(problem: solvers.Problem, learned: NDArray[np.bool_], judged: NDArray[np.bool_]) -> Floats:
    [linear] = solvers.ridge(problem.part(learned), [STRENGTH])
    scores, hits = linear(problem.inputs[judged]), problem.targets[judged]
    known = problem.targets[learned].any(0) & hits.any(0)
    areas = [evaluate.average_precision(hits[:, tag], scores[:, tag]) for tag in range(hits.shape[1])]
    return np.where(known, 1 - np.array(areas), np.nan)


def _gain(count: int, images: Floats, errors: Floats, rng: np.random.Generator) -> Gain:
    """Fit the curve to the mean of the repeats, and again to the means of repeats drawn with replacement."""
    whole = errors[~np.isnan(errors).any(1)]
    if count < FEWEST or len(whole) < REPEATS // 2:
        return Gain(count)
    draws = whole[rng.integers(len(whole), size=(DRAWS, INDEPENDENT))].mean(1)
    means = np.vstack([whole.mean(0), draws])
    now, later = _expected(np.maximum(images, 1), means, np.array([count, count + MORE]))
    # One lot of images does not bring what lots bring on average: the last step of a repeat tells how much they differ.
    steps = whole[:, -2] - whole[:, -1]
    luck = rng.choice(steps - steps.mean(), DRAWS)
    low, high = np.percentile((now - later)[1:] + luck, INTERVAL)
    gain = max(float((now - later)[0]), 0.0)
    return Gain(count, float(np.clip(1 - now[0], 0, 1)), gain, float(min(low, gain)), float(max(high, gain)))


def _expected(images: Floats, errors: Floats, at: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Fit errors (m, sizes) over images (sizes,), and return what each curve says at two numbers of images."""
    best = np.full(len(errors), np.inf)
    values = np.zeros((len(at), len(errors)))
    for power in POWERS:
        shape = images**-power
        spread = float(((shape - shape.mean()) ** 2).sum())
        slope = (errors - errors.mean(1, keepdims=True)) @ (shape - shape.mean()) / max(spread, 1e-12)
        floor = errors.mean(1) - slope * shape.mean()
        # No error falls below nothing: such a curve goes down to nothing instead, as near to the errors as it can.
        scale = np.where(floor < 0, errors @ shape / (shape @ shape), slope)
        floor = np.maximum(floor, 0)
        misfit = ((floor[:, None] + scale[:, None] * shape - errors) ** 2).sum(1)
        better = misfit < best
        best = np.where(better, misfit, best)
        values = np.where(better, floor + scale * (at[:, None].astype(np.float64) ** -power), values)
    return values[0], values[1]
