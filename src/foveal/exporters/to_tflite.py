"""TensorFlow Lite, for phones and microcomputers; written without TensorFlow."""

from pathlib import Path

from foveal.exporters import forms
from foveal.exporters.interface import Interface
from foveal.exporters.order import FLOAT16, INT8, INT8_WEIGHTS, Order, fed
from foveal.exporters.tflite import quantize, writer

MODEL = "model.tflite"
SCHEMES = {INT8: quantize.STATIC, INT8_WEIGHTS: quantize.WEIGHTS}


def export(order: Order, folder: Path) -> Interface:
    """Write model.tflite."""
    seen = forms.seen_by_programs(order)
    form = forms.form(order, seen, padded=True)
    content = writer.write(form, half=order.precision == FLOAT16)
    if order.precision in SCHEMES:
        content = quantize.quantized(content, form, fed(order.photos, seen), scheme=SCHEMES[order.precision])
    (folder / MODEL).write_bytes(content)
    return seen
