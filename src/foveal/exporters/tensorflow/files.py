"""TensorFlow's files, written from the form and read back: frozen graphs, SavedModels, TensorFlow.js models."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.errors import Invalid
from foveal.exporters.form import Form, Value
from foveal.exporters.tensorflow import messages, nodes

SAVED_MODEL, TFJS_MODEL = "saved_model.pb", "model.json"
SIGNATURE = "serving_default"
SHARD_BYTES = 4 * 1024 * 1024  # browsers fetch shards side by side and keep them apart in their caches


@dataclass(frozen=True, slots=True)
class GraphFile:
    """What a file holds: the graph, and the names of its input and its outputs."""

    graph: Any
    input_name: str
    outputs: tuple[str, ...]


def write_frozen(form: Form, path: Path) -> None:
    """Write a frozen graph, as `model.pb`."""
    path.write_bytes(nodes.write(form).SerializeToString(deterministic=True))


def write_saved_model(form: Form, folder: Path) -> None:
    """Write a SavedModel, its constants in the graph, with the signature `serving_default`."""
    graph = nodes.write(form)
    saved = messages.classes().SavedModel(saved_model_schema_version=1)
    meta = saved.meta_graphs.add(graph_def=graph)
    meta.meta_info_def.tags.append("serve")
    meta.meta_info_def.tensorflow_version = "2.0.0"
    signature = meta.signature_def[SIGNATURE]
    signature.method_name = "tensorflow/serving/predict"
    signature.inputs[form.input.name].CopyFrom(nodes.tensor_info(form.input, form.input.name))
    for name, value in form.outputs.items():
        signature.outputs[name].CopyFrom(nodes.tensor_info(value, name))
    (folder / "variables").mkdir(parents=True, exist_ok=True)
    (folder / SAVED_MODEL).write_bytes(saved.SerializeToString(deterministic=True))


def write_tfjs(form: Form, folder: Path, about: Mapping[str, str] | None = None) -> None:
    """Write `model.json` and its shards, as TensorFlow.js loads them, with what it shall tell of itself."""
    from google.protobuf import json_format  # slow to load

    graph = nodes.write(form)
    weights, content = list[dict[str, Any]](), bytearray()
    for node in graph.node:
        if node.op == "Const":
            values = array(node.attr["value"].tensor)
            weights.append({"name": node.name, "shape": list(values.shape), "dtype": values.dtype.name})
            content += values.tobytes()
            node.attr["value"].tensor.ClearField("tensor_content")
    paths = _write_shards(bytes(content), folder)
    outputs = {name: _described(value, name) for name, value in form.outputs.items()}
    model = {
        "format": "graph-model",
        "generatedBy": "Foveal",
        "convertedBy": "Foveal",
        "signature": {"inputs": {form.input.name: _described(form.input, form.input.name)}, "outputs": outputs},
        "modelTopology": json_format.MessageToDict(graph),
        "userDefinedMetadata": dict(about or {}),
        "weightsManifest": [{"paths": paths, "weights": weights}],
    }
    (folder / TFJS_MODEL).write_text(json.dumps(model), encoding="utf-8")


def read(path: Path) -> GraphFile:
    """Read a frozen graph's file, or the folder of a SavedModel or of a TensorFlow.js model.

    Raises:
        Invalid: It is none of them, or damaged.
    """
    try:
        if path.is_file():
            return _frozen(path.read_bytes())
        if (path / TFJS_MODEL).is_file():
            return _tfjs(path)
        return _saved_model((path / SAVED_MODEL).read_bytes())
    except Exception as error:  # protobuf and json have errors of many kinds for what is damaged
        raise Invalid(f"{path} is not a TensorFlow model that can be read: {error}.") from error


def array(tensor: Any) -> NDArray[Any]:
    """The values of a constant."""
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    return np.frombuffer(tensor.tensor_content, messages.NUMPY[tensor.dtype]).reshape(shape)


def _described(value: Value, name: str) -> dict[str, Any]:
    from google.protobuf import json_format

    return json_format.MessageToDict(nodes.tensor_info(value, name))


def _write_shards(content: bytes, folder: Path) -> list[str]:
    starts = range(0, max(len(content), 1), SHARD_BYTES)
    paths = [f"group1-shard{at + 1}of{len(starts)}.bin" for at in range(len(starts))]
    for path, start in zip(paths, starts, strict=True):
        (folder / path).write_bytes(content[start : start + SHARD_BYTES])
    return paths


def _frozen(content: bytes) -> GraphFile:
    graph = messages.classes().GraphDef.FromString(content)
    return _described_by_itself(graph)


def _described_by_itself(graph: Any) -> GraphFile:
    """A frozen graph names nothing: its input is its Placeholder, its outputs are the nodes that nobody reads."""
    read_ones = {name.split(":")[0] for node in graph.node for name in node.input}
    inputs = [node.name for node in graph.node if node.op == "Placeholder"]
    if len(inputs) != 1:
        raise ValueError(f"one Placeholder was expected, not {len(inputs)}")
    return GraphFile(graph, inputs[0], tuple(node.name for node in graph.node if node.name not in read_ones))


def _saved_model(content: bytes) -> GraphFile:
    (meta,) = messages.classes().SavedModel.FromString(content).meta_graphs
    signature = meta.signature_def[SIGNATURE]
    (given,) = signature.inputs.values()
    return GraphFile(meta.graph_def, _node(given.name), tuple(_node(each.name) for each in signature.outputs.values()))


def _tfjs(folder: Path) -> GraphFile:
    from google.protobuf import json_format

    model = json.loads((folder / TFJS_MODEL).read_text(encoding="utf-8"))
    graph = json_format.ParseDict(model["modelTopology"], messages.classes().GraphDef())
    values = dict(_weights(folder, model["weightsManifest"]))
    for node in graph.node:
        if node.op == "Const":
            node.attr["value"].tensor.tensor_content = values[node.name].tobytes()
    (given,) = model["signature"]["inputs"].values()
    outputs = model["signature"]["outputs"].values()
    return GraphFile(graph, _node(given["name"]), tuple(_node(each["name"]) for each in outputs))


def _weights(folder: Path, manifest: Sequence[Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    for group in manifest:
        content, at = b"".join((folder / path).read_bytes() for path in group["paths"]), 0
        for weight in group["weights"]:
            kind = np.dtype(weight["dtype"])
            size = int(np.prod(weight["shape"], dtype=int)) * kind.itemsize
            yield weight["name"], np.frombuffer(content[at : at + size], kind).reshape(weight["shape"])
            at += size


def _node(tensor: str) -> str:
    return tensor.split(":", maxsplit=1)[0]
