"""OpenVINO, for Intel's processors, graphics and vision accelerators."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from foveal.engine.graph import OUTPUT
from foveal.errors import Unavailable
from foveal.exporters import client_graph
from foveal.exporters.interface import DETECTED, PROBABILITIES, RAW, RGB, TO_1, Interface
from foveal.exporters.order import FLOAT16, Order

MODEL = "model.xml"
SCORES = "model_output"


def export(order: Order, folder: Path) -> Interface:
    """Write model.xml and model.bin; detectors give finished boxes."""
    return _write(order, folder, DETECTED if order.interface.finds_boxes else PROBABILITIES)


def export_raw(order: Order, folder: Path) -> Interface:
    """Write model.xml and model.bin of a detector that gives all boxes, for devices that cannot choose among them."""
    return _write(order, folder, RAW if order.interface.finds_boxes else PROBABILITIES)


def library() -> Any:
    """OpenVINO.

    Raises:
        Unavailable: It is not installed.
    """
    try:
        import openvino  # an extra
    except ModuleNotFoundError as error:
        raise Unavailable('This export needs OpenVINO: pip install "foveal[openvino]".') from error
    return openvino


def _write(order: Order, folder: Path, ending: str) -> Interface:
    openvino = library()
    seen = replace(order.interface, ending=ending, pixel_format=RGB, value_range=TO_1)
    model = client_graph.adapted(order.bundle, seen)
    client_graph.rename(model, {OUTPUT: SCORES})
    with TemporaryDirectory() as scratch:
        source = Path(scratch) / "model.onnx"
        source.write_bytes(model.SerializeToString(deterministic=True))
        converted = openvino.convert_model(source)
        openvino.save_model(converted, folder / MODEL, compress_to_fp16=order.precision == FLOAT16)
    return seen
