"""A classifier as one ONNX model: backbone, length one, head."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from foveal.engine.features import SMALLEST_NORM
from foveal.engine.heads import Head
from foveal.engine.unknown import Unknown
from foveal.errors import Invalid

INPUT = "image"  # float32 (batch, 3, s, s), RGB 0..255
OUTPUT = "probabilities"  # float32 (batch, k)
UNKNOWN = "unknown"  # float32 (batch, 1)
PLAIN = "probabilities_plain"  # before the Negative tag gains what is unknown
EMBEDDING = "embedding"
LABELS = "foveal.labels"  # metadata: a JSON list, in the order of the columns
MAPS = "foveal.maps"  # metadata of a backbone: a JSON object, stride -> name of the map's tensor
Part = tuple[list[onnx.NodeProto], list[onnx.TensorProto]]
# What Windows ML reads before it converts a picture, and what Azure's own exports carry.
PIXELS: Mapping[str, str] = {
    "Image.BitmapPixelFormat": "Rgb8",
    "Image.NominalPixelRange": "NominalRange_0_255",
    "Image.ColorSpaceGamma": "SRGB",
}


def classifier_graph(
    network: Path | bytes,
    head: Head,
    labels: Sequence[str],
    *,
    unknown: Unknown | None = None,
    negative: int | None = None,
) -> bytes:
    """Compose `image` float32 (batch, 3, s, s), RGB 0..255 -> `probabilities` (batch, k), k = len(labels).

    With `unknown` there is a second output of that name, (batch, 1). With `negative`, the column of the tag that means
    "none of these", that tag gains what the picture is unknown, and the others lose it.

    Raises:
        Invalid: The head does not fit the backbone's file (or its bytes) or the labels.
    """
    model = onnx.load_from_string(network) if isinstance(network, bytes) else onnx.load(network)
    dimension = model.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    if head.weights.shape != (dimension, len(labels)):
        shape = (dimension, len(labels))
        raise Invalid(f"A head of shape {head.weights.shape} does not fit {shape} (embedding, {len(labels)} tags).")
    nodes, weights = unit_length(EMBEDDING, "", "smallest_norm"), [_tensor("smallest_norm", np.float32(SMALLEST_NORM))]
    nodes.append(helper.make_node("Gemm", ["embedding_normal", "head_weights", "head_bias"], ["scores"], name="head"))
    mixed = unknown is not None and negative is not None
    nodes.append(_activation(PLAIN if mixed else OUTPUT, exclusive=head.exclusive))
    weights += [_tensor("head_weights", head.weights), _tensor("head_bias", head.bias)]
    outputs = [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", len(labels)])]
    if unknown is not None:
        _add(nodes, weights, _distance(unknown))
        outputs.append(helper.make_tensor_value_info(UNKNOWN, TensorProto.FLOAT, ["batch", 1]))
    if mixed:
        _add(nodes, weights, _shared(np.arange(len(labels)) == negative))
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(weights)
    del model.graph.output[:]
    model.graph.output.extend(outputs)
    helper.set_model_props(model, {**PIXELS, LABELS: json.dumps(list(labels), ensure_ascii=False)})
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def embedding_part(path: Path) -> bytes:
    """The network inside a classifier's file: `image` -> `embedding`, as a backbone's file is."""
    model = onnx.load(path)
    inferred = onnx.shape_inference.infer_shapes(model)
    known = next(each for each in inferred.graph.value_info if each.name == EMBEDDING)
    del model.graph.output[:]
    model.graph.output.append(known)
    drop_unused(model.graph)
    del model.metadata_props[:]
    return model.SerializeToString(deterministic=True)


def unit_length(embedding: str, prefix: str, smallest: str) -> list[onnx.NodeProto]:
    """Divide an embedding by its length, never by zero, as `features.head_features` does.

    The result is `<prefix>embedding_normal`; `smallest` names the weight that holds the smallest length.
    """
    length, positive, normal = (f"{prefix}{name}" for name in ("length", "length_positive", "embedding_normal"))
    return [
        helper.make_node("ReduceL2", [embedding], [length], name=length, axes=[1], keepdims=1),
        helper.make_node("Max", [length, smallest], [positive], name=positive),
        helper.make_node("Div", [embedding, positive], [normal], name=normal),
    ]


def feature_maps(backbone: Path | bytes) -> bytes:
    """The part of a backbone's file that makes its feature maps.

    `image` float32 (batch, 3, s, s), RGB 0..255 -> `map8`, `map16`, `map32`: (batch, c, s/stride, s/stride) each.

    Raises:
        Invalid: The backbone does not name its maps.
    """
    model = onnx.load_from_string(backbone) if isinstance(backbone, bytes) else onnx.load(backbone)
    named = map_names(model)
    del model.graph.output[:]
    for stride, tensor in named.items():
        model.graph.node.append(helper.make_node("Identity", [tensor], [f"map{stride}"], name=f"map{stride}"))
        model.graph.output.append(helper.make_empty_tensor_value_info(f"map{stride}"))
    drop_unused(model.graph)
    return onnx.shape_inference.infer_shapes(model, strict_mode=True).SerializeToString(deterministic=True)


def map_names(model: onnx.ModelProto) -> dict[int, str]:
    """The tensors of a backbone that are its feature maps, by their strides in pixels, the finest first.

    Raises:
        Invalid: It names none.
    """
    maps: dict[str, str] = json.loads({each.key: each.value for each in model.metadata_props}.get(MAPS, "{}"))
    if not maps:
        raise Invalid("The backbone gives an embedding alone, no feature maps.")
    return {int(stride): tensor for stride, tensor in sorted(maps.items(), key=lambda pair: int(pair[0]))}


def widened(graph: bytes) -> bytes:
    """The same model with its weights in single precision and no Cast nodes, for converters that do not fold them."""
    model = onnx.load_from_string(graph)
    halves = {weight.name: weight for weight in model.graph.initializer}
    kept: list[onnx.NodeProto] = []
    for node in model.graph.node:
        half = halves.pop(node.input[0], None) if node.op_type == "Cast" else None
        if half is None:
            kept.append(node)
        else:
            values = numpy_helper.to_array(half).astype(np.float32)
            halves[node.output[0]] = numpy_helper.from_array(values, node.output[0])
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(kept)
    model.graph.initializer.extend(halves.values())
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def drop_unused(graph: onnx.GraphProto) -> None:
    """Leave out the nodes and weights that no output depends on; nodes stand in the order of their computation."""
    wanted, kept = {output.name for output in graph.output}, list[onnx.NodeProto]()
    for node in reversed(graph.node):
        if wanted & set(node.output):
            kept.append(node)
            wanted |= set(node.input)
    weights = [weight for weight in graph.initializer if weight.name in wanted]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(reversed(kept))
    graph.initializer.extend(weights)


def _activation(output: str, *, exclusive: bool) -> onnx.NodeProto:
    if exclusive:
        return helper.make_node("Softmax", ["scores"], [output], name=output, axis=1)
    return helper.make_node("Sigmoid", ["scores"], [output], name=output)


def _distance(unknown: Unknown) -> Part:
    """The same as `Unknown.scores`."""
    steps = (
        ("Sub", ["embedding_normal", "unknown_centre"], "unknown_centred"),
        ("MatMul", ["unknown_centred", "unknown_basis"], "unknown_inside"),
        ("ReduceL2", ["unknown_centred"], "unknown_length"),
        ("ReduceL2", ["unknown_inside"], "unknown_length_inside"),
        ("Mul", ["unknown_length", "unknown_length"], "unknown_square"),
        ("Mul", ["unknown_length_inside", "unknown_length_inside"], "unknown_square_inside"),
        ("Sub", ["unknown_square", "unknown_square_inside"], "unknown_distance"),
        ("Sub", ["unknown_distance", "unknown_edge"], "unknown_beyond"),
        ("Mul", ["unknown_beyond", "unknown_steepness"], "unknown_score"),
        ("Sigmoid", ["unknown_score"], UNKNOWN),
    )
    weights = {
        "unknown_centre": unknown.centre,
        "unknown_basis": unknown.basis,
        "unknown_edge": np.float32(unknown.edge),
        "unknown_steepness": np.float32(unknown.steepness),
    }
    return _nodes(steps), [_tensor(name, values) for name, values in weights.items()]


def _shared(negative: NDArray[np.bool_]) -> Part:
    """The same as `unknown.shared`."""
    steps = (
        ("Sub", ["one", UNKNOWN], "known"),
        ("Mul", [PLAIN, "known"], "probabilities_known"),
        ("Mul", [UNKNOWN, "negative"], "probabilities_unknown"),
        ("Add", ["probabilities_known", "probabilities_unknown"], OUTPUT),
    )
    return _nodes(steps), [_tensor("one", np.float32(1)), _tensor("negative", negative.astype(np.float32))]


def _nodes(steps: Sequence[tuple[str, list[str], str]]) -> list[onnx.NodeProto]:
    over: dict[str, dict[str, Any]] = {"ReduceL2": {"axes": [1], "keepdims": 1}}
    return [helper.make_node(kind, inputs, [name], name=name, **over.get(kind, {})) for kind, inputs, name in steps]


def _add(nodes: list[onnx.NodeProto], weights: list[onnx.TensorProto], part: Part) -> None:
    nodes += part[0]
    weights += part[1]


def _tensor(name: str, values: NDArray[np.float32] | np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.ascontiguousarray(values).reshape(np.shape(values)), name)
