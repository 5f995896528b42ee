"""A warm classifier: pixels in, probabilities out. ONNX Runtime only."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foveal.bundle import GRAPH
from foveal.errors import Invalid, Unavailable
from foveal.runtime import open_session

BATCH = 8
UNKNOWN = "unknown"  # the second output, which models of earlier versions lack
UNKNOWN_FROM = 0.5  # further from the training images than 19 in 20 of their kind


@dataclass(frozen=True, slots=True)
class Answers:
    """Probabilities (n, k) for images, and how unlike the training images each of them is, (n,), 0..1.

    `unknown` is None where the model cannot tell.
    """

    probabilities: NDArray[np.float32]
    unknown: NDArray[np.float32] | None


class Classifier:
    """A classifier in memory. Safe to call from several threads at once."""

    def __init__(self, path: Path, *, threads: int) -> None:
        """Open a bundle's folder or a graph's file."""
        graph = path / GRAPH if path.is_dir() else path
        try:
            self._session = open_session(graph, threads=threads)
        except Exception as error:  # ONNX Runtime's errors share no public base
            raise Invalid(f"{graph} is not a model that can be served: {error}") from error
        self._input, outputs = self._session.get_inputs()[0], self._session.get_outputs()
        self._output = outputs[0]
        self._wanted = [self._output.name, *(each.name for each in outputs[1:] if each.name == UNKNOWN)]

    @property
    def size_px(self) -> int:
        """Width and height of the images it takes."""
        return int(self._input.shape[2])

    @property
    def tag_count(self) -> int:
        return int(self._output.shape[1])

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (n, k) for RGB images (n, size_px, size_px, 3)."""
        return self.answers(images).probabilities

    def answers(self, images: NDArray[np.uint8]) -> Answers:
        """All that the model says of RGB images (n, size_px, size_px, 3)."""
        if images.shape[1:] != (self.size_px, self.size_px, 3):
            raise Invalid(f"Images must be (n, {self.size_px}, {self.size_px}, 3), not {images.shape}.")
        parts = [self._run(images[at : at + BATCH]) for at in range(0, len(images), BATCH)]
        widths = (self.tag_count, 1)[: len(self._wanted)]
        found = [
            np.concatenate([np.empty((0, width), np.float32), *(part[at] for part in parts)])
            for at, width in enumerate(widths)
        ]
        return Answers(found[0], found[1][:, 0] if len(found) > 1 else None)

    def _run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        tensor = np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32)
        try:
            return self._session.run(self._wanted, {self._input.name: tensor})
        except Exception as error:  # ONNX Runtime's errors share no public base
            raise Unavailable(f"The model failed on this picture: {error}", "ErrorPrediction") from error
