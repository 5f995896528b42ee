"""The nodes of a TensorFlow graph, written from the form. TensorFlow itself is not needed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.exporters.form import Form, Shape, Step, Value
from foveal.exporters.tensorflow import messages

FLOAT = np.dtype(np.float32)
INT = np.dtype(np.int32)
PRODUCER, MIN_CONSUMER = 1087, 12  # versions of graphs: what TensorFlow 2 writes, and what every one since 1.0 reads


class Graph:
    """A graph while its nodes are written; `ref` names what a value became."""

    def __init__(self) -> None:
        self.proto: Any = messages.classes().GraphDef()
        self.proto.versions.producer, self.proto.versions.min_consumer = PRODUCER, MIN_CONSUMER
        self._refs: dict[int, str] = {}

    def ref(self, value: Value) -> str:
        """The tensor of a value; a constant is written when it is first asked for."""
        if id(value) not in self._refs:
            assert value.data is not None
            self._refs[id(value)] = self.constant(value.data, value.name)
        return self._refs[id(value)]

    def bind(self, value: Value, ref: str) -> None:
        self._refs[id(value)] = ref

    def node(self, op: str, name: str, inputs: Sequence[str], **attributes: Any) -> str:
        node = self.proto.node.add(name=name, op=op, input=inputs)
        for key, value in attributes.items():
            _set(node.attr[key], value)
        return name

    def constant(self, data: NDArray[Any] | np.generic | Sequence[int], name: str) -> str:
        values = np.asarray(data, INT) if isinstance(data, list) else np.asarray(data)
        return self.node("Const", name, [], dtype=values.dtype, value=values)


def write(form: Form) -> Any:
    """Give a GraphDef with a Placeholder, constants and operations; each output is a node of its name."""
    graph = Graph()
    graph.bind(form.input, graph.node("Placeholder", form.input.name, [], dtype=FLOAT, shape=form.input.shape))
    for step in form.steps:
        WRITERS[step.kind](graph, step)
    for name, value in form.outputs.items():
        if graph.ref(value) != name:
            graph.node("Identity", name, [graph.ref(value)], T=value.dtype)
    return graph.proto


def tensor_info(value: Value, ref: str) -> Any:
    """The description of an input or an output in a signature."""
    info = messages.classes().TensorInfo(name=f"{ref}:0", dtype=messages.OF_NUMPY[value.dtype])
    _set_shape(info.tensor_shape, value.shape)
    return info


def _set(attribute: Any, value: Any) -> None:
    if isinstance(value, np.dtype):
        attribute.type = messages.OF_NUMPY[value]
    elif isinstance(value, np.ndarray):
        attribute.tensor.dtype = messages.OF_NUMPY[value.dtype]
        _set_shape(attribute.tensor.tensor_shape, value.shape)
        attribute.tensor.tensor_content = np.ascontiguousarray(value).tobytes()
    elif isinstance(value, tuple):
        _set_shape(attribute.shape, value)
    elif isinstance(value, list):
        attribute.list.i.extend(value)
    else:
        kind = {bool: "b", int: "i", float: "f", bytes: "s"}[type(value)]
        setattr(attribute, kind, value)


def _set_shape(message: Any, shape: Shape) -> None:
    message.SetInParent()  # a scalar has a shape too, one without sides
    for side in shape:
        message.dim.add(size=side)


def _plain(op: str) -> Callable[[Graph, Step], None]:
    def write_plain(graph: Graph, step: Step) -> None:
        (made,) = step.outputs
        graph.bind(made, graph.node(op, made.name, [graph.ref(each) for each in step.inputs], T=made.dtype))

    return write_plain


def _convolution(op: str) -> Callable[[Graph, Step], None]:
    def write_convolution(graph: Graph, step: Step) -> None:
        images, kernel, bias = step.inputs
        (made,) = step.outputs
        source, padding = _padded(graph, step, graph.ref(images))
        strides = [1, *step.options["strides"], 1]
        options = {"strides": strides, "dilations": [1, 1, 1, 1], "padding": padding, "data_format": b"NHWC"}
        summed = graph.node(op, f"{made.name}/plain", [source, graph.ref(kernel)], T=FLOAT, **options)
        added = graph.node("BiasAdd", made.name, [summed, graph.ref(bias)], T=FLOAT, data_format=b"NHWC")
        graph.bind(made, added)

    return write_convolution


def _padded(graph: Graph, step: Step, source: str, value: float | None = None) -> tuple[str, bytes]:
    """The images with their borders, and the kind of padding that the operation itself adds then."""
    pads = step.options.get("pads", [0, 0, 0, 0])
    if not any(pads):
        return source, b"VALID"
    name = step.outputs[0].name
    kernel = step.inputs[1].shape[:2] if len(step.inputs) > 1 else step.options["size"]
    even = [side // 2 for side in kernel]
    if value is None and step.options["strides"] == [1, 1] and all(side % 2 for side in kernel) and pads == even * 2:
        return source, b"SAME"
    top, left, bottom, right = pads
    borders = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], INT)
    inputs = [source, graph.constant(borders, f"{name}/borders")]
    if value is None:
        return graph.node("Pad", f"{name}/padded", inputs, T=FLOAT, Tpaddings=INT), b"VALID"
    inputs.append(graph.constant(np.float32(value), f"{name}/border"))
    return graph.node("PadV2", f"{name}/padded", inputs, T=FLOAT, Tpaddings=INT), b"VALID"


def _pool(op: str) -> Callable[[Graph, Step], None]:
    def write_pool(graph: Graph, step: Step) -> None:
        (made,) = step.outputs
        lowest = float(np.finfo(np.float32).min)
        source, padding = _padded(graph, step, graph.ref(step.inputs[0]), lowest)
        sizes = {"ksize": [1, *step.options["size"], 1], "strides": [1, *step.options["strides"], 1]}
        graph.bind(made, graph.node(op, made.name, [source], T=FLOAT, padding=padding, data_format=b"NHWC", **sizes))

    return write_pool


def _told(op: str, option: str | None, attribute: str) -> Callable[[Graph, Step], None]:
    """An operation that takes an option, or the shape of its output, as a second tensor."""

    def write_told(graph: Graph, step: Step) -> None:
        (made,) = step.outputs
        told = list(made.shape) if option is None else list(step.options[option])
        inputs = [graph.ref(step.inputs[0]), graph.constant(told, f"{made.name}/{option or 'shape'}")]
        more: Mapping[str, Any] = {"keep_dims": step.options["keepdims"]} if "keepdims" in step.options else {}
        graph.bind(made, graph.node(op, made.name, inputs, T=made.dtype, **{attribute: INT}, **more))

    return write_told


def _enlarge(graph: Graph, step: Step) -> None:
    (made,) = step.outputs
    inputs = [graph.ref(step.inputs[0]), graph.constant(list(step.options["size"]), f"{made.name}/size")]
    how = {"align_corners": False, "half_pixel_centers": False}
    graph.bind(made, graph.node("ResizeNearestNeighbor", made.name, inputs, T=FLOAT, **how))


def _dense(graph: Graph, step: Step) -> None:
    rows, weights, bias = (graph.ref(each) for each in step.inputs)
    (made,) = step.outputs
    product = _product(graph, f"{made.name}/product", [rows, weights])
    graph.bind(made, graph.node("BiasAdd", made.name, [product, bias], T=FLOAT, data_format=b"NHWC"))


def _matmul(graph: Graph, step: Step) -> None:
    (made,) = step.outputs
    graph.bind(made, _product(graph, made.name, [graph.ref(each) for each in step.inputs]))


def _product(graph: Graph, name: str, inputs: Sequence[str]) -> str:
    return graph.node("MatMul", name, inputs, T=FLOAT, transpose_a=False, transpose_b=False)


def _concat(graph: Graph, step: Step) -> None:
    (made,) = step.outputs
    parts = [graph.ref(each) for each in step.inputs]
    axis = graph.constant(np.int32(step.options["axis"]), f"{made.name}/axis")
    graph.bind(made, graph.node("ConcatV2", made.name, [*parts, axis], T=made.dtype, Tidx=INT, N=len(parts)))


def _gather(graph: Graph, step: Step) -> None:
    (made,) = step.outputs
    inputs = [*(graph.ref(each) for each in step.inputs), graph.constant(np.int32(0), f"{made.name}/axis")]
    kinds = {"Tparams": made.dtype, "Tindices": INT, "Taxis": INT}
    graph.bind(made, graph.node("GatherV2", made.name, inputs, batch_dims=0, **kinds))


def _top_k(graph: Graph, step: Step) -> None:
    values, positions = step.outputs
    count = graph.constant(np.int32(step.options["count"]), f"{values.name}/count")
    node = graph.node("TopKV2", values.name, [graph.ref(step.inputs[0]), count], T=values.dtype, sorted=True)
    graph.bind(values, node)
    graph.bind(positions, f"{node}:1")


def _choose(graph: Graph, step: Step) -> None:
    chosen, _ = step.outputs
    limits = {
        "most": np.int32(step.options["most"]),
        "overlap": np.float32(step.options["overlap"]),
        "faintest": np.float32(step.options["faintest"]),
    }
    told = [graph.constant(value, f"{chosen.name}/{name}") for name, value in limits.items()]
    inputs = [*(graph.ref(each) for each in step.inputs), *told]
    graph.bind(chosen, graph.node("NonMaxSuppressionV3", chosen.name, inputs, T=FLOAT, T_threshold=FLOAT))


def _chosen_scores(graph: Graph, step: Step) -> None:
    """Nothing stands behind the count here: what is chosen has just its length."""
    (made,) = step.outputs
    graph.bind(made, graph.node("Identity", made.name, [graph.ref(step.inputs[0])], T=made.dtype))


WRITERS: Mapping[str, Callable[[Graph, Step], None]] = {
    "add": _plain("AddV2"),
    "average_pool": _pool("AvgPool"),
    "choose": _choose,
    "chosen_scores": _chosen_scores,
    "concat": _concat,
    "conv2d": _convolution("Conv2D"),
    "dense": _dense,
    "depthwise": _convolution("DepthwiseConv2dNative"),
    "div": _plain("RealDiv"),
    "enlarge": _enlarge,
    "exp": _plain("Exp"),
    "floor": _plain("Floor"),
    "floordiv": _plain("FloorDiv"),
    "gather": _gather,
    "log": _plain("Log"),
    "matmul": _matmul,
    "max_pool": _pool("MaxPool"),
    "maximum": _plain("Maximum"),
    "mean": _told("Mean", "axes", "Tidx"),
    "minimum": _plain("Minimum"),
    "mul": _plain("Mul"),
    "neg": _plain("Neg"),
    "reduce_max": _told("Max", "axes", "Tidx"),
    "reduce_sum": _told("Sum", "axes", "Tidx"),
    "relu": _plain("Relu"),
    "reshape": _told("Reshape", None, "Tshape"),
    "sigmoid": _plain("Sigmoid"),
    "softmax": _plain("Softmax"),
    "sqrt": _plain("Sqrt"),
    "sub": _plain("Sub"),
    "tanh": _plain("Tanh"),
    "top_k": _top_k,
    "transpose": _told("Transpose", "permutation", "Tperm"),
}
"""One row for each kind of step."""
