"""Runs model.pb or saved_model.pb with TensorFlow: pip install tensorflow."""

from pathlib import Path
from typing import Any

import tensorflow as tf


class Runtime:
    """A model's file in memory."""

    def __init__(self, path: Path) -> None:
        self._run = _saved_model(path.parent) if path.name == "saved_model.pb" else _frozen(path)

    def run(self, images: Any) -> dict[str, Any]:
        """Give the outputs by name for an image (1, h, w, 3)."""
        outputs = self._run(tf.constant(images))
        return {"grid": outputs["model_outputs"]} if "model_outputs" in outputs else outputs


def _saved_model(folder: Path) -> Any:
    model = tf.saved_model.load(str(folder))
    signature = model.signatures["serving_default"]
    (name,) = signature.structured_input_signature[1]

    def run(images: Any, _kept: Any = model) -> dict[str, Any]:  # a model that nobody keeps loses its graph
        return {key: value.numpy() for key, value in signature(**{name: images}).items()}

    return run


def _frozen(path: Path) -> Any:
    graph = tf.compat.v1.GraphDef.FromString(path.read_bytes())
    read = {name.split(":")[0] for node in graph.node for name in node.input}
    (given,) = (node.name for node in graph.node if node.op == "Placeholder")
    outputs = [node.name for node in graph.node if node.name not in read]
    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), [])
    pruned = wrapped.prune(f"{given}:0", [f"{name}:0" for name in outputs])

    def run(images: Any) -> dict[str, Any]:
        return {name: value.numpy() for name, value in zip(outputs, pruned(images), strict=True)}

    return run


def load(path: Path) -> Runtime:
    """Open a model's file."""
    return Runtime(path)
