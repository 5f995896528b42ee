"""Runs model.xml with OpenVINO: pip install openvino.

OpenVINO computes in half precision where the processor can, unless told otherwise: boxes then move by some pixels.
"""

from pathlib import Path
from typing import Any

import numpy as np
import openvino


class Runtime:
    """A model's file in memory."""

    def __init__(self, path: Path) -> None:
        exact = {"INFERENCE_PRECISION_HINT": "f32"}
        self._model = openvino.Core().compile_model(path, "CPU", exact)

    def run(self, images: Any) -> dict[str, Any]:
        """Give the outputs by name for an image (1, h, w, 3)."""
        outputs = self._model(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        return {output.any_name: values for output, values in outputs.items()}


def load(path: Path) -> Runtime:
    """Open a model's file."""
    return Runtime(path)
