"""Write a student as an ONNX file: batch norms fused, weights kept in half precision, computed in single.

The graph is written node by node: it holds nothing but convolutions, Relu, simple arithmetic, pooling and a few matrix
products at the end, which every converter takes.
Half-precision weights pass through Cast nodes that the runtime folds away when a session starts.
"""

import argparse
import json
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper

from foveal.engine.graph import MAPS
from foveal.engine.nodes import Nodes
from pretrain import run
from pretrain.finish import Finish, Part, measure, plain_views, pooled
from pretrain.students import Block, ConvNorm, Student

OPSET = 17
IR_VERSION = 8  # of the ONNX release that brought opset 17
PRODUCER = "foveal"


def _convolution(graph: Nodes, layer: ConvNorm, source: str, name: str) -> str:
    kernel, bias = fused(layer)
    return graph.convolution(source, kernel, bias, name, stride=layer.conv.stride[0])


def fused(layer: ConvNorm) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The convolution's kernel (o, i, k, k) and bias (o,) with its batch norm folded in."""
    norm = layer.norm
    mean, variance = cast(torch.Tensor, norm.running_mean), cast(torch.Tensor, norm.running_var)
    scale = norm.weight / torch.sqrt(variance + norm.eps)
    kernel, bias = layer.conv.weight * scale.view(-1, 1, 1, 1), norm.bias - mean * scale
    return kernel.detach().contiguous().numpy(), bias.detach().numpy()


def export(student: Student, finish: Finish, size_px: int) -> bytes:
    """`image` float32 (batch, 3, size, size), RGB 0..255 -> `embedding` float32 (batch, d), the finished parts."""
    graph = Nodes()
    maps = _convolution(graph, student.stem, _normalised(graph, student), "stem")
    maps = graph.add("Relu", [maps], "stem_relu")
    stages: list[str] = []
    for index, block in enumerate(student.blocks):
        maps = _block(graph, cast(Block, block), maps, f"block{index}")
        stages += [maps] if index + 1 in student.ends else []
    pooled = [_mean(graph, stages[-1], "last"), *(_deviation(graph, stage) for stage in reversed(stages))]
    made = [
        _finished(graph, values, part, f"part{index}")
        for index, (values, part) in enumerate(zip(pooled, finish.parts, strict=True))
    ]
    graph.add("Concat", made, "embedding", axis=1)
    model = _model(graph, size_px, student.embedding_dimension)
    strides = [2 ** (len(student.widths) + 1 - index) for index in reversed(range(len(stages)))]
    helper.set_model_props(model, {MAPS: json.dumps(dict(zip(map(str, strides), stages, strict=True)))})
    return model.SerializeToString(deterministic=True)


def _normalised(graph: Nodes, student: Student) -> str:
    """0..255 to the units of training, in single precision: half would lose what the eye sees."""
    for name, values in (("mean", student.mean * 255), ("scale", 1 / (student.deviation * 255))):
        graph.constant(values.numpy(), f"image_{name}")
    centred = graph.add("Sub", ["image", "image_mean"], "image_centred")
    return graph.add("Mul", [centred, "image_scale"], "image_normal")


def _mean(graph: Nodes, maps: str, name: str) -> str:
    pooled = graph.add("GlobalAveragePool", [maps], f"{name}_mean")
    return graph.add("Flatten", [pooled], f"{name}_mean_flat", axis=1)


def _deviation(graph: Nodes, maps: str) -> str:
    """The root of the mean square less the squared mean; Relu, because rounding may leave it a hair below zero."""
    mean = _mean(graph, maps, f"{maps}_plain")
    square = _mean(graph, graph.add("Mul", [maps, maps], f"{maps}_square"), f"{maps}_square")
    variance = graph.add("Sub", [square, graph.add("Mul", [mean, mean], f"{maps}_mean_square")], f"{maps}_variance")
    return graph.add("Sqrt", [graph.add("Relu", [variance], f"{maps}_variance_safe")], f"{maps}_deviation")


def _finished(graph: Nodes, values: str, part: Part, name: str) -> str:
    """Centred in single precision, for that takes differences of like numbers."""
    graph.constant(part.mean, f"{name}_centre")
    centred = graph.add("Sub", [values, f"{name}_centre"], f"{name}_centred")
    return graph.add("MatMul", [centred, graph.weight(part.basis, f"{name}_basis")], name)


def _block(graph: Nodes, block: Block, source: str, name: str) -> str:
    first = graph.add("Relu", [_convolution(graph, block.first, source, f"{name}_first")], f"{name}_first_relu")
    second = _convolution(graph, block.second, first, f"{name}_second")
    side = source
    if block.stride > 1:
        side = graph.add("AveragePool", [side], f"{name}_halved", kernel_shape=[2, 2], strides=[2, 2])
    if block.shortcut is not None:
        side = _convolution(graph, block.shortcut, side, f"{name}_shortcut")
    return graph.add("Relu", [graph.add("Add", [second, side], f"{name}_sum")], f"{name}_out")


def _model(graph: Nodes, size_px: int, dimension: int) -> onnx.ModelProto:
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, size_px, size_px])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", dimension])
    made = helper.make_graph(graph.nodes, "backbone", [image], [embedding], graph.weights)
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=IR_VERSION, producer_name=PRODUCER)
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    """Export the averaged weights of a run's checkpoint, finished on the images that it was trained with."""
    parser = argparse.ArgumentParser(description="Export the averaged student of a run.")
    parser.add_argument("run", type=Path, help=f"the run's folder, which holds {run.CHECKPOINT}")
    parser.add_argument("out", type=Path)
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="as given to the run")
    parser.add_argument("--size", type=int, default=224)
    given = parser.parse_args()
    torch.set_num_threads(1)
    student = run.averaged_student(given.run / run.CHECKPOINT)
    recipe = run.recipe_of(torch.load(given.run / run.CHECKPOINT, weights_only=True, map_location="cpu"))
    views = plain_views(recipe, run.gather(recipe, given.photos, given.run))
    given.out.write_bytes(export(student, measure(pooled(student, views)), given.size))


if __name__ == "__main__":
    main()
