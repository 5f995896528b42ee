"""From an ONNX graph to the channels-last form, operator by operator.

ONNX keeps images channels-first. Each tensor is held together with the order of its axes: held axis i is ONNX axis
`order[i]`. A transposition only changes the order; a step is made for one when something needs another order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from foveal.engine.detection.graph import ALL_BOXES, ALL_SCORES, BOXES, CLASSES, FAINTEST, MOST, SAME_OBJECT, SCORES
from foveal.errors import Invalid
from foveal.exporters import client_graph
from foveal.exporters.form import UNKNOWN, Builder, Form, Shape, Value, broadcast

Order = tuple[int, ...]
CHANNELS_LAST: Order = (0, 2, 3, 1)
IMAGE = 4  # axes of images


@dataclass(frozen=True, slots=True)
class Held:
    """A tensor and the order of its axes."""

    value: Value
    order: Order


class Node:
    """An ONNX node while it is lowered: its inputs as held, its options."""

    def __init__(self, lowering: "Lowering", node: onnx.NodeProto) -> None:
        self.lowering, self.proto, self.build = lowering, node, lowering.build
        self.options = client_graph.attributes(node)
        self.name, self.shape = node.output[0], lowering.shapes.get(node.output[0], ())

    def held(self, at: int) -> Held:
        return self.lowering.held(self.proto.input[at])

    def value(self, at: int, order: Order | None = None) -> Value:
        """An input in an order of its axes, by default ONNX's own."""
        return self.lowering.in_order(self.proto.input[at], order)

    def weight(self, at: int) -> NDArray[Any] | None:
        """An input that must be constant; None where it is left out."""
        name = self.proto.input[at] if at < len(self.proto.input) else ""
        if not name:
            return None
        if name not in self.lowering.weights:
            raise self.refused(f"its input {name} is not constant")
        return self.lowering.weights[name]

    def refused(self, reason: str) -> Invalid:
        return Invalid(f"{self.proto.op_type} {self.name} cannot be written for TensorFlow: {reason}.")

    def give(self, value: Value, order: Order | None = None) -> None:
        self.lowering.env[self.name] = Held(value, order or tuple(range(len(value.shape))))

    def step(self, kind: str, inputs: Sequence[Value], order: Order | None = None, **options: Any) -> None:
        """Make the node's output, of its ONNX shape, in an order of its axes."""
        shape = ordered(self.shape, order) if order else self.shape
        self.give(self.build.step(kind, inputs, self.name, shape, **options), order)


