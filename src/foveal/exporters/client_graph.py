"""A model's graph as a client sees it: its colours and range at the input, and what it makes of boxes at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from foveal.bundle import Bundle
from foveal.engine import graph
from foveal.engine.detection.graph import ALL_BOXES, ALL_SCORES, BOXES, CLASSES, SCORES
from foveal.engine.graph import INPUT, OUTPUT
from foveal.engine.nodes import Nodes
from foveal.errors import Invalid
from foveal.exporters import grid
from foveal.exporters.interface import BGR, DETECTED, GRID, PROBABILITIES, RAW, TO_1, Interface

SCORED = "scored"
"""The ending for writers that choose among the boxes in their own way: `boxes` (1, a, 4), `scores` (1, k, a)."""
RAW_BOXES, RAW_PROBABILITIES = "raw_boxes", "raw_probs"
OUTPUTS = {
    PROBABILITIES: (OUTPUT,),
    DETECTED: (BOXES, CLASSES, SCORES),
    SCORED: (ALL_BOXES, ALL_SCORES),
    GRID: (grid.OUTPUT,),
    RAW: (RAW_PROBABILITIES, RAW_BOXES),
}
CHANNEL = -3  # axis of images, of kernels, and of constants beside images
WHITE = 255.0
POINTWISE = ("Sub", "Add", "Mul", "Div")
PASSING = ("AveragePool", "Identity", "Relu")


def adapted(bundle: Bundle, interface: Interface, ending: str | None = None) -> onnx.ModelProto:
    """Give the bundle's model with the input of `interface` and the outputs of an ending, by default its own.

    Its weights are of single precision, and no Cast stands before them.

    Raises:
        Invalid: The graph cannot be changed so.
    """
    ending = ending or interface.ending
    model = onnx.load_from_string(graph.widened(bundle.graph.read_bytes()))
    _end(model, interface, ending)
    if interface.pixel_format == BGR:
        reverse_channels(model)
    if interface.value_range == TO_1:
        _scale_input(model)
    rename(model, {INPUT: interface.input_name})
    del model.metadata_props[:]
    onnx.checker.check_model(model, full_check=True)
    return onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)


def rename(model: onnx.ModelProto, names: dict[str, str]) -> None:
    """Give tensors other names, wherever they stand."""
    for node in model.graph.node:
        for tensors in (node.input, node.output):
            for at, name in enumerate(tensors):
                tensors[at] = names.get(name, name)
    for each in (*model.graph.input, *model.graph.output, *model.graph.value_info, *model.graph.initializer):
        each.name = names.get(each.name, each.name)


@dataclass
class _Flipping:
    """The weights of a graph while those are turned round that meet the colours of the image."""

    model: onnx.ModelProto
    turned: set[str] = field(default_factory=set[str])

    def turn(self, name: str, channels: int, axis: int) -> None:
        """Reverse a weight along an axis, once."""
        weight = next((each for each in self.model.graph.initializer if each.name == name), None)
        if weight is None:
            raise Invalid(f"The colours of this model cannot be turned round: {name} is no weight.")
        values = numpy_helper.to_array(weight)
        if values.size > 1 and (values.ndim < abs(axis) or values.shape[axis] != channels):
            raise Invalid(f"The colours of this model cannot be turned round: {name} is of shape {values.shape}.")
        if values.size > 1 and name not in self.turned:
            weight.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(np.flip(values, axis)), name))
        self.turned.add(name)


def reverse_channels(model: onnx.ModelProto) -> None:
    """Have a model take blue, green and red instead of red, green and blue, without an operation more.

    Raises:
        Invalid: Something else than arithmetic stands between the image and the first convolutions.
    """
    flipping = _Flipping(model)
    coloured = {model.graph.input[0].name}
    for node in model.graph.node:
        if not coloured & set(node.input):
            continue
        if node.op_type == "Conv":
            flipping.turn(node.input[1], 3, CHANNEL)
        elif node.op_type in POINTWISE:
            for name in set(node.input) - coloured:
                flipping.turn(name, 3, CHANNEL)
            coloured |= set(node.output)
        elif node.op_type in PASSING:
            coloured |= set(node.output)
        else:
            raise Invalid(f"The colours of this model cannot be turned round: it begins with {node.op_type}.")


def _scale_input(model: onnx.ModelProto) -> None:
    """Have a model take values from 0 to 1 instead of from 0 to 255."""
    scaled = f"{INPUT}_to_255"
    nodes = Nodes()
    nodes.add("Mul", [INPUT, nodes.constant(np.float32(WHITE), "white")], scaled)
    for node in model.graph.node:
        for at, name in enumerate(node.input):
            node.input[at] = scaled if name == INPUT else name
    later = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes.nodes, *later])
    model.graph.initializer.extend(nodes.weights)


def _end(model: onnx.ModelProto, interface: Interface, ending: str) -> None:
    """Have a model give the outputs of an ending, and drop what no longer leads anywhere."""
    kept = {each.name: each for each in model.graph.output}
    if ending in ENDS:
        nodes = Nodes()
        outputs = ENDS[ending](nodes, _places(model), interface)
        model.graph.node.extend(nodes.nodes)
        model.graph.initializer.extend(nodes.weights)
    else:
        missing = set(OUTPUTS[ending]) - set(kept)
        if missing:
            raise Invalid(f"The model gives no {', '.join(sorted(missing))}.")
        outputs = [kept[name] for name in OUTPUTS[ending]]
    del model.graph.output[:], model.graph.value_info[:]
    model.graph.output.extend(outputs)
    graph.drop_unused(model.graph)


def _places(model: onnx.ModelProto) -> int:
    """How many boxes a detector weighs."""
    known = onnx.shape_inference.infer_shapes(model, data_prop=True).graph.value_info
    found = next((each for each in known if each.name == ALL_BOXES), None)
    if found is None:
        raise Invalid(f"The model has no {ALL_BOXES}: it is no detector.")
    return found.type.tensor_type.shape.dim[1].dim_value


def _output(name: str, shape: Sequence[int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _scored(_nodes: Nodes, places: int, interface: Interface) -> list[onnx.ValueInfoProto]:
    return [_output(ALL_BOXES, [1, places, 4]), _output(ALL_SCORES, [1, len(interface.labels), places])]


def _raw(nodes: Nodes, places: int, interface: Interface) -> list[onnx.ValueInfoProto]:
    """All boxes, by their middles and sides, and for each how probable nothing and every tag is."""
    by_place = nodes.add("Transpose", [ALL_SCORES], "raw_tags", perm=[0, 2, 1])
    best = nodes.add("ReduceMax", [by_place], "raw_best", axes=[2], keepdims=1)
    nothing = nodes.add("Sub", [nodes.constant(np.float32(1), "raw_one"), best], "raw_nothing")
    nodes.add("Concat", [nothing, by_place], RAW_PROBABILITIES, axis=2)
    half, one = np.eye(2, dtype=np.float32) / 2, np.eye(2, dtype=np.float32)
    measures = nodes.constant(np.block([[half, -one], [half, one]]), "raw_measures")
    nodes.add("MatMul", [ALL_BOXES, measures], RAW_BOXES)
    tags = len(interface.labels)
    return [_output(RAW_PROBABILITIES, [1, places, 1 + tags]), _output(RAW_BOXES, [1, places, 4])]


def _grid(nodes: Nodes, places: int, interface: Interface) -> list[onnx.ValueInfoProto]:
    return [grid.add_grid(nodes, places, len(interface.labels), logistic=interface.logistic_offsets)]


ENDS = {GRID: _grid, RAW: _raw, SCORED: _scored}


def weights(model: onnx.ModelProto) -> dict[str, NDArray[Any]]:
    """The weights of a model by name."""
    return {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}


def shapes(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """The shapes of a model's tensors, -1 where a side is not fixed."""
    known = (*model.graph.value_info, *model.graph.output, *model.graph.input)
    return {
        each.name: tuple(dim.dim_value if dim.HasField("dim_value") else -1 for dim in each.type.tensor_type.shape.dim)
        for each in known
    }
