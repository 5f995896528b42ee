"""The same graph for runtimes of another age.

Our graphs are of opset 17. The rules below rewrite the few operators whose form differs; what an old runtime lacks
altogether is written with what it has.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from foveal.engine.nodes import Nodes
from foveal.errors import Invalid
from foveal.exporters import client_graph

IR_VERSIONS = {10: 5, 12: 7, 18: 8}
"""Versions of the file, as the onnx releases had them that brought these opsets."""
ML_DOMAIN, ML_VERSION = "ai.onnx.ml", 2
OPSET_WITH_CLIP_INPUTS, OPSET_WITH_GATHER_ND, OPSET_WITH_WHOLE_MINIMA = 11, 11, 12
OPSET_WITH_AXES_INPUTS, OPSET_WITH_REDUCE_INPUTS = 13, 18
WHOLE = (TensorProto.INT64, TensorProto.INT32)


class _Rewriting:
    """A graph on its way to another opset."""

    def __init__(self, model: onnx.ModelProto, version: int) -> None:
        self.version = version
        self.weights = client_graph.weights(model)
        self.shapes = client_graph.shapes(model)
        known = (*model.graph.value_info, *model.graph.output, *model.graph.input)
        self.types = {each.name: each.type.tensor_type.elem_type for each in known}
        self.nodes = Nodes()

    def keep(self, node: onnx.NodeProto) -> None:
        self.nodes.nodes.append(node)

    def known(self, node: onnx.NodeProto, name: str) -> NDArray[Any]:
        """A constant that old runtimes want to know beforehand."""
        if name not in self.weights:
            reason = f"{node.op_type} {node.output[0]} takes {name}, which is no constant"
            raise Invalid(f"The model cannot be written in ONNX opset {self.version}: {reason}.")
        return self.weights[name]

    def as_input(self, node: onnx.NodeProto, name: str) -> None:
        """Move an attribute of whole numbers to the end of the inputs."""
        values = client_graph.attributes(node).get(name)
        if values is not None:
            _drop_attribute(node, name)
            node.input.append(self.nodes.constant(np.array(values), f"{node.output[0]}_{name}"))
        self.keep(node)

    def as_attribute(self, node: onnx.NodeProto, name: str) -> None:
        """Move the last input, a constant of whole numbers, to the attributes."""
        if len(node.input) > 1:
            values = self.known(node, node.input[1]).tolist()
            del node.input[1:]
            node.attribute.append(helper.make_attribute(name, values))
        self.keep(node)


def at_opset(model: onnx.ModelProto, version: int) -> onnx.ModelProto:
    """Give the model in another opset.

    Raises:
        Invalid: The opset is none that we write, or does not know one of the model's operators.
    """
    if version not in IR_VERSIONS:
        raise Invalid(f"ONNX opset {version} is not written: expected one of {', '.join(map(str, IR_VERSIONS))}.")
    made = onnx.ModelProto()
    made.CopyFrom(model)
    work = _Rewriting(made, version)
    for node in made.graph.node:
        RULES.get(node.op_type, _Rewriting.keep)(work, node)
    del made.graph.node[:], made.graph.value_info[:], made.opset_import[:]
    made.graph.node.extend(work.nodes.nodes)
    made.graph.initializer.extend(work.nodes.weights)
    made.opset_import.append(helper.make_opsetid("", version))
    made.ir_version, made.producer_name = IR_VERSIONS[version], "Foveal"
    _drop_unused_weights(made)
    try:
        onnx.checker.check_model(made, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        told = str(error).splitlines()[0]
        raise Invalid(f"The model cannot be written in ONNX opset {version}: {told}") from error
    return made


def _drop_attribute(node: onnx.NodeProto, name: str) -> None:
    kept = [each for each in node.attribute if each.name != name]
    del node.attribute[:]
    node.attribute.extend(kept)


def _drop_unused_weights(model: onnx.ModelProto) -> None:
    used = {name for node in model.graph.node for name in node.input}
    kept = [weight for weight in model.graph.initializer if weight.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


def _reduce(work: _Rewriting, node: onnx.NodeProto) -> None:
    if work.version >= OPSET_WITH_REDUCE_INPUTS:
        work.as_input(node, "axes")
    else:
        work.keep(node)


def _axes(work: _Rewriting, node: onnx.NodeProto) -> None:
    if work.version < OPSET_WITH_AXES_INPUTS:
        work.as_attribute(node, "axes")
    else:
        work.keep(node)


def _clip(work: _Rewriting, node: onnx.NodeProto) -> None:
    if work.version < OPSET_WITH_CLIP_INPUTS:
        for name, limit in zip(("min", "max"), node.input[1:], strict=False):
            if limit:
                node.attribute.append(helper.make_attribute(name, float(work.known(node, limit))))
        del node.input[1:]
    work.keep(node)


def _resize(work: _Rewriting, node: onnx.NodeProto) -> None:
    if work.version < OPSET_WITH_CLIP_INPUTS:  # the same release gave it its present form
        node.input[:] = [node.input[0], node.input[2]]
        for name in ("coordinate_transformation_mode", "nearest_mode"):
            _drop_attribute(node, name)
    elif work.version < OPSET_WITH_AXES_INPUTS:  # a region could not be left out yet
        node.input[1] = work.nodes.constant(np.empty(0, np.float32), f"{node.output[0]}_region")
    work.keep(node)


def _whole_minimum(work: _Rewriting, node: onnx.NodeProto) -> None:
    """Old runtimes know the least of real numbers alone."""
    kind = work.types.get(node.output[0])
    if work.version >= OPSET_WITH_WHOLE_MINIMA or kind not in WHOLE:
        return work.keep(node)
    name = node.output[0]
    reals = [
        work.nodes.add("Cast", [each], f"{name}_real_{at}", to=TensorProto.FLOAT) for at, each in enumerate(node.input)
    ]
    least = work.nodes.add(node.op_type, reals, f"{name}_real")
    work.nodes.add("Cast", [least], name, to=kind)
    return None


def _gather_nd(work: _Rewriting, node: onnx.NodeProto) -> None:
    """Pick entries (m,) of a matrix by their rows and columns (m, 2)."""
    if work.version >= OPSET_WITH_GATHER_ND:
        return work.keep(node)
    matrix, places = node.input
    name, nodes = node.output[0], work.nodes
    width = work.shapes[matrix][1]
    flat = nodes.add("Reshape", [matrix, nodes.constant(np.array([-1]), f"{name}_line")], f"{name}_flat")
    row, column = (
        nodes.add("Gather", [places, nodes.constant(np.int64(at), f"{name}_at_{at}")], f"{name}_{at}", axis=1)
        for at in (0, 1)
    )
    before = nodes.add("Mul", [row, nodes.constant(np.int64(width), f"{name}_width")], f"{name}_before")
    nodes.add("Gather", [flat, nodes.add("Add", [before, column], f"{name}_position")], name, axis=0)
    return None


RULES: Mapping[str, Callable[[_Rewriting, Any], None]] = {
    "Clip": _clip,
    "GatherND": _gather_nd,
    "Max": _whole_minimum,
    "Min": _whole_minimum,
    "ReduceL2": _reduce,
    "ReduceMax": _reduce,
    "ReduceMean": _reduce,
    "ReduceSum": _axes,
    "Resize": _resize,
    "Squeeze": _axes,
    "Unsqueeze": _axes,
}
"""One row for each operator whose form differs between the opsets that we write."""
