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
from foveal.engine.calibration import Calibration
from foveal.engine.evaluate import FEWEST_FOLDS, MOST_HELD_OUT, NEVER_HELD, Folds
from foveal.engine.features import head_features
from foveal.errors import Invalid

CONFIDENCE = 0.5  # of each image in the log loss: folds share images, so their losses are not independent
SMALLEST_WEIGHT = 0.01  # relative to the best candidate

Floats = NDArray[np.floating]
Targets = NDArray[np.bool_]  # (n, k)
Solver = Callable[[solvers.Problem, Sequence[float]], list[solvers.Linear]]
Tried = Mapping[str, tuple[Solver, tuple[float, ...]]]


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
    """A head, the method that counts most in it, what was tried, and what was said of images not seen.

    `judged` (m,) are the images that were judged, ascending; `held_out` (repeats, m, k) what each repeat said of them,
    `uncalibrated` (repeats, m, k) what the best candidate's bare scores would have said.
    """

    head: Head
    method: str
    regularisation: float
    judged: NDArray[np.intp]
    held_out: NDArray[np.float32]
    uncalibrated: NDArray[np.float32]
    candidates: tuple[Candidate, ...]


SOLVERS: Tried = {
    "ridge": (solvers.ridge, (1e-4, 1e-3, 1e-2, 1e-1)),
    "gaussian": (solvers.gaussian, (0.01, 0.03, 0.1, 0.3, 0.7)),
    "logistic": (solvers.logistic, (1e-2, 1e-3, 1e-4)),
}
CLOSED_FORM = ("ridge", "gaussian")
"""What is tried on very many images: the solvers that need one pass over them."""


@dataclass(frozen=True, slots=True)
class _Trial:
    """A candidate with its out-of-fold scores (repeats * m, k), and the calibration fitted on them."""

    candidate: Candidate
    scores: Floats
    calibration: Calibration


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
    folds: Folds | None = None,
) -> Fitted:
    """Weigh, calibrate and fit a head.

    Args:
        features: raw embeddings (n, d).
        targets: (n, k), which image has which tag.
        exclusive: each image has exactly one tag (softmax); else any number, none included (sigmoids).
        seed: decides the folds; the same data and seed give the same head.
        folds: (repeats, n), in which fold an image is judged, `NEVER_HELD` for those that are only learned from;
            default: `evaluate.plan`.
    """
    if folds is None:
        folds = evaluate.plan(targets, seed)
    judged = np.flatnonzero(folds[0] != NEVER_HELD)
    _check(features, targets, judged, exclusive=exclusive)
    space = _space(head_features(features))
    problem = solvers.Problem(space.coordinates, targets, exclusive)
    tried = _tried(len(targets))
    said = out_of_fold(folds, lambda held: _scores(problem.part(~held), problem.inputs[held], tried))
    return _assembled(problem, space, said, judged)


def out_of_fold(folds: Folds, judge: Callable[[NDArray[np.bool_]], Floats]) -> Floats:
    """What is said of each judged image by what did not see its fold, (c, repeats, m, k), by folds (repeats, n).

    `judge` gives the scores (c, held, k) of the images held out, a mask (n,), having seen the others alone.
    """
    repeats: list[Floats] = []
    for placed in folds:
        parts = [np.flatnonzero(placed == fold) for fold in range(placed.max() + 1)]
        found = np.concatenate([judge(placed == fold) for fold in range(len(parts))], axis=1)
        repeats.append(found[:, np.argsort(np.concatenate(parts))])
    return np.stack(repeats, axis=1)


def scores(features: NDArray[np.float32], targets: Targets, held: NDArray[np.float32], *, exclusive: bool) -> Floats:
    """What each candidate, fitted on raw embeddings (n, d) and their targets, says of those held out (m, d): (c, m, k).

    For embeddings that differ from fold to fold, as those of a network that is trained anew for each.
    """
    space = _space(head_features(features))
    problem = solvers.Problem(space.coordinates, targets, exclusive)
    return _scores(problem, (head_features(held) - space.centre) @ space.basis, _tried(len(features) + len(held)))


def assemble(
    features: NDArray[np.float32], targets: Targets, said: Floats, judged: NDArray[np.intp], *, exclusive: bool
) -> Fitted:
    """Weigh, calibrate and fit a head on raw embeddings (n, d), given `scores` of the judged ones (c, repeats, m, k).

    Rows of the embeddings that nobody judges are learned from too.
    """
    space = _space(head_features(features))
    return _assembled(solvers.Problem(space.coordinates, targets, exclusive), space, said, judged)


def log_loss(said: Floats, targets: Targets, *, exclusive: bool) -> float:
    """The calibrated log loss, in nats per image or decision, of the head that `scores` (c, m, k) would give."""
    judged = solvers.Problem(np.zeros((len(targets), 1)), targets, exclusive)
    together, final = _together(_weighed(_trials(judged, said), len(targets)), judged)
    return _log_loss(final.apply(together), judged)


