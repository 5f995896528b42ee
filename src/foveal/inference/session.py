"""Warm models: pixels in, probabilities or boxes out. ONNX Runtime only."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.bundle import GRAPH
from foveal.errors import Invalid, Unavailable
from foveal.geometry import Detections
from foveal.runtime import open_session

BATCH = 8
DETECTED = ("detected_boxes", "detected_classes", "detected_scores")  # the outputs of a detector
UNKNOWN = "unknown"  # the second output, which models of earlier versions lack
UNKNOWN_FROM = 0.5  # further from the training images than 19 in 20 of their kind


@dataclass(frozen=True, slots=True)
class Answers:
    """Probabilities (n, k) for images, and how unlike the training images each of them is, (n,), 0..1.

    `unknown` is None where the model cannot tell.
    """

    probabilities: NDArray[np.float32]
    unknown: NDArray[np.float32] | None


class _Warm:
    """A model in memory. Safe to call from several threads at once."""

    def __init__(self, path: Path, *, threads: int, session: Any = None) -> None:
        """Open a bundle's folder or a graph's file, unless its session is open already."""
        self._session = session or _opened(path, threads)
        self._input, self._outputs = self._session.get_inputs()[0], self._session.get_outputs()

    @property
    def size_px(self) -> int:
        """Width and height of the images it takes."""
        return int(self._input.shape[2])

    def _run(self, outputs: Sequence[str], images: NDArray[np.uint8]) -> list[NDArray[Any]]:
        if images.shape[1:] != (self.size_px, self.size_px, 3):
            raise Invalid(f"Images must be (n, {self.size_px}, {self.size_px}, 3), not {images.shape}.")
        tensor = np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32)
        try:
            return self._session.run(outputs, {self._input.name: tensor})
        except Exception as error:  # ONNX Runtime's errors share no public base
            raise Unavailable(f"The model failed on this picture: {error}", "ErrorPrediction") from error


class Classifier(_Warm):
    """Tells how probable each tag is."""

    @property
    def tag_count(self) -> int:
        return int(self._outputs[0].shape[1])

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (n, k) for RGB images (n, size_px, size_px, 3)."""
        return self.answers(images).probabilities

    def answers(self, images: NDArray[np.uint8]) -> Answers:
        """All that the model says of RGB images (n, size_px, size_px, 3)."""
        wanted = [self._outputs[0].name, *(each.name for each in self._outputs[1:] if each.name == UNKNOWN)]
        parts = [self._run(wanted, images[at : at + BATCH]) for at in range(0, len(images), BATCH)]
        widths = (self.tag_count, 1)[: len(wanted)]
        found = [
            np.concatenate([np.empty((0, width), np.float32), *(part[at] for part in parts)])
            for at, width in enumerate(widths)
        ]
        return Answers(found[0], found[1][:, 0] if len(found) > 1 else None)


class Detector(_Warm):
    """Finds objects."""

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Find objects in an RGB image (size_px, size_px, 3); boxes are relative to it, the most probable first."""
        boxes, tags, scores = self._run(DETECTED, image[None])
        return Detections(boxes[0], tags[0], scores[0])


Model = Classifier | Detector


def open_model(path: Path, *, threads: int) -> Model:
    """Open a bundle's folder or a graph's file, whichever kind it is."""
    session = _opened(path, threads)
    kind = Detector if DETECTED[0] in {each.name for each in session.get_outputs()} else Classifier
    return kind(path, threads=threads, session=session)


def _opened(path: Path, threads: int) -> Any:
    graph = path / GRAPH if path.is_dir() else path
    try:
        return open_session(graph, threads=threads)
    except Exception as error:  # ONNX Runtime's errors share no public base
        raise Invalid(f"{graph} is not a model that can be served: {error}") from error
