"""The last, fixed step of an embedding: square root, then half-whitening by what the training images look like.

Pooled activations are like counts, a few large and many small, and their directions vary unequally. The square root
(as in Hellinger kernels; Perronnin et al. 2010) and dividing by the square root of each principal direction's deviation
even this out, which a head fitted on a few images cannot learn by itself.
"""

from collections.abc import Iterable
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


@dataclass(frozen=True)
class Finish:
    """Pooled (n, d) becomes `(sqrt(pooled) - mean) @ basis`; mean (d,), basis (d, d), strongest direction first."""

    mean: NDArray[np.float32]
    basis: NDArray[np.float32]

    def apply(self, pooled: NDArray[np.float32]) -> NDArray[np.float32]:
        return (np.sqrt(pooled) - self.mean) @ self.basis


def measure(pooled: NDArray[np.float32]) -> Finish:
    """Take the principal directions of pooled activations (n, d) of the training images."""
    roots = np.sqrt(pooled).astype(np.float64)
    variance, directions = np.linalg.eigh(np.cov(roots.T))
    variance, directions = variance[::-1], directions[:, ::-1]
    basis = directions * np.maximum(variance, variance[0] * FLOOR) ** -0.25
    made = (roots - roots.mean(0)) @ basis
    basis /= np.sqrt((made**2).sum(1).mean())  # typical length one
    return Finish(roots.mean(0).astype(np.float32), basis.astype(np.float32))


def plain_views(recipe: run.Recipe, pools: run.Pools) -> Iterable[Tensor]:
    """Training images as they are, without the changes of colour and the blends of training."""
    plain = replace(recipe, augmentation=PLAIN)
    return (run.batch(plain, pools, step) for step in range(BATCHES))


@torch.no_grad()
def pooled(student: Student, views: Iterable[Tensor]) -> NDArray[np.float32]:
    return np.concatenate([student.embed(images).numpy() for images in views])
