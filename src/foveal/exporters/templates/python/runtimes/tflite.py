"""Runs model.tflite with LiteRT: pip install ai-edge-litert."""

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter


class Runtime:
    """A model's file in memory."""

    def __init__(self, path: Path) -> None:
        self._interpreter = Interpreter(model_path=str(path), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = self._interpreter.get_output_details()

    def run(self, images: Any) -> dict[str, Any]:
        """Give the outputs by name for an image (1, h, w, 3)."""
        self._interpreter.set_tensor(self._input, np.ascontiguousarray(images))
        self._interpreter.invoke()
        outputs = {each["name"]: self._interpreter.get_tensor(each["index"]) for each in self._outputs}
        return {"grid": outputs["model_outputs"]} if "model_outputs" in outputs else outputs


def load(path: Path) -> Runtime:
    """Open a model's file."""
    return Runtime(path)
