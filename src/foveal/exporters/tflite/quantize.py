"""TensorFlow Lite files with 8-bit weights, and 8-bit images between the convolutions where that does no harm.

Only the convolutions and what stands between them are quantised. What follows them (deviations over the image, the
head, the decoding of boxes) lives on small differences and stays as it is; it is a hundredth of the work.
"""

import logging
import re
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.errors import Unavailable
from foveal.exporters.form import Form
from foveal.exporters.tflite.writer import SIGNATURE

BITS = 8
STATIC, WEIGHTS = "static", "weights"
OPERATORS = ("CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "AVERAGE_POOL_2D", "MAX_POOL_2D", "PAD", "RELU")
WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D")
IMAGES = ("conv2d", "depthwise", "add", "average_pool", "max_pool", "relu")
SAMPLES = 64


def quantized(content: bytes, form: Form, photos: NDArray[np.float32], *, scheme: str) -> bytes:
    """Give a file with 8-bit weights.

    Args:
        content: the file in single precision.
        form: what it was written from.
        photos: images (n, h, w, 3) as a program gives them, to learn from how large the values between become.
        scheme: `static`, 8-bit images between the convolutions too; or `weights`, 8-bit weights of these alone.

    Raises:
        Unavailable: The quantiser is not installed.
    """
    with _quiet():
        quantizer, calibrator, updates = _libraries()
        made = quantizer.Quantizer(bytearray(content))
        if scheme == WEIGHTS:
            for name in WEIGHTED:
                made.add_weight_only_config(_pattern(form), name, BITS)
            return bytes(made.quantize().quantized_model)
        for name in OPERATORS:
            made.add_static_config(_pattern(form), name, BITS, BITS)
        # Its own way of learning ranges forgets: the last photos would decide.
        learned = calibrator.Calibrator(bytearray(content), num_threads=1, qsv_update_func=updates.min_max_update)
        samples = [{form.input.name: photo[None]} for photo in photos[:SAMPLES]]
        learned.calibrate({SIGNATURE.decode(): samples}, made._recipe_manager)  # noqa: SLF001  # it has no other way in
        return bytes(made.quantize(learned.get_model_qsvs()).quantized_model)


def _pattern(form: Form) -> str:
    """Which tensors are images between convolutions: those that only such steps read.

    A weight that a convolution of another place shares is left alone, with all that it makes.
    """
    readers: dict[int, list[str]] = {}
    for step in form.steps:
        for value in step.inputs:
            readers.setdefault(id(value), []).append(step.kind)
    inner = [
        step
        for step in form.steps
        if step.kind in IMAGES and any(kind in IMAGES for kind in readers.get(id(step.outputs[0]), []))
    ]
    others = {id(value) for step in form.steps if step not in inner for value in step.inputs if value.data is not None}
    names: list[str] = []
    for step in inner:
        if any(id(value) in others for value in step.inputs):
            others.add(id(step.outputs[0]))  # so that a relu that is written into it is left alone too
        else:
            names.append(step.outputs[0].name)
    borders = [f"{name}_padded" for name in names]
    return "^(" + "|".join(map(re.escape, [*names, *borders])) + ");?$"


@contextmanager
def _quiet() -> Generator[None]:
    """Have a library that logs, warns and draws bars at every step say nothing."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    nowhere = StringIO()
    try:
        with redirect_stdout(nowhere), redirect_stderr(nowhere), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _libraries() -> Sequence[Any]:
    try:
        from ai_edge_quantizer import calibrator, quantizer  # an extra
        from ai_edge_quantizer.utils import qsv_utils
    except ModuleNotFoundError as error:
        raise Unavailable('8-bit TensorFlow Lite needs its quantiser: pip install "foveal[tflite]".') from error
    return quantizer, calibrator, qsv_utils
