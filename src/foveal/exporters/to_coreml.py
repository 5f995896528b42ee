"""Core ML, for iPhones, iPads and Macs: a neural network as Azure's exports are, or a newer ML program."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import onnx

from foveal.engine.nodes import Nodes
from foveal.exporters import client_graph, grid, interface
from foveal.exporters.client_graph import SCORED
from foveal.exporters.coreml import writer
from foveal.exporters.interface import DETECTED, GRID, RGB, Interface
from foveal.exporters.order import FLOAT16, Order

MODEL, PACKAGE = "model.mlmodel", "model.mlpackage"


def export(order: Order, folder: Path) -> Interface:
    """Write model.mlmodel, which Xcode takes since 2019."""
    return _write(order, folder / MODEL, "neuralnetwork")


def export_package(order: Order, folder: Path) -> Interface:
    """Write model.mlpackage, for iOS 15, macOS 12 and later."""
    return _write(order, folder / PACKAGE, "mlprogram")


def _write(order: Order, path: Path, kind: Literal["neuralnetwork", "mlprogram"]) -> Interface:
    seen = replace(order.interface, pixel_format=RGB)
    interface.check_labels(seen.labels)
    ending = SCORED if seen.ending == DETECTED else None
    model = client_graph.adapted(order.bundle, seen, ending)
    if seen.ending == GRID:
        _with_sequence(model)
    writer.write(model, seen, path, kind=kind, precision="float16" if order.precision == FLOAT16 else "float32")
    return seen


def _with_sequence(model: onnx.ModelProto) -> None:
    """Give a grid five axes: Core ML's older networks had one for a sequence, and Azure's programs count on it."""
    (output,) = model.graph.output
    shape = [1, *(dim.dim_value for dim in output.type.tensor_type.shape.dim)]
    plain = f"{grid.OUTPUT}_plain"
    client_graph.rename(model, {grid.OUTPUT: plain})
    nodes = Nodes()
    nodes.add("Reshape", [plain, nodes.constant(np.array(shape), "grid_with_sequence")], grid.OUTPUT)
    model.graph.node.extend(nodes.nodes)
    model.graph.initializer.extend(nodes.weights)
    del model.graph.output[:]
    model.graph.output.append(onnx.helper.make_tensor_value_info(grid.OUTPUT, onnx.TensorProto.FLOAT, shape))
