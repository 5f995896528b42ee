"""What a writer is given to write, and what it says of what it wrote."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.bundle import Bundle
from foveal.exporters import interface
from foveal.exporters.interface import BGR, TO_1, Interface

FLOAT32, FLOAT16, INT8, INT8_WEIGHTS = "float32", "float16", "int8", "int8-weights"
SAFER = {INT8: INT8_WEIGHTS, INT8_WEIGHTS: FLOAT16}
"""The next scheme to try where the answers of one are too far from the service's."""


@dataclass(frozen=True)
class Order:
    """A trained model, how precisely to write it, and photos (n, s, s, 3) to learn ranges from."""

    bundle: Bundle
    precision: str = FLOAT32
    photos: NDArray[np.uint8] = field(default_factory=lambda: np.empty((0, 0, 0, 3), np.uint8))

    @cached_property
    def interface(self) -> Interface:
        """What Azure's exports of the model's domain look like."""
        return interface.of(self.bundle)

    def safer(self) -> "Order":
        return replace(self, precision=SAFER[self.precision])


def fed(photos: NDArray[np.uint8], seen: Interface) -> NDArray[np.float32]:
    """Photos (n, s, s, 3) in red, green and blue as a program feeds them, still channels-last."""
    coloured: NDArray[Any] = photos[..., ::-1] if seen.pixel_format == BGR else photos
    values = np.ascontiguousarray(coloured, np.float32)
    return values / np.float32(255) if seen.value_range == TO_1 else values
