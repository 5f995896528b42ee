"""Three ways to a linear head: ridge regression, shared-covariance Gaussians, logistic regression.

Each takes a problem and several strengths of regularisation, and gives one linear map per strength.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.optimize import minimize
from scipy.special import expit, log_expit, log_softmax

LOGISTIC_STEPS = 60
LOGISTIC_TOLERANCE = 1e-4
SMALLEST_SPREAD = 1e-9

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Problem:
    """Inputs (n, r) of mean square length about one and targets (n, k); exactly one tag an image where exclusive."""

    inputs: Floats
    targets: NDArray[np.bool_]
    exclusive: bool

    def part(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Problem":
        return Problem(self.inputs[chosen], self.targets[chosen], self.exclusive)

    @cached_property
    def single(self) -> NDArray[np.float32]:
        """The inputs in single precision, for the many products of an iterative solver: half the memory to read."""
        return self.inputs.astype(np.float32)

    @cached_property
    def image_weights(self) -> Floats:
        """Weight per image (n,), mean one: half way (by the square root) to equal tags; ones if not exclusive."""
        if not self.exclusive:
            return np.ones(len(self.inputs))
        weights = (self.targets / np.sqrt(np.maximum(self.targets.sum(0), 1))).sum(1)
        return weights / weights.mean()

    @cached_property
    def decision_weights(self) -> Floats:
        """Weight per image and tag (n, k): the square-root balance between the images with and without the tag."""
        held, without = np.maximum(self.targets.sum(0), 1), np.maximum((~self.targets).sum(0), 1)
        weights = np.where(self.targets, 1 / np.sqrt(held), 1 / np.sqrt(without))
        return weights / weights.mean(0)


@dataclass(frozen=True, slots=True)
class Linear:
    """Scores `inputs @ weights + bias`; weights (r, k), bias (k,)."""

    weights: Floats
    bias: Floats

    def __call__(self, inputs: Floats) -> Floats:
        return inputs @ self.weights + self.bias


def ridge(problem: Problem, strengths: Sequence[float]) -> list[Linear]:
    """Least squares to +1 and -1, in closed form; the strength is relative to the mean square of the inputs."""
    weights = (problem.image_weights / problem.image_weights.sum()).astype(problem.inputs.dtype)
    middle = weights @ problem.inputs
    signs = np.where(problem.targets, 1.0, -1.0).astype(problem.inputs.dtype)
    level = weights @ signs
    weighted = problem.inputs * weights[:, None]
    gram = weighted.T @ problem.inputs - np.outer(middle, middle)  # the inputs are centred, or nearly so
    right = weighted.T @ (signs - level)
    solved = [_solve(gram, right, strength) for strength in strengths]
    return [Linear(each, level - middle @ each) for each in solved]


def gaussian(problem: Problem, strengths: Sequence[float]) -> list[Linear]:
    """Discriminants of Gaussians that share one covariance, shrunk towards a sphere by the strength (0..1).

    Scores are log likelihood ratios: between the tags where they exclude one another, else of having the tag to not
    having it (its own two means within the covariance of all images).
    """
    return _classes(problem, strengths) if problem.exclusive else _pairs(problem, strengths)


def logistic(problem: Problem, strengths: Sequence[float]) -> list[Linear]:
    """Balanced logistic regression by L-BFGS; go from strong to weak, each starts where the last one ended."""
    rank, tags = problem.inputs.shape[1], problem.targets.shape[1]
    flat, made = np.zeros((rank + 1) * tags), list[Linear]()
    for strength in strengths:
        options = {"maxiter": LOGISTIC_STEPS, "gtol": LOGISTIC_TOLERANCE}
        found = minimize(_loss, flat, args=(problem, strength), jac=True, method="L-BFGS-B", options=options)
        flat = np.asarray(found.x)
        weights = flat.reshape(rank + 1, tags)
        made.append(Linear(weights[:-1], weights[-1]))
    return made


def _classes(problem: Problem, strengths: Sequence[float]) -> list[Linear]:
    held = problem.targets.astype(problem.inputs.dtype)
    means = held.T @ problem.inputs / np.maximum(held.sum(0), 1)[:, None]
    rest = problem.inputs - held @ means
    degrees = max(len(rest) - held.shape[1], 1)
    shrunk = _shrunk(rest.T @ rest / degrees, means.T, strengths)
    return [Linear(solved, -0.5 * (means * solved.T).sum(1)) for solved in shrunk]


def _pairs(problem: Problem, strengths: Sequence[float]) -> list[Linear]:
    held = problem.targets.astype(problem.inputs.dtype)
    count = len(held)
    with_tag, without = np.maximum(held.sum(0), 1), np.maximum(count - held.sum(0), 1)
    middle = problem.inputs.mean(0)
    mean_with = held.T @ problem.inputs / with_tag[:, None]
    mean_without = (1 - held).T @ problem.inputs / without[:, None]
    apart, between = mean_with - mean_without, (mean_with + mean_without) / 2
    share = with_tag * without / count**2
    centred = problem.inputs - middle
    made: list[Linear] = []
    for solved in _shrunk(centred.T @ centred / count, apart.T, strengths):
        # Sherman-Morrison: the covariance within the two groups is that of all images less share * apart apart'.
        within = solved / np.maximum(1 - share * (apart * solved.T).sum(1), SMALLEST_SPREAD)
        made.append(Linear(within, np.log(with_tag / without) - (between * within.T).sum(1)))
    return made


def _shrunk(covariance: Floats, right: Floats, strengths: Sequence[float]) -> list[Floats]:
    """Solve ((1 - s) covariance + s mean variance) x = right for each strength."""
    spread = max(float(np.trace(covariance)) / len(covariance), SMALLEST_SPREAD)
    return [_solve((1 - strength) * covariance, right, strength * spread) for strength in strengths]


def _solve(gram: Floats, right: Floats, ridge: float) -> Floats:
    raised = gram.copy()
    raised.flat[:: len(gram) + 1] += ridge
    return linalg.solve(raised, right, assume_a="pos", overwrite_a=True)


def _loss(flat: Floats, problem: Problem, strength: float) -> tuple[float, Floats]:
    """Penalised mean negative log likelihood and its gradient; the bias is free."""
    weights = flat.reshape(-1, problem.targets.shape[1])
    scores = problem.single @ weights[:-1].astype(np.float32) + weights[-1]
    value, slope = (_softmax_loss if problem.exclusive else _sigmoid_loss)(scores, problem)
    gradient = np.vstack([problem.single.T @ slope.astype(np.float32) + strength * weights[:-1], slope.sum(0)])
    return value + 0.5 * strength * float((weights[:-1] ** 2).sum()), gradient.ravel()


def _softmax_loss(scores: Floats, problem: Problem) -> tuple[float, Floats]:
    logged, share = log_softmax(scores, 1), problem.image_weights[:, None] / len(scores)
    value = -float((logged * problem.targets * share).sum())
    return value, (np.exp(logged) - problem.targets) * share


def _sigmoid_loss(scores: Floats, problem: Problem) -> tuple[float, Floats]:
    share = problem.decision_weights / len(scores)
    value = -float((log_expit(np.where(problem.targets, scores, -scores)) * share).sum())
    return value, (expit(scores) - problem.targets) * share
