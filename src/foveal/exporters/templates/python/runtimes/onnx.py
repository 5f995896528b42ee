"""Runs model.onnx with ONNX Runtime: pip install onnxruntime."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime


class Runtime:
    """A model's file in memory."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._outputs = [each.name for each in self._session.get_outputs()]

    def run(self, images: Any) -> dict[str, Any]:
        """Give the outputs by name for an image (1, h, w, 3)."""
        tensor = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        outputs = dict(zip(self._outputs, self._session.run(self._outputs, {self._input: tensor}), strict=True))
        if "grid" in outputs:
            outputs["grid"] = outputs["grid"].transpose(0, 2, 3, 1)
        return outputs


def load(path: Path) -> Runtime:
    """Open a model's file."""
    return Runtime(path)
