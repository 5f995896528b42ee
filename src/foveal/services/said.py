"""What a model said of a picture: how probable each tag is, or boxes; and how that is kept as bytes."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from foveal import domains
from foveal.domains import OBJECT_DETECTION
from foveal.engine import evaluate
from foveal.geometry import Detections

COLUMNS = 6  # of a kept box: position of the tag, probability, x1, y1, x2, y2


class Said(Protocol):
    """What a model said of one picture."""

    @property
    def uncertainty(self) -> float:
        """In bits, 0..1."""
        ...

    def by_tag(self, count: int) -> NDArray[np.floating]:
        """How probable each of so many tags is, (count,), or its most probable box; 0: there is none."""
        ...

    def to_bytes(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Probabilities:
    """What a classifier said: a value for each tag (k,), in the order of the model's outputs."""

    values: NDArray[np.float32]

    @property
    def uncertainty(self) -> float:
        """The mean binary entropy over the tags."""
        return float(evaluate.uncertainty(self.values[None])[0])

    def by_tag(self, count: int) -> NDArray[np.floating]:
        assert len(self.values) == count
        return self.values

    def to_bytes(self) -> bytes:
        return self.values.astype("<f4").tobytes()


@dataclass(frozen=True, slots=True)
class Boxes:
    """What a detector said; boxes are corners relative to the picture."""

    found: Detections

    @property
    def uncertainty(self) -> float:
        """The binary entropy of the box that the detector is least sure of; 0 where there is none."""
        if not len(self.found.scores):
            return 0.0
        return float(evaluate.uncertainty(self.found.scores[:, None]).max())

    def by_tag(self, count: int) -> NDArray[np.floating]:
        best = np.zeros(count)
        np.maximum.at(best, self.found.tags, self.found.scores)
        return best

    def to_bytes(self) -> bytes:
        rows = np.column_stack([self.found.tags, self.found.scores, self.found.boxes])
        return rows.astype("<f4").tobytes()


def read(domain_id: UUID, content: bytes) -> Said:
    """Read what `to_bytes` wrote of what a model of this domain said."""
    values = np.frombuffer(content, "<f4")
    if domains.get(domain_id).type != OBJECT_DETECTION:
        return Probabilities(values)
    rows = values.reshape(-1, COLUMNS)
    return Boxes(Detections(rows[:, 2:], rows[:, 0].astype(np.intp), rows[:, 1]))
