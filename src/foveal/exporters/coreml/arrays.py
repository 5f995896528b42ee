"""Arithmetic that both of Core ML's forms share, on images with their channels first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from foveal.exporters import kernels
from foveal.exporters.kernels import Array

PLAIN = (1, 1)


@dataclass(frozen=True, slots=True)
class Window:
    """How a window moves over an image; `pads` are top, bottom, left, right."""

    strides: Sequence[int] = PLAIN
    pads: Sequence[int] = kernels.NONE
    dilations: Sequence[int] = PLAIN

    @property
    def around(self) -> tuple[int, int, int, int]:
        top, bottom, left, right = self.pads
        return top, left, bottom, right


def to_last(images: Array) -> Array:
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1))


def to_first(images: Array) -> Array:
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))


def convolve(images: Array, kernel: Array, bias: Array | None, window: Window, groups: int) -> Array:
    """Convolve images (n, c, h, w) with a kernel (o, c / groups, kh, kw)."""
    spread = _spread(kernel.transpose(2, 3, 1, 0), window.dilations)
    return to_first(
        kernels.conv2d(to_last(images), spread, bias, strides=window.strides, pads=window.around, groups=groups)
    )


def _spread(kernel: Array, dilations: Sequence[int]) -> Array:
    """A dilated kernel (kh, kw, c, o) as a larger one with zeros."""
    if tuple(dilations) == PLAIN:
        return kernel
    sides = [(side - 1) * dilation + 1 for side, dilation in zip(kernel.shape[:2], dilations, strict=True)]
    spread = np.zeros((*sides, *kernel.shape[2:]), np.float32)
    spread[:: dilations[0], :: dilations[1]] = kernel
    return spread


def max_pool(images: Array, size: Sequence[int], window: Window) -> Array:
    return to_first(kernels.max_pool(to_last(images), size, strides=window.strides, pads=window.around))


def average_pool(images: Array, size: Sequence[int], window: Window, *, without_padding: bool) -> Array:
    """The mean of each window, of its pixels inside the image only or of all."""

    def pooled(values: Array) -> Array:
        return kernels.average_pool(kernels.pad(values, window.around, 0.0), size, strides=window.strides)

    made = pooled(to_last(images))
    if without_padding and any(window.pads):
        made = made / pooled(np.ones((1, *images.shape[2:], 1), np.float32))
    return to_first(made)


def enlarge(images: Array, times: Sequence[int]) -> Array:
    return images.repeat(times[0], 2).repeat(times[1], 3)


def top(values: Array, axis: int, most: int, *, lowest: bool = False) -> list[NDArray[Any]]:
    """The largest (or the smallest) values along an axis, in order, and where they are."""
    order = np.argsort(values if lowest else -values, axis, kind="stable").take(range(most), axis)
    return [np.take_along_axis(values, order, axis), order.astype(np.int32)]


def relu(values: Array) -> Array:
    return np.maximum(values, 0)


def gelu(values: Array) -> Array:
    return values * (1 + special.erf(values / np.sqrt(2))) / 2


def length(values: Array, axis: tuple[int, ...] | None, *, keepdims: bool) -> Array:
    return np.sqrt(np.square(values).sum(axis, keepdims=keepdims))


UNARY: dict[str, Callable[[Any], Any]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "erf": special.erf,
    "exp": np.exp,
    "floor": np.floor,
    "relu": relu,
    "sigmoid": kernels.sigmoid,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
}
