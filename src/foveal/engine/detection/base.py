"""What detectors begin as: a backbone, and what finds things of any kind on it. No torch."""

from dataclasses import dataclass
from importlib import resources

import numpy as np

from foveal.engine import backbones
from foveal.engine.backbones import Backbone
from foveal.engine.detection.graph import Weights
from foveal.errors import NotFound


@dataclass(frozen=True, slots=True)
class Base:
    """A backbone, and the weights, by name, of what finds things of any kind on it."""

    backbone: Backbone
    finder: Weights


def find(backbone: str) -> Base:
    """Return what detectors on this backbone begin as.

    Raises:
        NotFound: None are made on it.
    """
    row = backbones.find(backbone)
    path = resources.files("foveal.engine") / "weights" / f"{backbone}-finder.npz"
    if not path.is_file():
        raise NotFound(f"Detectors are not made on the backbone {backbone}.")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return Base(row, {name: arrays[name].astype(np.float32) for name in arrays.files})
