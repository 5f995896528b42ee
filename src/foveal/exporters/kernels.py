"""The arithmetic of networks in numpy, to run what was written for platforms that this machine does not have.

Slow and plain: it knows arrays, not files. Images are channels-last, (n, h, w, c), float32.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
NONE = (0, 0, 0, 0)


def conv2d(
    images: Array,
    kernel: Array,
    bias: Array | None = None,
    *,
    strides: Sequence[int] = (1, 1),
    pads: Sequence[int] = NONE,
    groups: int = 1,
) -> Array:
    """Convolve with `kernel` (kh, kw, c / groups, o); `pads` are top, left, bottom, right."""
    if groups > 1:
        parts = zip(np.split(images, groups, 3), np.split(kernel, groups, 3), strict=True)
        summed = np.concatenate([conv2d(part, own, strides=strides, pads=pads) for part, own in parts], 3)
        return summed if bias is None else summed + bias
    padded = pad(images, pads, 0.0)
    rows, columns = _sides(padded, kernel.shape[:2], strides)
    made = np.zeros((len(images), rows, columns, kernel.shape[3]), np.float32)
    for y, x in np.ndindex(*kernel.shape[:2]):
        made += _window(padded, (y, x), (rows, columns), strides) @ kernel[y, x]
    return made if bias is None else made + bias


def max_pool(images: Array, size: Sequence[int], *, strides: Sequence[int], pads: Sequence[int] = NONE) -> Array:
    """The largest value of each window (kh, kw)."""
    return np.maximum.reduce(_windows(pad(images, pads, -np.inf), size, strides))


def average_pool(images: Array, size: Sequence[int], *, strides: Sequence[int]) -> Array:
    """The mean of each window (kh, kw)."""
    windows = _windows(images, size, strides)
    return np.add.reduce(windows) / np.float32(len(windows))


def pad(images: Array, pads: Sequence[int], value: float) -> Array:
    """Add rows and columns: top, left, bottom, right."""
    top, left, bottom, right = pads
    widths = ((0, 0), (top, bottom), (left, right), (0, 0))
    return np.pad(images, widths, constant_values=value) if any(pads) else images


def enlarge(images: Array, size: Sequence[int]) -> Array:
    """Repeat pixels until the image has the size (h, w): the nearest one above and to the left."""
    rows, columns = (np.arange(now) * before // now for now, before in zip(size, images.shape[1:3], strict=True))
    return images[:, rows][:, :, columns]


def same_pads(sides: Sequence[int], size: Sequence[int], strides: Sequence[int]) -> tuple[int, int, int, int]:
    """What TensorFlow's padding SAME adds to an image (h, w): top, left, bottom, right."""
    added = [
        max((-(-side // stride) - 1) * stride + window - side, 0)
        for side, window, stride in zip(sides, size, strides, strict=True)
    ]
    top, left = (each // 2 for each in added)
    return top, left, added[0] - top, added[1] - left


def sigmoid(values: Array) -> Array:
    with np.errstate(over="ignore"):
        return (1 / (1 + np.exp(-values))).astype(np.float32)


def softmax(values: Array, axis: int = -1) -> Array:
    raised = np.exp(values - values.max(axis, keepdims=True))
    return raised / raised.sum(axis, keepdims=True)


def non_maximum_suppression(
    boxes: Array, scores: Array, *, most: int, overlap: float, faintest: float
) -> NDArray[np.intp]:
    """Choose boxes (m, 4), two opposite corners each, the best first; those that overlap a chosen one too much are out.

    Gives positions, at most `most`; only scores above `faintest` count.
    """
    order = np.flatnonzero(scores > faintest)
    order = order[np.argsort(-scores[order], kind="stable")]
    low, high = np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])
    areas = (high - low).prod(1)
    chosen: list[int] = []
    while len(order) and len(chosen) < most:
        best, order = order[0], order[1:]
        chosen.append(int(best))
        sides = np.minimum(high[best], high[order]) - np.maximum(low[best], low[order])
        shared = sides.clip(0).prod(1)
        union = areas[best] + areas[order] - shared
        order = order[~(shared > overlap * union)]
    return np.array(chosen, np.intp)


def _windows(images: Array, size: Sequence[int], strides: Sequence[int]) -> list[Array]:
    sides = _sides(images, size, strides)
    return [_window(images, at, sides, strides) for at in np.ndindex(*size)]


def _window(images: Array, at: Sequence[int], sides: Sequence[int], strides: Sequence[int]) -> Array:
    rows, columns = (
        slice(first, first + (side - 1) * stride + 1, stride)
        for first, side, stride in zip(at, sides, strides, strict=True)
    )
    return images[:, rows, columns]


def _sides(images: Array, size: Sequence[int], strides: Sequence[int]) -> tuple[int, int]:
    rows, columns = (
        (side - window) // stride + 1 for side, window, stride in zip(images.shape[1:3], size, strides, strict=True)
    )
    return rows, columns