class Lowering:
    """A graph on its way into the form."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.build = Builder()
        self.weights = client_graph.weights(model)
        self.shapes = client_graph.shapes(model)
        self.env: dict[str, Held] = {}
        source = model.graph.input[0]
        self.input = self.build.given(source.name, ordered(self.shapes[source.name], CHANNELS_LAST))
        self.env[source.name] = Held(self.input, CHANNELS_LAST)

    def held(self, name: str) -> Held:
        if name not in self.env:
            made = self.build.constant(self.weights[name], name)
            self.env[name] = Held(made, tuple(range(len(made.shape))))
        return self.env[name]

    def in_order(self, name: str, order: Order | None = None) -> Value:
        held = self.held(name)
        wanted = order or tuple(sorted(held.order))
        if held.order == wanted:
            return held.value
        permutation = [held.order.index(axis) for axis in wanted]
        shape = ordered(held.value.shape, permutation)
        return self.build.step("transpose", [held.value], f"{name}_transposed", shape, permutation=permutation)

    def run(self, nodes: Sequence[onnx.NodeProto]) -> None:
        unknown = sorted({node.op_type for node in nodes} - OPERATORS.keys())
        if unknown:
            raise Invalid(f"The model cannot be written for TensorFlow: it has the operator {', '.join(unknown)}.")
        for node in nodes:
            OPERATORS[node.op_type](Node(self, node))


def lower(model: onnx.ModelProto, outputs: Mapping[str, str]) -> Form:
    """Give the form of a model that `client_graph.adapted` made.

    Args:
        model: the graph.
        outputs: names of its outputs and what they shall be called. Images among them come channels-last.

    Raises:
        Invalid: It has an operator that the form does not know, named in the message.
    """
    lowering = Lowering(model)
    lowering.run(model.graph.node)
    made = {
        told: lowering.in_order(name, CHANNELS_LAST if len(lowering.held(name).order) == IMAGE else None)
        for name, told in outputs.items()
    }
    return lowering.build.form(lowering.input, made)


def lower_detector(model: onnx.ModelProto, tags: int, *, padded: bool = False) -> Form:
    """Give the form of a detector that ends in all boxes and scores, with the choice among them behind it.

    The outputs have no axis for the batch. Boxes with different tags are moved apart, so that one choice among all of
    them is the same as one for each tag. With `padded` there are always as many boxes as an answer may hold; those
    behind the last one that was found have the score 0.
    """
    lowering = Lowering(model)
    lowering.run(model.graph.node)
    build = lowering.build
    scores = lowering.in_order(ALL_SCORES, (0, 2, 1))
    places = scores.shape[1]
    pairs, found_boxes = places * tags, MOST if padded else UNKNOWN
    boxes = build.step("reshape", [lowering.in_order(ALL_BOXES)], "boxes_of_image", (places, 4))
    flat = build.step("reshape", [scores], "scores_of_pairs", (pairs,))
    each = build.step("reshape", [boxes], "boxes_for_tags", (places, 1, 4))
    apart = build.constant(np.arange(tags, dtype=np.float32).reshape(1, tags, 1), "apart")
    moved = build.step("add", [each, apart], "boxes_moved", (places, tags, 4))
    of_pairs = build.step("reshape", [moved], "boxes_of_pairs", (pairs, 4))
    limits = {"most": MOST, "overlap": SAME_OBJECT, "faintest": FAINTEST}
    chosen, count = build.pair("choose", [of_pairs, flat], ("chosen", "chosen_count"), ((found_boxes,), ()), **limits)
    number = build.constant(np.int32(tags), "tags")
    place = build.step("floordiv", [chosen, number], "chosen_place", (found_boxes,))
    before = build.step("mul", [place, number], "pairs_before", (found_boxes,))
    found = build.step("gather", [flat, chosen], "chosen_scores", (found_boxes,))
    return build.form(
        lowering.input,
        {
            BOXES: build.step("gather", [boxes, place], BOXES, (found_boxes, 4)),
            CLASSES: build.step("sub", [chosen, before], CLASSES, (found_boxes,)),
            SCORES: build.step("chosen_scores", [found, count], SCORES, (found_boxes,)),
        },
    )


def ordered(shape: Sequence[int], order: Sequence[int]) -> Shape:
    return tuple(shape[axis] for axis in order)


def _pointwise(kind: str) -> Callable[[Node], None]:
    def lower_pointwise(node: Node) -> None:
        holders = [node.held(at) for at in range(len(node.proto.input))]
        leading = max(holders, key=lambda held: (held.value.data is None, len(held.order)))
        made, *others = (_beside(node, at, held, leading) for at, held in enumerate(holders))
        own = "floordiv" if kind == "div" and made.dtype.kind == "i" else kind
        for left, each in zip(reversed(range(len(others))), others, strict=True):
            name = f"{node.name}_{left}" if left else node.name
            made = node.build.step(own, [made, each], name, broadcast(made.shape, each.shape))
        node.give(made, leading.order)

    return lower_pointwise


def _beside(node: Node, at: int, held: Held, leading: Held) -> Value:
    """An input of arithmetic in the order of the leading one; ONNX lines shapes up at their ends."""
    if held.order == leading.order or not held.order:
        return held.value
    missing = len(leading.order) - len(held.order)
    if missing < 0 or (missing > 0 and held.value.data is None):
        raise node.refused("one of its inputs has another number of axes")
    if held.value.data is None:
        return node.value(at, leading.order)
    values = held.value.data.reshape((1,) * missing + held.value.shape)
    return node.build.constant(values.transpose(leading.order), f"{held.value.name}_ordered")


def _unary(kind: str) -> Callable[[Node], None]:
    def lower_unary(node: Node) -> None:
        held = node.held(0)
        node.step(kind, [held.value], held.order)

    return lower_unary


def _conv(node: Node) -> None:
    kernel = node.weight(1)
    assert kernel is not None
    if kernel.ndim != IMAGE:
        raise node.refused("only convolutions of images are known")
    bias, options = node.weight(2), _window(node)
    groups, images = node.options.get("group", 1), node.value(0, CHANNELS_LAST)
    if groups not in {1, images.shape[3]} or (groups > 1 and kernel.shape[:2] != (groups, 1)):
        raise node.refused(f"it has {groups} groups")
    own = kernel.transpose(2, 3, 0, 1) if groups > 1 else kernel.transpose(2, 3, 1, 0)
    inputs = [
        images,
        node.build.constant(own, f"{node.name}_kernel"),
        node.build.constant(np.zeros(len(kernel), np.float32) if bias is None else bias, f"{node.name}_bias"),
    ]
    node.step("depthwise" if groups > 1 else "conv2d", inputs, CHANNELS_LAST, **options)


def _window(node: Node) -> dict[str, list[int]]:
    """How a window moves over the images, and the borders around them."""
    if node.options.get("auto_pad", b"NOTSET") not in {b"NOTSET", b"VALID"}:
        raise node.refused("its borders are not told (auto_pad)")
    if set(node.options.get("dilations", [1])) != {1}:
        raise node.refused("it has dilations")
    return {
        "strides": list(node.options.get("strides", [1, 1])),
        "pads": list(node.options.get("pads", [0, 0, 0, 0])),
    }


def _pool(kind: str) -> Callable[[Node], None]:
    def lower_pool(node: Node) -> None:
        size, options = list(node.options["kernel_shape"]), _window(node)
        if (kind == "average_pool" and any(options["pads"])) or node.options.get("ceil_mode", 0):
            raise node.refused("it counts what lies outside the image")
        node.step(kind, [node.value(0, CHANNELS_LAST)], CHANNELS_LAST, size=size, **options)

    return lower_pool


def _global_pool(node: Node) -> None:
    node.step("mean", [node.value(0, CHANNELS_LAST)], CHANNELS_LAST, axes=[1, 2], keepdims=True)


def _reduce(kind: str) -> Callable[[Node], None]:
    def lower_reduce(node: Node) -> None:
        axes, kept = _axes(node), bool(node.options.get("keepdims", 1))
        value, order = node.value(0), None
        if kind == "length":
            squared = node.build.step("mul", [value, value], f"{node.name}_squared", value.shape)
            shape = tuple(1 if at in axes else side for at, side in enumerate(value.shape))
            summed = node.build.step("reduce_sum", [squared], f"{node.name}_sum", shape, axes=axes, keepdims=True)
            if not kept:
                summed = node.build.step("reshape", [summed], f"{node.name}_flat", node.shape)
            node.step("sqrt", [summed], order)
        else:
            node.step(kind, [value], order, axes=axes, keepdims=kept)

    return lower_reduce


def _axes(node: Node) -> list[int]:
    told = node.options.get("axes") if "axes" in node.options else node.weight(1)
    rank = len(node.held(0).order)
    return sorted(int(axis) % rank for axis in (range(rank) if told is None else told))


def _gemm(node: Node) -> None:
    plain = {node.options.get("alpha", 1.0), node.options.get("beta", 1.0)} == {1.0}
    if not plain or node.options.get("transA", 0):
        raise node.refused("it scales or transposes")
    weights = node.weight(1)
    assert weights is not None
    _dense(node, weights.T if node.options.get("transB", 0) else weights, node.weight(2))


def _matmul(node: Node) -> None:
    left, right = node.held(0), node.held(1)
    if {len(left.order), len(right.order)} != {2}:
        raise node.refused("only products of two matrices are known")
    if right.value.data is not None:
        _dense(node, right.value.data, None)
    else:
        node.step("matmul", [node.value(0), node.value(1)])


def _dense(node: Node, weights: NDArray[Any], bias: NDArray[Any] | None) -> None:
    if bias is not None and bias.shape[:-1] not in {(), (1,)}:
        raise node.refused("each row has a bias of its own")
    added = np.zeros(1, np.float32) if bias is None else bias.reshape(-1)
    inputs = [
        node.value(0),
        node.build.constant(weights, f"{node.name}_weights"),
        node.build.constant(np.broadcast_to(added, weights.shape[1]), f"{node.name}_bias"),
    ]
    node.step("dense", inputs)


def _softmax(node: Node) -> None:
    rank = len(node.shape)
    if node.options.get("axis", -1) % rank != rank - 1:
        raise node.refused("only the last axis is known")
    node.step("softmax", [node.value(0)])


def _resize(node: Node) -> None:
    way = tuple(node.options.get(name, b"") for name in ("mode", "coordinate_transformation_mode", "nearest_mode"))
    if way != (b"nearest", b"asymmetric", b"floor"):
        raise node.refused("only the nearest pixel above and to the left is known")
    images = node.value(0, CHANNELS_LAST)
    if any(now % before for now, before in zip(ordered(node.shape, CHANNELS_LAST)[1:], images.shape[1:], strict=True)):
        raise node.refused("it enlarges by no whole number")
    node.step("enlarge", [images], CHANNELS_LAST, size=list(node.shape[2:]))


def _concat(node: Node) -> None:
    order = node.held(0).order
    axis = order.index(node.options["axis"] % len(order))
    inputs = [node.value(at, order) for at in range(len(node.proto.input))]
    node.step("concat", inputs, order, axis=axis)


def _reshape(node: Node) -> None:
    held, shape = node.held(0), node.shape
    if held.order == CHANNELS_LAST:
        batch, *sides, channels = held.value.shape
        if shape == (batch, channels, int(np.prod(sides))):  # a row of places: still channels-last
            node.step("reshape", [held.value], (0, 2, 1))
            return
        if set(sides) == {1} and shape == (batch, channels):
            node.step("reshape", [held.value])
            return
    node.step("reshape", [node.value(0)])


def _transpose(node: Node) -> None:
    held = node.held(0)
    permutation = list(node.options.get("perm", reversed(range(len(held.order)))))
    if held.value.data is not None:
        node.give(node.build.constant(held.value.data.transpose(permutation), node.name))
    else:
        node.give(held.value, tuple(permutation.index(axis) for axis in held.order))


def _identity(node: Node) -> None:
    held = node.held(0)
    node.give(held.value, held.order)


def _top_k(node: Node) -> None:
    count, value = node.weight(1), node.value(0)
    assert count is not None
    if node.options.get("axis", -1) % len(value.shape) != len(value.shape) - 1 or not node.options.get("largest", 1):
        raise node.refused("only the largest along the last axis are known")
    most = int(count.reshape(-1)[0])
    shape = (*value.shape[:-1], most)
    made = node.build.pair("top_k", [value], list(node.proto.output), (shape, shape), count=most)
    for name, each in zip(node.proto.output, made, strict=True):
        node.lowering.env[name] = Held(each, tuple(range(len(shape))))


def _gather(node: Node) -> None:
    if node.options.get("axis", 0) != 0:
        raise node.refused("only rows can be gathered")
    positions = node.held(1).value.data
    if positions is not None and (positions < 0).any():
        raise node.refused("it counts rows from the end")
    node.step("gather", [node.value(0), node.value(1)])


def _clip(node: Node) -> None:
    held = node.held(0)
    for kind, at in (("maximum", 1), ("minimum", 2)):
        limit = node.weight(at)
        if limit is not None:
            bound = node.build.constant(limit, f"{node.name}_limit")
            made = node.build.step(kind, [held.value, bound], f"{node.name}_{kind}", held.value.shape)
            held = Held(made, held.order)
    node.give(held.value, held.order)


OPERATORS: Mapping[str, Callable[[Node], None]] = {
    "Add": _pointwise("add"),
    "AveragePool": _pool("average_pool"),
    "Clip": _clip,
    "Concat": _concat,
    "Conv": _conv,
    "Div": _pointwise("div"),
    "Exp": _unary("exp"),
    "Flatten": _reshape,
    "Floor": _unary("floor"),
    "Gather": _gather,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_pool,
    "Identity": _identity,
    "Log": _unary("log"),
    "MatMul": _matmul,
    "Max": _pointwise("maximum"),
    "MaxPool": _pool("max_pool"),
    "Min": _pointwise("minimum"),
    "Mul": _pointwise("mul"),
    "Neg": _unary("neg"),
    "ReduceL2": _reduce("length"),
    "ReduceMax": _reduce("reduce_max"),
    "ReduceMean": _reduce("mean"),
    "ReduceSum": _reduce("reduce_sum"),
    "Relu": _unary("relu"),
    "Reshape": _reshape,
    "Resize": _resize,
    "Sigmoid": _unary("sigmoid"),
    "Softmax": _softmax,
    "Sqrt": _unary("sqrt"),
    "Squeeze": _reshape,
    "Sub": _pointwise("sub"),
    "Tanh": _unary("tanh"),
    "TopK": _top_k,
    "Transpose": _transpose,
    "Unsqueeze": _reshape,
}
"""One row for each operator that is known."""
