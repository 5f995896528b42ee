"""Core ML, for iPhones, iPads and Macs: a neural network as Azure's exports are, or a newer ML program."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from foveal.exporters import client_graph, interface
from foveal.exporters.client_graph import SCORED
from foveal.exporters.coreml import writer
from foveal.exporters.interface import DETECTED, RGB, Interface
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
    writer.write(model, seen, path, kind=kind, precision="float16" if order.precision == FLOAT16 else "float32")
    return seen
