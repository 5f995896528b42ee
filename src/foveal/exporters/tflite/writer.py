"""A TensorFlow Lite file, written from the form with LiteRT's own schema. TensorFlow itself is not needed."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.errors import Unavailable
from foveal.exporters.form import UNKNOWN, Form, Step, Value

SIGNATURE = b"serving_default"
IDENTIFIER = b"TFL3"
VERSION = 3
SMALLEST_HALVED = 9  # numbers in a weight from which half precision saves room
FUSED = ("conv2d", "depthwise", "add")
"""Steps that can take the largest of zero and what they made in the same go."""


def write(form: Form, *, half: bool = False) -> bytes:
    """Give the file. With `half` weights are kept in half precision and widened as they are read.

    Raises:
        Unavailable: LiteRT is not installed.
    """
    writer = _Writer(form, half=half)
    fused = _fusable(form)
    made_by_fusion = {id(step.outputs[0]) for step in fused.values()}
    for step in form.steps:
        if not any(id(value) in made_by_fusion for value in step.outputs):
            relu = fused.get(id(step))
            WRITERS[step.kind](writer, step, relu.outputs if relu else step.outputs, relu is not None)
    return writer.finish()


def schema() -> Any:
    """LiteRT's schema."""
    try:
        from ai_edge_litert import schema_py_generated  # an extra
    except ModuleNotFoundError as error:
        raise Unavailable('TensorFlow Lite needs LiteRT: pip install "foveal[tflite]".') from error
    return schema_py_generated


def _fusable(form: Form) -> dict[int, Step]:
    """Steps by their identity, and the relu that is the only reader of what each makes."""
    readers = Counter(id(value) for step in form.steps for value in step.inputs)
    readers.update(id(value) for value in form.outputs.values())
    relus = {id(step.inputs[0]): step for step in form.steps if step.kind == "relu"}
    return {
        id(step): relus[id(step.outputs[0])]
        for step in form.steps
        if step.kind in FUSED and id(step.outputs[0]) in relus and readers[id(step.outputs[0])] == 1
    }


