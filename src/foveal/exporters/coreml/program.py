"""An ONNX graph as a MIL program, Core ML's own form of it, for one image at a time."""

from typing import Any

import onnx
from onnx import numpy_helper

from foveal.errors import Invalid
from foveal.exporters.client_graph import attributes
from foveal.exporters.coreml.library import quiet
from foveal.exporters.coreml.operators import OPERATORS
from foveal.exporters.coreml.step import Step


def program(model: onnx.ModelProto) -> Any:
    """Write a graph of one input, float32 (1, 3, s, s), as a `Program` of coremltools, its outputs by their names.

    Raises:
        Invalid: Core ML has no word for one of its operators.
    """
    unknown = sorted({node.op_type for node in model.graph.node} - OPERATORS.keys())
    if unknown:
        raise Invalid(f"The model cannot be written for Core ML: it has the operator {', '.join(unknown)}.")
    with quiet():
        return _written(model.graph)


def _written(graph: onnx.GraphProto) -> Any:
    from coremltools.converters.mil import Builder, Function, Program

    Builder.name_count.clear()  # names carry a count, of the whole process unless told: same graph, same file
    source = Builder.placeholder(_shape(graph.input[0]))
    whole = Program()
    with Function({graph.input[0].name: source}) as function:
        values: dict[str, Any] = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        values[graph.input[0].name] = function.inputs[graph.input[0].name]
        for node in graph.node:
            values |= _said(node, values, Builder)
        function.set_outputs([_named(values[each.name], each.name, Builder) for each in graph.output])
        whole.add_function("main", function)
    return whole


def _shape(value: onnx.ValueInfoProto) -> Any:
    _, *sides = (dim.dim_value for dim in value.type.tensor_type.shape.dim)
    if not all(sides):
        raise Invalid(f"The model cannot be written for Core ML: its input {value.name} has no fixed size.")
    return (1, *sides)


def _said(node: onnx.NodeProto, values: dict[str, Any], builder: Any) -> dict[str, Any]:
    """The outputs of a node by name."""
    inputs = [values[name] if name else None for name in node.input]
    step = Step(node.op_type, node.output[0], inputs, attributes(node), builder)
    made = OPERATORS[node.op_type](step)
    outputs = made if isinstance(made, tuple | list) else [made]
    return dict(zip(node.output, outputs, strict=True))


def _named(value: Any, name: str, builder: Any) -> Any:
    return value if getattr(value, "name", None) == name else builder.identity(x=value, name=name)
