"""Forms written for TensorFlow and for TensorFlow Lite, read back and run."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from foveal.exporters.form import Form
from foveal.exporters.tensorflow import evaluate, files
from foveal.exporters.tflite import writer

Answers = dict[str, NDArray[Any]]
SIGNATURE = "serving_default"


def by_tensorflow(form: Form, images: NDArray[np.float32]) -> Answers:
    """What a frozen graph says of images (n, 3, h, w); pictures among the answers are turned back."""
    with TemporaryDirectory() as folder:
        files.write_frozen(form, Path(folder) / "model.pb")
        read = files.read(Path(folder) / "model.pb")
    return _channels_first(evaluate.evaluate(read, channels_last(images)))


def by_tflite(form: Form, images: NDArray[np.float32]) -> Answers:
    """What a file for TensorFlow Lite says of images (n, 3, h, w)."""
    return said(writer.write(form), images)


def said(content: bytes, images: NDArray[np.float32]) -> Answers:
    """What LiteRT says of images (n, 3, h, w), by the names of the signature."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    run = interpreter.get_signature_runner(SIGNATURE)
    (name,) = run.get_input_details()
    return _channels_first(run(**{name: channels_last(images)}))


def channels_last(images: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1))


def tflite(content: bytes) -> Any:
    """The file as objects of LiteRT's schema."""
    return writer.schema().ModelT.InitFromPackedBuf(content, 0)


def operators(content: bytes) -> list[str]:
    """The names of the operators of a file, in their order."""
    model, names = tflite(content), writer.schema().BuiltinOperator
    told = {number: name for name, number in vars(names).items() if isinstance(number, int)}
    return [told[model.operatorCodes[each.opcodeIndex].builtinCode] for each in model.subgraphs[0].operators]


def changed_json(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Damage a file of JSON."""
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def _channels_first(answers: Mapping[str, NDArray[Any]]) -> Answers:
    return {name: each.transpose(0, 3, 1, 2) if each.ndim == 4 else each for name, each in answers.items()}
