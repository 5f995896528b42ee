"""What a detector's file says of images: ONNX Runtime alone, as it will be served."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from foveal.engine.detection.graph import BOXES, CLASSES, SCORES
from foveal.geometry import Detections
from foveal.runtime import open_session


def answers(detector: bytes, images: Iterable[NDArray[np.uint8]], *, threads: int) -> list[Detections]:
    """Find objects in RGB images (s, s, 3) of the detector's size; boxes are relative to the image."""
    session = open_session(detector, threads=threads)
    found: list[Detections] = []
    for image in images:
        tensor = np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32)
        boxes, classes, scores = session.run([BOXES, CLASSES, SCORES], {"image": tensor})
        found.append(Detections(boxes[0], classes[0], scores[0]))
    return found
