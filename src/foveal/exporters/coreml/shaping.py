"""How the ONNX operators that only move numbers are said in MIL: by shape, by position, by order."""

import math
from typing import Any

import numpy as np

from foveal.exporters.coreml.step import IMAGE, Step, operand


def concatenate(step: Step) -> Any:
    values = [operand(each) for each in step.inputs]
    return step.builder.concat(values=values, axis=step.attributes["axis"], name=step.name)


def flatten(step: Step) -> Any:
    axis, shape = step.attributes.get("axis", 1), step.x.shape
    sides = [math.prod(shape[:axis]), math.prod(shape[axis:])]
    return step.builder.reshape(x=step.x, shape=sides, name=step.name)


def reshape(step: Step) -> Any:
    before = step.x.shape
    wanted = [before[at] if side == 0 else side for at, side in enumerate(step.whole(1))]
    if -1 in wanted:
        wanted[wanted.index(-1)] = math.prod(before) // -math.prod(wanted)
    return step.builder.reshape(x=step.x, shape=wanted, name=step.name)


def transpose(step: Step) -> Any:
    turned = list(range(len(step.x.shape)))[::-1]
    return step.builder.transpose(x=step.x, perm=list(step.attributes.get("perm", turned)), name=step.name)


def resize(step: Step) -> Any:
    step.only(mode=b"nearest", coordinate_transformation_mode=b"asymmetric", nearest_mode=b"floor", axes=None)
    if not step.given(2) or step.array(2).size != IMAGE:
        raise step.refusal("without four scales")
    scales = step.array(2)
    if any(scales[:2] != 1) or any(scales % 1) or any(scales < 1):
        raise step.refusal(f"of scales {scales.tolist()}")
    rows, columns = (int(each) for each in scales[2:])
    return step.builder.upsample_nearest_neighbor(
        x=step.x, scale_factor_height=rows, scale_factor_width=columns, name=step.name
    )


def top(step: Step) -> Any:
    step.only(largest=1)
    (most,) = step.whole(1)
    return step.builder.topk(x=step.x, k=most, axis=step.attributes.get("axis", -1), name=step.name)


def gather(step: Step) -> Any:
    axis, positions = step.attributes.get("axis", 0), step.y
    if isinstance(positions, np.ndarray | np.generic):
        positions = np.asarray(positions, np.int32) % np.int32(step.x.shape[axis])  # -1 is the last one
    return step.builder.gather(x=step.x, indices=positions, axis=axis, name=step.name)


def squeeze(step: Step) -> Any:
    axes = step.axes() if "axes" in step.attributes or step.given(1) else None
    axes = axes or [at for at, side in enumerate(step.x.shape) if side == 1]
    return step.builder.squeeze(x=step.x, axes=axes, name=step.name)


def unsqueeze(step: Step) -> Any:
    return step.builder.expand_dims(x=step.x, axes=step.axes(), name=step.name)


def cut(step: Step) -> Any:
    shape = step.x.shape
    begins, ends, strides = [0] * len(shape), list(shape), [1] * len(shape)
    firsts, lasts = step.whole(1), step.whole(2)
    axes = step.whole(3) if step.given(3) else list(range(len(firsts)))
    steps = step.whole(4) if step.given(4) else [1] * len(firsts)
    if min(steps) < 1:
        raise step.refusal("that goes backwards")
    for axis, first, last, stride in zip(axes, firsts, lasts, steps, strict=True):
        begins[axis], ends[axis], strides[axis] = slice(first, last, stride).indices(shape[axis])
    return step.builder.slice_by_index(x=step.x, begin=begins, end=ends, stride=strides, name=step.name)


def expand(step: Step) -> Any:
    """The shapes broadcast each other, so that a side of 1 in the wanted shape changes nothing."""
    shape, wanted = list(step.x.shape), step.whole(1)
    rank = max(len(shape), len(wanted))
    shape, wanted = ([1] * (rank - len(sides)) + sides for sides in (shape, wanted))
    raised = step.x
    if len(shape) != len(step.x.shape):
        raised = step.builder.reshape(x=raised, shape=shape, name=f"{step.name}_raised")
    times = [want if side == 1 else 1 for side, want in zip(shape, wanted, strict=True)]
    return step.builder.tile(x=raised, reps=times, name=step.name)