def _assembled(problem: solvers.Problem, space: _Space, said: Floats, judged: NDArray[np.intp]) -> Fitted:
    """Make the head from the out-of-fold scores (c, repeats, m, k) of the judged images."""
    shape = said.shape[1:]
    repeated = problem.part(np.tile(judged, shape[0]))
    trials = _weighed(_trials(repeated, said.reshape(len(said), -1, shape[-1])), len(judged))
    together, final = _together(trials, repeated)
    best = trials[0]

    def probabilities(scores: Floats) -> NDArray[np.float32]:
        values = softmax(scores, axis=1) if problem.exclusive else expit(scores)
        return values.astype(np.float32).reshape(shape)

    return Fitted(
        head=_head(problem, space, trials, final),
        method=best.candidate.method,
        regularisation=best.candidate.regularisation,
        judged=judged,
        held_out=probabilities(final.apply(together)),
        uncalibrated=probabilities(best.scores),
        candidates=tuple(trial.candidate for trial in trials),
    )


def _check(features: NDArray[np.float32], targets: Targets, judged: NDArray[np.intp], *, exclusive: bool) -> None:
    if features.shape[0] != targets.shape[0] or targets.shape[1] == 0:
        raise Invalid(f"{features.shape[0]} embeddings do not fit targets of shape {targets.shape}.")
    if exclusive and (targets.shape[1] < FEWEST_FOLDS or not (targets.sum(1) == 1).all()):
        raise Invalid("Each image must have exactly one of at least two tags.")
    fewest = int(targets[judged].sum(0).min())
    if fewest < FEWEST_FOLDS:
        raise Invalid(f"Each tag must have at least {FEWEST_FOLDS} images; one has {fewest}.")


def _space(features: NDArray[np.float32]) -> _Space:
    # Of very many images, single precision is enough and twice as fast.
    vectors: Floats = features if len(features) > MOST_HELD_OUT else features.astype(np.float64)
    centre = vectors.mean(0)
    centred = vectors - centre
    count, dimension = vectors.shape
    basis = np.eye(dimension, dtype=vectors.dtype) if count > dimension else np.linalg.qr(centred.T)[0]
    length = max(float(np.sqrt((centred**2).sum(1).mean())), 1e-12)
    coordinates = centred / length if count > dimension else centred @ basis / length
    return _Space(centre, basis / length, coordinates)


def _tried(images: int) -> Tried:
    """The solvers that are tried on so many images, with their strengths."""
    return SOLVERS if images <= MOST_HELD_OUT else {name: SOLVERS[name] for name in CLOSED_FORM}


def _scores(problem: solvers.Problem, held: Floats, tried: Tried) -> Floats:
    """What each candidate, fitted on the problem, says of other coordinates (m, r): (c, m, k)."""
    found: list[Floats] = []
    for solve, strengths in tried.values():
        found += [linear(held) for linear in solve(problem, strengths)]
    return np.stack(found)


def _trials(judged: solvers.Problem, said: Floats) -> list[_Trial]:
    """Every candidate with its scores (c, m, k) on what it did not see; there are as many as solvers were tried."""
    names = [(method, strength) for method, (_, strengths) in SOLVERS.items() for strength in strengths]
    return [_trial(judged, *name, scores) for name, scores in zip(names, said, strict=False)]


def _together(trials: Sequence[_Trial], judged: solvers.Problem) -> tuple[Floats, Calibration]:
    """The weighted scores (m, k) of the trials, and the calibration of their sum."""
    together = np.zeros(judged.targets.shape)
    for trial in trials:
        together += trial.candidate.weight * trial.calibration.apply(trial.scores)
    return together, calibration.fit(together, judged.targets, exclusive=judged.exclusive)


def _trial(judged: solvers.Problem, method: str, regularisation: float, scores: Floats) -> _Trial:
    fitted = calibration.fit(scores, judged.targets, exclusive=judged.exclusive)
    return _Trial(Candidate(method, regularisation, _log_loss(fitted.apply(scores), judged)), scores, fitted)


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


def _head(problem: solvers.Problem, space: _Space, trials: Sequence[_Trial], final: Calibration) -> Head:
    """Fit what counts to all images; calibrations, weights, rotation and centre fold into one linear map."""
    weights, bias = np.zeros((problem.inputs.shape[1], problem.targets.shape[1])), np.zeros(problem.targets.shape[1])
    for method, (solve, _) in SOLVERS.items():
        counting = [each for each in trials if each.candidate.method == method and each.candidate.weight > 0]
        counting.sort(key=lambda trial: -trial.candidate.regularisation)
        solved = solve(problem, [each.candidate.regularisation for each in counting])
        for trial, linear in zip(counting, solved, strict=True):
            share, scale = trial.candidate.weight, trial.calibration.scale
            weights += share * scale * linear.weights
            bias += share * (scale * linear.bias + trial.calibration.shift)
    weights, bias = space.basis @ weights * final.scale, bias * final.scale + final.shift
    return Head(weights.astype(np.float32), (bias - space.centre @ weights).astype(np.float32), problem.exclusive)
