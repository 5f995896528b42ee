"""Heads: from embeddings to the probability of each tag, weighed by cross-validation. numpy and scipy only.

A head is linear on L2-normalised embeddings, followed by a softmax where an image has exactly one tag and by a sigmoid
per tag otherwise. An average of heads is a head: each candidate counts by its cross-validated likelihood, which on few
images is steadier than the best of many that are nearly equal. Solvers see the embeddings rotated into the space that
the images span: no result changes, as each is invariant to rotation, and few images become cheap.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, softmax

from foveal.engine import calibration, evaluate, solvers
from foveal.engine.features import head_features
from foveal.errors import Invalid

MOST_FOLDS = 5
MANY_IMAGES = 1_000  # from here on three folds judge as surely as five do
MANY_IMAGES_FOLDS = 3
FEWEST_FOLDS = 2
NEVER_HELD = -1  # the fold of images that are only learned from
CONFIDENCE = 0.5  # of each image in the log loss: folds share images, so their losses are not independent
SMALLEST_WEIGHT = 0.01  # relative to the best candidate

Floats = NDArray[np.float64]
Targets = NDArray[np.bool_]  # (n, k)
Solver = Callable[[solvers.Problem, Sequence[float]], list[solvers.Linear]]


@dataclass(frozen=True, slots=True)
class Head:
    """Softmax or sigmoid of `normalised embedding @ weights + bias`; weights (d, k), bias (k,), float32."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    exclusive: bool

    def probabilities(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities (n, k) for raw embeddings (n, d)."""
        scores = head_features(embeddings) @ self.weights + self.bias
        return softmax(scores, axis=1) if self.exclusive else expit(scores)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to make a head, its cross-validated log loss in nats per image or decision, and what it counts."""

    method: str
    regularisation: float
    log_loss: float
    weight: float = 0.0  # its share of the head, 0..1


@dataclass(frozen=True, slots=True)
class Fitted:
    """A head, the method that counts most in it, its out-of-fold probabilities (n, k), and what was tried."""

    head: Head
    method: str
    regularisation: float
    held_out: NDArray[np.float32]
    candidates: tuple[Candidate, ...]


SOLVERS: Mapping[str, tuple[Solver, tuple[float, ...]]] = {
    "ridge": (solvers.ridge, (1e-4, 1e-3, 1e-2, 1e-1)),
    "gaussian": (solvers.gaussian, (0.01, 0.03, 0.1, 0.3, 0.7)),
    "logistic": (solvers.logistic, (1e-2, 1e-3, 1e-4)),
}


@dataclass(frozen=True, slots=True)
class _Trial:
    """A candidate with the calibration fitted on its out-of-fold scores, and those scores calibrated, (n, k)."""

    candidate: Candidate
    calibration: calibration.Calibration
    calibrated: Floats


@dataclass(frozen=True, slots=True)
class _Space:
    """Images in their own coordinates, `(normalised - centre) @ basis`, of mean square length one."""

    centre: Floats  # (d,)
    basis: Floats  # (d, r)
    coordinates: Floats  # (n, r)


def fit(
    features: NDArray[np.float32],
    targets: Targets,
    *,
    exclusive: bool,
    seed: int,
    borrowed: NDArray[np.bool_] | None = None,
) -> Fitted:
    """Weigh, calibrate and fit a head.

    Args:
        features: raw embeddings (n, d).
        targets: (n, k), which image has which tag.
        exclusive: each image has exactly one tag (softmax); else any number, none included (sigmoids).
        seed: decides the folds; the same data and seed give the same head.
        borrowed: (n,), which images are only learned from: an earlier iteration's, that nobody asks to be judged.
            The out-of-fold probabilities are those of the others, in their order.
    """
    own = np.ones(len(targets), bool) if borrowed is None else ~borrowed
    _check(features, targets, own, exclusive=exclusive)
    space = _space(head_features(features).astype(np.float64))
    problem = solvers.Problem(space.coordinates, targets, exclusive)
    folds = np.full(len(targets), NEVER_HELD, np.intp)
    folds[own] = _folds(targets[own], seed)
    trials = _weighed(_trials(problem, folds), int(own.sum()))
    best = trials[0].candidate
    scores = sum((trial.candidate.weight * trial.calibrated for trial in trials), np.zeros(targets[own].shape))
    held_out = (softmax(scores, axis=1) if exclusive else expit(scores)).astype(np.float32)
    candidates = tuple(trial.candidate for trial in trials)
    return Fitted(_head(problem, space, trials), best.method, best.regularisation, held_out, candidates)


def _check(features: NDArray[np.float32], targets: Targets, own: NDArray[np.bool_], *, exclusive: bool) -> None:
    if features.shape[0] != targets.shape[0] or targets.shape[1] == 0:
        raise Invalid(f"{features.shape[0]} embeddings do not fit targets of shape {targets.shape}.")
    if exclusive and (targets.shape[1] < FEWEST_FOLDS or not (targets.sum(1) == 1).all()):
        raise Invalid("Each image must have exactly one of at least two tags.")
    fewest = int(targets[own].sum(0).min())
    if fewest < FEWEST_FOLDS:
        raise Invalid(f"Each tag must have at least {FEWEST_FOLDS} images; one has {fewest}.")


def _space(vectors: Floats) -> _Space:
    centre = vectors.mean(0)
    centred = vectors - centre
    count, dimension = vectors.shape
    basis = np.eye(dimension) if count > dimension else np.linalg.qr(centred.T)[0]
    length = max(float(np.sqrt((centred**2).sum(1).mean())), 1e-12)
    return _Space(centre, basis / length, centred @ basis / length)


def _folds(targets: Targets, seed: int) -> NDArray[np.intp]:
    most = MOST_FOLDS if len(targets) < MANY_IMAGES else MANY_IMAGES_FOLDS
    count = int(np.clip(targets.sum(0).min(), FEWEST_FOLDS, most))
    return evaluate.folds(targets, count, np.random.default_rng(seed))


def _trials(problem: solvers.Problem, folds: NDArray[np.intp]) -> list[_Trial]:
    """Every candidate's scores on the folds that it did not see."""
    own = folds != NEVER_HELD
    judged = problem.part(own)
    trials: list[_Trial] = []
    for method, (solve, strengths) in SOLVERS.items():
        scores = np.empty((len(strengths), *problem.targets.shape))
        for fold in range(folds.max() + 1):
            held = folds == fold
            for row, linear in enumerate(solve(problem.part(~held), strengths)):
                scores[row, held] = linear(problem.inputs[held])
        trials += [_trial(judged, method, strength, scores[row, own]) for row, strength in enumerate(strengths)]
    return trials


def _trial(problem: solvers.Problem, method: str, regularisation: float, scores: Floats) -> _Trial:
    fitted = calibration.fit(scores, problem.targets, exclusive=problem.exclusive)
    calibrated = fitted.apply(scores)
    return _Trial(Candidate(method, regularisation, _log_loss(calibrated, problem)), fitted, calibrated)


def _weighed(trials: Sequence[_Trial], images: int) -> list[_Trial]:
    """Best first, each with its weight; what hardly counts is left out of the head altogether."""
    ordered = sorted(trials, key=lambda trial: trial.candidate.log_loss)
    losses = np.array([trial.candidate.log_loss for trial in ordered])
    weights = np.exp(-CONFIDENCE * images * (losses - losses[0]))
    weights[weights < SMALLEST_WEIGHT] = 0
    pairs = zip(ordered, (weights / weights.sum()).tolist(), strict=True)
    return [replace(trial, candidate=replace(trial.candidate, weight=weight)) for trial, weight in pairs]


def _log_loss(scores: Floats, problem: solvers.Problem) -> float:
    """Weighted as in fitting, so that a rare tag has its say in the choice."""
    if problem.exclusive:
        return float(-(problem.image_weights * log_softmax(scores, 1)[problem.targets]).mean())
    return float(-log_expit(np.where(problem.targets, scores, -scores)).mean())


def _head(problem: solvers.Problem, space: _Space, trials: Sequence[_Trial]) -> Head:
    """Fit what counts to all images; calibration, weight, rotation and centre fold into one linear map."""
    weights, bias = np.zeros((problem.inputs.shape[1], problem.targets.shape[1])), np.zeros(problem.targets.shape[1])
    for method, (solve, _) in SOLVERS.items():
        counting = [each for each in trials if each.candidate.method == method and each.candidate.weight > 0]
        counting.sort(key=lambda trial: -trial.candidate.regularisation)
        solved = solve(problem, [each.candidate.regularisation for each in counting])
        for trial, linear in zip(counting, solved, strict=True):
            share, scale = trial.candidate.weight, trial.calibration.scale
            weights += share * scale * linear.weights
            bias += share * (scale * linear.bias + trial.calibration.shift)
    weights = space.basis @ weights
    return Head(weights.astype(np.float32), (bias - space.centre @ weights).astype(np.float32), problem.exclusive)
