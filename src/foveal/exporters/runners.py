"""What runs an exported model here: the program in its zip where the runtime is at hand, else an evaluation of ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.errors import Unavailable
from foveal.exporters import material

EVALUATED = "evaluation of the written {what} in numpy"


@dataclass(frozen=True, slots=True)
class Runner:
    """How a kind of file is run; `program` is the one for Python that its zips carry, empty where Python runs none."""

    program: str
    load: Callable[[Path], Any]
    told: Callable[[], str]
    """What is told of it in a certificate."""
    at_hand: bool = False
    """Whether this is the runtime itself, so that its time tells something."""


def _in_zip(name: str, package: str, words: str) -> Runner:
    """The runtime itself, by the program that is in the zip."""

    def load(path: Path) -> Any:
        try:
            return material.module(material.PYTHON / "runtimes" / f"{name}.py").load(path)
        except ModuleNotFoundError as error:
            raise Unavailable(f'Running this model needs {words}: pip install "foveal[{name}]".') from error

    return Runner(name, load, lambda: f"{words} {metadata.version(package)}", at_hand=True)


class _TensorFlow:
    """A graph of TensorFlow, evaluated by us."""

    def __init__(self, path: Path) -> None:
        from foveal.exporters.tensorflow import files

        self._file = files.read(path if path.suffix == ".pb" and path.name != files.SAVED_MODEL else path.parent)

    def run(self, images: NDArray[np.float32]) -> dict[str, Any]:
        from foveal.exporters.tensorflow import evaluate

        outputs = evaluate.evaluate(self._file, np.ascontiguousarray(images))
        return {"grid": outputs["model_outputs"]} if "model_outputs" in outputs else outputs


class _CoreML:
    """A model of Core ML, evaluated by us."""

    def __init__(self, path: Path) -> None:
        from foveal.exporters.coreml import evaluate

        self._run = evaluate.open_model(path)

    def run(self, images: NDArray[np.float32]) -> dict[str, Any]:
        outputs = self._run(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        return {"grid": outputs["grid"][0].transpose(0, 2, 3, 1)} if "grid" in outputs else outputs


RUNNERS: Mapping[str, Runner] = {
    "onnx": _in_zip("onnx", "onnxruntime", "ONNX Runtime"),
    "tflite": _in_zip("tflite", "ai-edge-litert", "LiteRT"),
    "openvino": _in_zip("openvino", "openvino", "OpenVINO"),
    "tensorflow": Runner("tensorflow", _TensorFlow, lambda: EVALUATED.format(what="graph")),
    "tfjs": Runner("", _TensorFlow, lambda: EVALUATED.format(what="graph")),
    "coreml": Runner("coreml", _CoreML, lambda: EVALUATED.format(what="Core ML model")),
}


def open_folder(folder: Path, runtime: str) -> Any:
    """Open the model of an unpacked zip with the program that reads its answers."""
    program = material.module(material.PYTHON / "predict.py")
    return program.Model(folder, RUNNERS[runtime].load)