class _Writer:
    """A file while its tensors and operators are collected."""

    def __init__(self, form: Form, *, half: bool) -> None:
        self.schema = schema()
        self.form, self.half = form, half
        self.batched = form.input.shape[0] == UNKNOWN
        kinds = self.schema.TensorType
        self.kinds = {
            np.dtype(np.float32): kinds.FLOAT32,
            np.dtype(np.float16): kinds.FLOAT16,
            np.dtype(np.int32): kinds.INT32,
            np.dtype(np.bool_): kinds.BOOL,
        }
        self.model, self.graph = self.schema.ModelT(), self.schema.SubGraphT()
        self.model.version, self.model.description = VERSION, b"Made with Foveal"
        self.model.buffers, self.model.operatorCodes = [self.schema.BufferT()], []
        self.model.subgraphs = [self.graph]
        self.graph.name, self.graph.tensors, self.graph.operators = b"main", [], []
        self._tensors: dict[int, int] = {}
        self._turned: dict[int, int] = {}
        self._codes: dict[int, int] = {}
        self.tensor(form.input)

    def tensor(self, value: Value) -> int:
        """The position of a value's tensor, made when it is first asked for."""
        if id(value) not in self._tensors:
            if value.data is None:
                self._tensors[id(value)] = self.add(value.name, value.shape, value.dtype)
            else:
                self._tensors[id(value)] = self.weight(value.name, value.data)
        return self._tensors[id(value)]

    def turned(self, value: Value, axes: Sequence[int]) -> int:
        """The position of a weight's tensor with its axes in the order that the one kind of its readers takes."""
        assert value.data is not None
        if id(value) not in self._turned:
            self._turned[id(value)] = self.weight(value.name, value.data.transpose(axes))
        return self._turned[id(value)]

    def weight(self, name: str, data: NDArray[Any]) -> int:
        if self.half and data.dtype == np.float32 and data.size >= SMALLEST_HALVED:
            return self._widened(name, data)
        return self.add(name, data.shape, data.dtype, data)

    def add(self, name: str, shape: Sequence[int], dtype: np.dtype[Any], data: NDArray[Any] | None = None) -> int:
        tensor = self.schema.TensorT()
        tensor.name, tensor.type = name.encode(), self.kinds[dtype]
        tensor.shape = np.array([1 if side == UNKNOWN else side for side in shape], np.int32)
        if UNKNOWN in shape:
            tensor.shapeSignature = np.array(shape, np.int32)
        tensor.buffer = 0
        if data is not None:
            buffer = self.schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def constant(self, data: Any, name: str) -> int:
        values = np.asarray(data, np.int32) if isinstance(data, list | int) else np.asarray(data)
        return self.add(name, values.shape, values.dtype, values)

    def between(self, name: str, shape: Sequence[int], dtype: Any = np.float32) -> int:
        """A tensor between two operators of one step."""
        return self.add(name, shape, np.dtype(dtype))

    def operator(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], options: str = "", **values: Any
    ) -> None:
        made = self.schema.OperatorT()
        made.opcodeIndex = self._code(getattr(self.schema.BuiltinOperator, name))
        made.inputs, made.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        if options:
            made.builtinOptions = getattr(self.schema, f"{options}T")()
            made.builtinOptionsType = getattr(self.schema.BuiltinOptions, options)
            for key, value in values.items():
                setattr(made.builtinOptions, key, value)
        self.graph.operators.append(made)

    def finish(self) -> bytes:
        import flatbuffers  # comes with LiteRT

        outputs = list(self.form.outputs.items())
        self.graph.inputs = np.array([self.tensor(self.form.input)], np.int32)
        self.graph.outputs = np.array([self.tensor(value) for _, value in outputs], np.int32)
        signature = self.schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = SIGNATURE, 0
        signature.inputs = [self._named(self.form.input.name, self.form.input)]
        signature.outputs = [self._named(name, value) for name, value in outputs]
        for name, value in outputs:
            self.graph.tensors[self.tensor(value)].name = name.encode()
        self.model.signatureDefs = [signature]
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self.model.Pack(builder), IDENTIFIER)
        return bytes(builder.Output())

    def _named(self, name: str, value: Value) -> Any:
        entry = self.schema.TensorMapT()
        entry.name, entry.tensorIndex = name.encode(), self.tensor(value)
        return entry

    def _widened(self, name: str, data: NDArray[Any]) -> int:
        half = self.add(f"{name}_half", data.shape, np.dtype(np.float16), data.astype(np.float16))
        whole = self.add(name, data.shape, np.dtype(np.float32))
        self.operator("DEQUANTIZE", [half], [whole], "DequantizeOptions")
        return whole

    def _code(self, number: int) -> int:
        if number not in self._codes:
            code = self.schema.OperatorCodeT()
            code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), 1
            self._codes[number] = len(self.model.operatorCodes)
            self.model.operatorCodes.append(code)
        return self._codes[number]


Writer = Callable[[_Writer, Step, Sequence[Value], bool], None]


def _plain(name: str, options: str = "") -> Writer:
    def write_plain(writer: _Writer, step: Step, outputs: Sequence[Value], fused: bool) -> None:  # noqa: FBT001
        more = {"fusedActivationFunction": _activation(writer, fused=True)} if fused else {}
        inputs = [writer.tensor(value) for value in step.inputs]
        writer.operator(name, inputs, [writer.tensor(value) for value in outputs], options, **more)

    return write_plain


def _told(name: str, options: str, option: str | None = None) -> Writer:
    """An operator that takes an option, or the shape of its output, as a second tensor."""

    def write_told(writer: _Writer, step: Step, outputs: Sequence[Value], _fused: bool) -> None:  # noqa: FBT001
        (made,) = outputs
        told = _static(writer, made.shape) if option is None else step.options[option]
        inputs = [writer.tensor(step.inputs[0]), writer.constant(list(told), f"{made.name}_told")]
        more = {"keepDims": step.options["keepdims"]} if "keepdims" in step.options else {}
        if option is None:
            more["newShape"] = np.array(told, np.int32)
        writer.operator(name, inputs, [writer.tensor(made)], options, **more)

    return write_told


