"""A TensorFlow graph computed in numpy, to prove what was written on machines without TensorFlow."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.errors import Invalid
from foveal.exporters import kernels
from foveal.exporters.tensorflow.files import GraphFile, array

Values = NDArray[Any]
Operation = Callable[[Sequence[Values], Any], Any]


def evaluate(file: GraphFile, images: NDArray[np.float32]) -> dict[str, Values]:
    """Give the outputs by name for images (n, h, w, 3).

    Raises:
        Invalid: The graph has an operation that is not known here, named in the message.
    """
    known: dict[str, Any] = {file.input_name: (images,)}
    for node in file.graph.node:
        if node.op == "Placeholder":
            continue
        if node.op == "Const":
            known[node.name] = (array(node.attr["value"].tensor),)
            continue
        compute = OPERATIONS.get(node.op)
        if compute is None:
            raise Invalid(f"The graph has the operation {node.op}, which is not known here.")
        made = compute([_tensor(known, name) for name in node.input], node.attr)
        known[node.name] = made if isinstance(made, tuple) else (made,)
    return {name: known[name][0] for name in file.outputs}


def _tensor(known: Mapping[str, Any], name: str) -> Values:
    node, _, port = name.partition(":")
    return known[node][int(port or 0)]


def _conv(inputs: Sequence[Values], attributes: Any) -> Values:
    strides, pads = _window(inputs[0], inputs[1].shape[:2], attributes)
    return kernels.conv2d(inputs[0], inputs[1], strides=strides, pads=pads)


def _depthwise(inputs: Sequence[Values], attributes: Any) -> Values:
    strides, pads = _window(inputs[0], inputs[1].shape[:2], attributes)
    height, width, channels, multiplier = inputs[1].shape
    kernel = inputs[1].reshape(height, width, 1, channels * multiplier)
    return kernels.conv2d(inputs[0], kernel, strides=strides, pads=pads, groups=channels)


def _window(images: Values, size: Sequence[int], attributes: Any) -> tuple[list[int], tuple[int, ...]]:
    strides = list(attributes["strides"].list.i)[1:3]
    same = attributes["padding"].s == b"SAME"
    return strides, kernels.same_pads(images.shape[1:3], size, strides) if same else kernels.NONE


def _average_pool(inputs: Sequence[Values], attributes: Any) -> Values:
    strides = list(attributes["strides"].list.i)[1:3]
    return kernels.average_pool(inputs[0], list(attributes["ksize"].list.i)[1:3], strides=strides)


def _max_pool(inputs: Sequence[Values], attributes: Any) -> Values:
    strides = list(attributes["strides"].list.i)[1:3]
    return kernels.max_pool(inputs[0], list(attributes["ksize"].list.i)[1:3], strides=strides)


def _reduce(reduce: Callable[..., Values]) -> Operation:
    def compute(inputs: Sequence[Values], attributes: Any) -> Values:
        return reduce(inputs[0], axis=tuple(inputs[1].tolist()), keepdims=attributes["keep_dims"].b)

    return compute


def _top_k(inputs: Sequence[Values], _attributes: Any) -> tuple[Values, Values]:
    order = np.argsort(-inputs[0], axis=-1, kind="stable")[..., : int(inputs[1])]
    return np.take_along_axis(inputs[0], order, -1), order.astype(np.int32)


def _choose(inputs: Sequence[Values], _attributes: Any) -> Values:
    boxes, scores, most, overlap, faintest = inputs
    kept = kernels.non_maximum_suppression(
        boxes, scores, most=int(most), overlap=float(overlap), faintest=float(faintest)
    )
    return kept.astype(np.int32)


def _pad(inputs: Sequence[Values], _attributes: Any) -> Values:
    return np.pad(inputs[0], inputs[1], constant_values=inputs[2].item() if len(inputs) > 2 else 0)  # noqa: PLR2004


OPERATIONS: Mapping[str, Operation] = {
    "AddV2": lambda inputs, _: inputs[0] + inputs[1],
    "AvgPool": _average_pool,
    "BiasAdd": lambda inputs, _: inputs[0] + inputs[1],
    "ConcatV2": lambda inputs, _: np.concatenate(inputs[:-1], int(inputs[-1])),
    "Conv2D": _conv,
    "DepthwiseConv2dNative": _depthwise,
    "Exp": lambda inputs, _: np.exp(inputs[0]),
    "Floor": lambda inputs, _: np.floor(inputs[0]),
    "FloorDiv": lambda inputs, _: inputs[0] // inputs[1],
    "GatherV2": lambda inputs, _: np.take(inputs[0], inputs[1], int(inputs[2])),
    "Identity": lambda inputs, _: inputs[0],
    "Log": lambda inputs, _: np.log(inputs[0]),
    "MatMul": lambda inputs, _: inputs[0] @ inputs[1],
    "Max": _reduce(np.max),
    "MaxPool": _max_pool,
    "Maximum": lambda inputs, _: np.maximum(inputs[0], inputs[1]),
    "Mean": _reduce(np.mean),
    "Minimum": lambda inputs, _: np.minimum(inputs[0], inputs[1]),
    "Mul": lambda inputs, _: inputs[0] * inputs[1],
    "Neg": lambda inputs, _: -inputs[0],
    "NonMaxSuppressionV3": _choose,
    "Pad": _pad,
    "PadV2": _pad,
    "RealDiv": lambda inputs, _: inputs[0] / inputs[1],
    "Relu": lambda inputs, _: np.maximum(inputs[0], np.float32(0)),
    "Reshape": lambda inputs, _: inputs[0].reshape(inputs[1]),
    "ResizeNearestNeighbor": lambda inputs, _: kernels.enlarge(inputs[0], inputs[1].tolist()),
    "Sigmoid": lambda inputs, _: kernels.sigmoid(inputs[0]),
    "Softmax": lambda inputs, _: kernels.softmax(inputs[0]),
    "Sqrt": lambda inputs, _: np.sqrt(inputs[0]),
    "Sub": lambda inputs, _: inputs[0] - inputs[1],
    "Sum": _reduce(np.sum),
    "Tanh": lambda inputs, _: np.tanh(inputs[0]),
    "TopKV2": _top_k,
    "Transpose": lambda inputs, _: inputs[0].transpose(inputs[1]),
}
