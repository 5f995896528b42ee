"""ONNX, for ONNX Runtime, Windows ML and ML.NET."""

from functools import partial
from pathlib import Path

import onnx
from onnx import helper

from foveal.engine.graph import LABELS, OUTPUT
from foveal.exporters import client_graph, interface
from foveal.exporters.interface import PROBABILITIES, Interface
from foveal.exporters.onnx_files import labelled, opsets, precision
from foveal.exporters.order import FLOAT16, INT8, INT8_WEIGHTS, Order, fed

MODEL = "model.onnx"
NEWEST = 18
SCORES = "model_output"


def export(order: Order, folder: Path, *, opset: int = NEWEST) -> Interface:
    """Write model.onnx, the input and outputs as Azure's exports of the domain have them."""
    seen = order.interface
    model = opsets.at_opset(client_graph.adapted(order.bundle, seen), opset)
    model = _in_precision(model, order, seen)
    if seen.ending == PROBABILITIES:
        _name_outputs(model, order, seen)
    describe(model, order)
    onnx.checker.check_model(model)
    (folder / MODEL).write_bytes(model.SerializeToString(deterministic=True))
    return seen


def describe(model: onnx.ModelProto, order: Order) -> None:
    """Write into the file how it is fed and what its columns mean."""
    import json

    seen = order.interface
    properties = {
        "Image.BitmapPixelFormat": seen.pixel_format,
        "Image.NominalPixelRange": seen.value_range,
        "Image.ColorSpaceGamma": "SRGB",
        LABELS: json.dumps(list(seen.labels), ensure_ascii=False),
    }
    helper.set_model_props(model, properties)


def _in_precision(model: onnx.ModelProto, order: Order, seen: Interface) -> onnx.ModelProto:
    if order.precision == FLOAT16:
        model = onnx.shape_inference.infer_shapes(model)
        precision.compute_in_halves(model)
        return model
    if order.precision == INT8:
        photos = fed(order.photos, seen).transpose(0, 3, 1, 2).copy()
        return precision.quantize(onnx.shape_inference.infer_shapes(model), photos)
    if order.precision == INT8_WEIGHTS:
        model = onnx.shape_inference.infer_shapes(model)
        precision.quantize_weights(model)
    else:
        precision.keep_halves(model)
    return model


def _name_outputs(model: onnx.ModelProto, order: Order, seen: Interface) -> None:
    client_graph.rename(model, {OUTPUT: SCORES})
    if interface.is_compact(interface.domain_of(order.bundle)):
        interface.check_labels(seen.labels)
        labelled.with_names(model, seen.labels)


export_10 = partial(export, opset=10)
export_12 = partial(export, opset=12)