def _static(writer: _Writer, shape: Sequence[int]) -> list[int]:
    assert writer.batched or UNKNOWN not in shape
    return list(shape)


def _activation(writer: _Writer, *, fused: bool) -> int:
    kinds = writer.schema.ActivationFunctionType
    return kinds.RELU if fused else kinds.NONE


def _convolution(writer: _Writer, step: Step, outputs: Sequence[Value], fused: bool) -> None:  # noqa: FBT001
    images, kernel, bias = step.inputs
    alone = step.kind == "depthwise"
    name, options = ("DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions") if alone else ("CONV_2D", "Conv2DOptions")
    source, padding = _padded(writer, step, images, kernel.shape[:2])
    inputs = [source, writer.turned(kernel, (3, 0, 1, 2)), writer.tensor(bias)]
    height, width = step.options["strides"]
    sizes = {"strideH": height, "strideW": width, "dilationHFactor": 1, "dilationWFactor": 1}
    more = {"depthMultiplier": 1} if alone else {}
    activation = _activation(writer, fused=fused)
    told = {"padding": padding, "fusedActivationFunction": activation, **sizes, **more}
    writer.operator(name, inputs, [writer.tensor(outputs[0])], options, **told)


def _padded(writer: _Writer, step: Step, images: Value, size: Sequence[int]) -> tuple[int, int]:
    """The images with their borders, and the kind of padding that the operator itself adds then."""
    pads, kinds = step.options.get("pads", [0, 0, 0, 0]), writer.schema.Padding
    source = writer.tensor(images)
    if not any(pads):
        return source, kinds.VALID
    even = [side // 2 for side in size]
    pooling = step.kind == "max_pool"
    if not pooling and step.options["strides"] == [1, 1] and all(side % 2 for side in size) and pads == even * 2:
        return source, kinds.SAME
    top, left, bottom, right = pads
    name = step.outputs[0].name
    borders = writer.constant([[0, 0], [top, bottom], [left, right], [0, 0]], f"{name}_borders")
    batch, height, across, channels = images.shape
    shape = (batch, height + top + bottom, across + left + right, channels)
    padded = writer.between(f"{name}_padded", shape)
    if pooling:
        lowest = writer.constant(np.finfo(np.float32).min, f"{name}_border")
        writer.operator("PADV2", [source, borders, lowest], [padded], "PadV2Options")
    else:
        writer.operator("PAD", [source, borders], [padded], "PadOptions")
    return padded, kinds.VALID


def _pool(name: str) -> Writer:
    def write_pool(writer: _Writer, step: Step, outputs: Sequence[Value], _fused: bool) -> None:  # noqa: FBT001
        source, padding = _padded(writer, step, step.inputs[0], step.options["size"])
        (height, width), (rows, columns) = step.options["size"], step.options["strides"]
        sizes = {"filterHeight": height, "filterWidth": width, "strideH": rows, "strideW": columns}
        writer.operator(name, [source], [writer.tensor(outputs[0])], "Pool2DOptions", padding=padding, **sizes)

    return write_pool


def _dense(writer: _Writer, step: Step, outputs: Sequence[Value], _fused: bool) -> None:  # noqa: FBT001
    rows, weights, bias = step.inputs
    inputs = [writer.tensor(rows), writer.turned(weights, (1, 0)), writer.tensor(bias)]
    writer.operator("FULLY_CONNECTED", inputs, [writer.tensor(outputs[0])], "FullyConnectedOptions")


def _softmax(writer: _Writer, step: Step, outputs: Sequence[Value], _fused: bool) -> None:  # noqa: FBT001
    inputs = [writer.tensor(step.inputs[0])]
    writer.operator("SOFTMAX", inputs, [writer.tensor(outputs[0])], "SoftmaxOptions", beta=1.0)


def _concat(writer: _Writer, step: Step, outputs: Sequence[Value], _fused: bool) -> None:  # noqa: FBT001
    inputs = [writer.tensor(value) for value in step.inputs]
    made = [writer.tensor(outputs[0])]
    writer.operator("CONCATENATION", inputs, made, "ConcatenationOptions", axis=step.options["axis"])


def _top_k(writer: _Writer, step: Step, outputs: Sequence[Value], _fused: bool) -> None:  # noqa: FBT001
    count = writer.constant(step.options["count"], f"{outputs[0].name}_count")
    made = [writer.tensor(value) for value in outputs]
    writer.operator("TOPK_V2", [writer.tensor(step.inputs[0]), count], made, "TopKV2Options")


def _choose(writer: _Writer, step: Step, outputs: Sequence[Value], _fused: bool) -> None:  # noqa: FBT001
    chosen, _ = outputs
    limits = (
        writer.constant(step.options["most"], f"{chosen.name}_most"),
        writer.constant(np.float32(step.options["overlap"]), f"{chosen.name}_overlap"),
        writer.constant(np.float32(step.options["faintest"]), f"{chosen.name}_faintest"),
    )
    inputs = [*(writer.tensor(value) for value in step.inputs), *limits]
    made = [writer.tensor(value) for value in outputs]
    writer.operator("NON_MAX_SUPPRESSION_V4", inputs, made, "NonMaxSuppressionV4Options")


def _chosen_scores(writer: _Writer, step: Step, outputs: Sequence[Value], _fused: bool) -> None:  # noqa: FBT001
    """What is chosen has a fixed length here; behind the count stands the first box again, with the score 0."""
    (made,) = outputs
    scores, count = (writer.tensor(value) for value in step.inputs)
    numbers = writer.constant(list(range(made.shape[0])), f"{made.name}_numbers")
    true, counted = writer.between(f"{made.name}_true", made.shape, np.bool_), writer.between("counted", made.shape)
    writer.operator("LESS", [numbers, count], [true], "LessOptions")
    kinds = writer.schema.TensorType
    writer.operator("CAST", [true], [counted], "CastOptions", inDataType=kinds.BOOL, outDataType=kinds.FLOAT32)
    writer.operator("MUL", [scores, counted], [writer.tensor(made)], "MulOptions")


WRITERS: Mapping[str, Writer] = {
    "add": _plain("ADD", "AddOptions"),
    "average_pool": _pool("AVERAGE_POOL_2D"),
    "choose": _choose,
    "chosen_scores": _chosen_scores,
    "concat": _concat,
    "conv2d": _convolution,
    "dense": _dense,
    "depthwise": _convolution,
    "div": _plain("DIV", "DivOptions"),
    "enlarge": _told("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions", "size"),
    "exp": _plain("EXP", "ExpOptions"),
    "floor": _plain("FLOOR"),
    "floordiv": _plain("FLOOR_DIV", "FloorDivOptions"),
    "gather": _plain("GATHER", "GatherOptions"),
    "log": _plain("LOG"),
    "matmul": _plain("BATCH_MATMUL", "BatchMatMulOptions"),
    "max_pool": _pool("MAX_POOL_2D"),
    "maximum": _plain("MAXIMUM", "MaximumMinimumOptions"),
    "mean": _told("MEAN", "ReducerOptions", "axes"),
    "minimum": _plain("MINIMUM", "MaximumMinimumOptions"),
    "mul": _plain("MUL", "MulOptions"),
    "neg": _plain("NEG", "NegOptions"),
    "reduce_max": _told("REDUCE_MAX", "ReducerOptions", "axes"),
    "reduce_sum": _told("SUM", "ReducerOptions", "axes"),
    "relu": _plain("RELU"),
    "reshape": _told("RESHAPE", "ReshapeOptions"),
    "sigmoid": _plain("LOGISTIC"),
    "softmax": _softmax,
    "sqrt": _plain("SQRT"),
    "sub": _plain("SUB", "SubOptions"),
    "tanh": _plain("TANH"),
    "top_k": _top_k,
    "transpose": _told("TRANSPOSE", "TransposeOptions", "permutation"),
}
"""One row for each kind of step."""
