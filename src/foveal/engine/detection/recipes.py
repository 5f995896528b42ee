"""How detectors begin and how long they are trained."""

from importlib import resources

import numpy as np

from foveal.engine import backbones
from foveal.engine.detection.training import Base
from foveal.engine.detection.tune import Course, Schedule
from foveal.engine.detection.views import Policy
from foveal.engine.training import SEED
from foveal.errors import NotFound

STEPS = 100  # with up to so many images:
FEW = 40
MOST_STEPS = 400


def base(backbone: str) -> Base:
    """The backbone, and what finds things of any kind on it.

    Raises:
        NotFound: Detectors are not made on this backbone.
    """
    row = backbones.find(backbone)
    path = resources.files("foveal.engine") / "weights" / f"{backbone}-finder.npz"
    if not path.is_file():
        raise NotFound(f"Detectors are not made on the backbone {backbone}.")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return Base(row, dict(arrays))


def quick(images: int, size_px: int) -> Course:
    """A few minutes on two processor cores: longer for more images, but by the root of their number."""
    steps = round(min(MOST_STEPS, STEPS * max(1.0, images / FEW) ** 0.5))
    return Course(size_px=size_px, policy=Policy(), schedule=Schedule(steps=steps), seed=SEED)
