"""ONNX models with fewer bits: weights kept in half precision, arithmetic in half precision, 8 bits.

Only convolutions and what stands between them change. What follows them lives on small differences and stays as it is.
"""

import logging
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from foveal.exporters import client_graph

BETWEEN = ("Conv", "Relu", "Add", "AveragePool", "MaxPool", "Resize")
"""Operators of images between convolutions."""
IMAGE = 4
SMALLEST = 64  # numbers in a weight that is worth keeping smaller
STEPS = 127  # of a weight in 8 bits, on either side of zero


def keep_halves(model: onnx.ModelProto) -> None:
    """Keep the weights that half precision holds exactly in it, widened as they are read: the answers stay the same."""
    casts = list[onnx.NodeProto]()
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype == np.float32 and values.size >= SMALLEST:
            with np.errstate(over="ignore"):
                half = values.astype(np.float16)
            if np.array_equal(half.astype(np.float32), values):
                name = weight.name
                weight.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
                casts.append(helper.make_node("Cast", [weight.name], [name], name=name, to=TensorProto.FLOAT))
    _put_first(model, casts)


def compute_in_halves(model: onnx.ModelProto) -> None:
    """Have convolutions compute in half precision; the input and the outputs stay in single precision."""
    halved = _between(model)
    work = _Halving({weight.name: weight for weight in model.graph.initializer})
    for node in model.graph.node:
        if node.output[0] in halved:
            taken = len(node.input) if node.op_type != "Resize" else 1  # its factors are told in single precision
            node.input[:taken] = [work.half(name) for name in node.input[:taken]]
            work.halves |= set(node.output)
        else:
            node.input[:] = [work.single(name) for name in node.input]
        work.nodes.append(node)
    outputs = [each for each in model.graph.output if each.name in work.halves]
    assert not outputs, "a model ends in something else than a convolution"
    del model.graph.node[:], model.graph.value_info[:]
    model.graph.node.extend(work.nodes)
    model.graph.initializer.extend(work.added)
    used = {name for node in work.nodes for name in node.input}
    kept = [weight for weight in model.graph.initializer if weight.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


@dataclass
class _Halving:
    """Tensors in half precision, and the casts that lead there and back."""

    weights: Mapping[str, onnx.TensorProto]
    halves: set[str] = field(default_factory=set[str])
    nodes: list[onnx.NodeProto] = field(default_factory=list[onnx.NodeProto])
    added: list[onnx.TensorProto] = field(default_factory=list[onnx.TensorProto])
    _known: set[str] = field(default_factory=set[str])

    def half(self, name: str) -> str:
        if name in self.halves:
            return name
        if name not in self.weights:
            return self._cast(name, f"{name}_to_half", TensorProto.FLOAT16)
        half = f"{name}_half"
        if half not in self._known:
            self._known.add(half)
            values = numpy_helper.to_array(self.weights[name])
            self.added.append(numpy_helper.from_array(values.astype(np.float16), half))
        return half

    def single(self, name: str) -> str:
        return self._cast(name, f"{name}_to_single", TensorProto.FLOAT) if name in self.halves else name

    def _cast(self, name: str, made: str, kind: int) -> str:
        if made not in self._known:
            self._known.add(made)
            self.nodes.append(helper.make_node("Cast", [name], [made], name=made, to=kind))
        return made


def quantize(model: onnx.ModelProto, photos: NDArray[np.float32]) -> onnx.ModelProto:
    """Give convolutions 8-bit weights and images, learned from photos (n, 3, s, s) as a program feeds them."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Photos(CalibrationDataReader):
        def __init__(self) -> None:
            self._left = iter(photos)

        def get_next(self) -> Any:  # None at the end, which its base does not say
            photo = next(self._left, None)
            return None if photo is None else {model.graph.input[0].name: photo[None]}

    made: list[onnx.ModelProto] = []
    with _quiet(), _on_disk(model) as (source, target):
        quantize_static(
            source,
            target,
            Photos(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # Processors without VNNI add two products in 16 bits, which weights of 8 bits overflow.
            reduce_range=True,
            nodes_to_quantize=sorted(_inner(model)),
        )
        made.append(onnx.load(target))
    return made[0]


def quantize_weights(model: onnx.ModelProto) -> None:
    """Keep the weights of convolutions and matrices in 8 bits, a scale for each output, widened as they are read.

    Those of the last convolutions of a detector stay as they are. The shapes of the model's tensors must be known.
    """
    named = {weight.name: weight for weight in model.graph.initializer}
    added, inner = list[onnx.NodeProto](), _inner(model)
    for node in model.graph.node:
        told = node.op_type == "MatMul" or (node.op_type == "Conv" and node.name in inner)
        weight = named.get(node.input[1]) if told else None
        if weight is None or weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) < SMALLEST:
            continue
        axis = 0 if node.op_type == "Conv" else len(weight.dims) - 1
        added.append(_in_eight_bits(model, weight, axis))
    _put_first(model, added)


def _in_eight_bits(model: onnx.ModelProto, weight: onnx.TensorProto, axis: int) -> onnx.NodeProto:
    values, name = numpy_helper.to_array(weight), weight.name
    others = tuple(at for at in range(values.ndim) if at != axis)
    largest = np.abs(values).max(others)
    scale = np.where(largest > 0, largest, 1).astype(np.float32) / np.float32(STEPS)
    shaped = scale.reshape([-1 if at == axis else 1 for at in range(values.ndim)])
    weight.CopyFrom(numpy_helper.from_array(np.round(values / shaped).astype(np.int8), f"{name}_8"))
    model.graph.initializer.append(numpy_helper.from_array(scale, f"{name}_scale"))
    return helper.make_node("DequantizeLinear", [f"{name}_8", f"{name}_scale"], [name], name=name, axis=axis)


def _between(model: onnx.ModelProto) -> set[str]:
    """Images between the first convolution and the last, by the names of their tensors."""
    shapes = client_graph.shapes(model)
    return {
        node.output[0]
        for node in model.graph.node
        if node.op_type in BETWEEN and len(shapes.get(node.output[0], ())) == IMAGE
    }


def _inner(model: onnx.ModelProto) -> set[str]:
    """Nodes whose images go on to others of them, by name: what a detector says at last is not among them."""
    between = _between(model)
    read = {name for node in model.graph.node if node.output[0] in between for name in node.input}
    return {node.name for node in model.graph.node if node.output[0] in between & read}


def _put_first(model: onnx.ModelProto, nodes: Sequence[onnx.NodeProto]) -> None:
    later = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *later])


@contextmanager
def _on_disk(model: onnx.ModelProto) -> Generator[tuple[str, str]]:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        source, target = str(Path(folder) / "source.onnx"), str(Path(folder) / "target.onnx")
        onnx.save(model, source)
        yield source, target


@contextmanager
def _quiet() -> Generator[None]:
    """Have a library that recommends a preparation, which our graphs need not, say nothing."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
