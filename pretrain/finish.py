"""The last, fixed step of an embedding: half-whitening, part by part, by what the training images look like.

The parts are the mean over the last map and the spatial deviations of the last few maps. Their directions vary
unequally; dividing by the square root of each principal direction's deviation evens this out, which a head fitted on a
few images cannot learn by itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pretrain import run
from pretrain.data import Augmentation
from pretrain.students import Student

PLAIN = Augmentation(area=(0.6, 1.0), aspect=1.0, contrast=0, brightness=0, colour=0, mixup=0)
BATCHES = 32
FLOOR = 1e-4  # of the largest variance: directions that hardly vary are not blown up further
FINEST_WEIGHT = 0.7  # of the finest map's deviation beside the other parts


@dataclass(frozen=True)
class Part:
    """A part (n, d) becomes `(part - mean) @ basis`; mean (d,), basis (d, d), strongest direction first."""

    mean: NDArray[np.float32]
    basis: NDArray[np.float32]


@dataclass(frozen=True)
class Finish:
    """The parts of an embedding, each brought to a like length, side by side."""

    parts: tuple[Part, ...]

    def apply(self, pooled: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        made = [(values - part.mean) @ part.basis for values, part in zip(pooled, self.parts, strict=True)]
        return np.concatenate(made, axis=1).astype(np.float32)


def measure(pooled: Sequence[NDArray[np.float32]]) -> Finish:
    """Take the principal directions of the parts, each (n, d), of the training images."""
    weights = [1.0] * (len(pooled) - 1) + [FINEST_WEIGHT]
    return Finish(tuple(_part(values, weight) for values, weight in zip(pooled, weights, strict=True)))


def _part(values: NDArray[np.float32], length: float) -> Part:
    precise = values.astype(np.float64)
    variance, directions = np.linalg.eigh(np.cov(precise.T))
    variance, directions = variance[::-1], directions[:, ::-1]
    basis = directions * np.maximum(variance, variance[0] * FLOOR) ** -0.25
    made = (precise - precise.mean(0)) @ basis
    basis *= length / np.sqrt((made**2).sum(1).mean())  # the typical length becomes `length`
    return Part(precise.mean(0).astype(np.float32), basis.astype(np.float32))


def plain_views(recipe: run.Recipe, pools: run.Pools) -> Iterable[Tensor]:
    """Training images as they are, without the changes of colour and the blends of training."""
    plain = replace(recipe, augmentation=PLAIN)
    return (run.batch(plain, pools, step) for step in range(BATCHES))


@torch.no_grad()
def pooled(student: Student, views: Iterable[Tensor]) -> list[NDArray[np.float32]]:
    """The parts of the embedding, each (n, d), before the finish."""
    made = [[part.numpy() for part in student.pooled(images)] for images in views]
    return [np.concatenate(part) for part in zip(*made, strict=True)]
