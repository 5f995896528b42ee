"""Scores to honest probabilities: one scale for all tags, and one shift a tag where tags do not exclude one another.

Fitted on scores of images that the scorer did not see. Targets are softened by one image in n + 2 (Laplace's rule;
Platt 1999 did it per class), so that a few images, all of them right, do not make the head certain.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_expit, log_softmax

SCALE_LIMITS = (1e-3, 1e3)
SHIFT_SPREAD = 1.0  # of the prior on a tag's shift, in nats

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Scores become `scores * scale + shift`; shift (k,)."""

    scale: float
    shift: Floats

    def apply(self, scores: Floats) -> Floats:
        return scores * self.scale + self.shift


def fit(scores: Floats, targets: NDArray[np.bool_], *, exclusive: bool) -> Calibration:
    """Find the scale and shifts that make held-out scores (n, k) most likely, given targets (n, k)."""
    typical = max(float(scores.std()), 1e-9)  # the search happens in scores of spread one, whatever the solver's units
    soft = _softened(targets, exclusive=exclusive)
    scale, shift = (_temperature if exclusive else _platt)(scores / typical, soft)
    return Calibration(scale / typical, shift)


def _softened(targets: NDArray[np.bool_], *, exclusive: bool) -> Floats:
    count, tags = targets.shape
    doubt = 1 / (count + 2)
    others = max(tags - 1, 1) if exclusive else 1
    return np.where(targets, 1 - doubt, doubt / others)


def _temperature(scores: Floats, soft: Floats) -> tuple[float, Floats]:
    def loss(logarithm: float) -> float:
        return -float((soft * log_softmax(scores * np.exp(logarithm), 1)).sum(1).mean())

    limits = tuple(np.log(SCALE_LIMITS))
    found: Any = minimize_scalar(loss, bounds=limits, method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x)), np.zeros(scores.shape[1])


def _platt(scores: Floats, soft: Floats) -> tuple[float, Floats]:
    def loss(values: Floats) -> tuple[float, Floats]:
        scale, shift = np.exp(values[0]), values[1:]
        moved = scores * scale + shift
        value = -(soft * log_expit(moved) + (1 - soft) * log_expit(-moved)).sum()
        slope = expit(moved) - soft
        gradient = np.append((slope * scores).sum() * scale, slope.sum(0) + shift / SHIFT_SPREAD**2)
        return float(value + 0.5 * ((shift / SHIFT_SPREAD) ** 2).sum()), gradient

    limits = [tuple(np.log(SCALE_LIMITS)), *[(None, None)] * scores.shape[1]]
    found = minimize(loss, np.zeros(scores.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=limits)
    return float(np.exp(found.x[0])), np.asarray(found.x[1:])
