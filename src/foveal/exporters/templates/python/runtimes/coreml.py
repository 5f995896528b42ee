"""Runs model.mlmodel or model.mlpackage with Core ML, on a Mac: pip install coremltools."""

from pathlib import Path
from typing import Any

import coremltools
import numpy as np
from PIL import Image


class Runtime:
    """A model's file in memory."""

    def __init__(self, path: Path) -> None:
        self._model = coremltools.models.MLModel(str(path))
        self._input = self._model.get_spec().description.input[0].name

    def run(self, images: Any) -> dict[str, Any]:
        """Give the outputs by name for an image (1, h, w, 3)."""
        outputs = self._model.predict({self._input: Image.fromarray(images[0].astype(np.uint8))})
        if "grid" in outputs:
            outputs["grid"] = outputs["grid"][0].transpose(0, 2, 3, 1)  # it has an axis for a sequence
        return outputs


def load(path: Path) -> Runtime:
    """Open a model's file."""
    return Runtime(path)
