"""The small intermediate form behind TensorFlow, TensorFlow Lite and TensorFlow.js: steps on channels-last arrays.

It knows about thirty kinds of step, and nothing of files. `lowering` makes it from an ONNX graph.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]
UNKNOWN = -1
"""A side that is only known when the model runs: how many images, or how many boxes were found."""

UNARY = ("relu", "sigmoid", "exp", "log", "sqrt", "tanh", "neg", "floor", "softmax")
BINARY = ("add", "sub", "mul", "div", "floordiv", "maximum", "minimum")
REDUCING = ("mean", "reduce_max", "reduce_sum")
KINDS = (
    *UNARY,
    *BINARY,
    *REDUCING,
    "conv2d",  # images, kernel (kh, kw, c, o), bias (o,); strides, pads (top, left, bottom, right)
    "depthwise",  # images, kernel (kh, kw, c, 1), bias (c,); strides, pads
    "average_pool",  # size, strides
    "max_pool",  # size, strides, pads
    "enlarge",  # to a size (h, w), each pixel the nearest one
    "dense",  # rows (n, i), weights (i, o), bias (o,)
    "matmul",  # rows (n, i), columns (i, o)
    "concat",  # axis
    "reshape",  # to the shape of its output
    "transpose",  # permutation
    "gather",  # rows of the first input by the positions in the second
    "top_k",  # count; gives values and positions
    "choose",  # boxes (m, 4), scores (m,); most, overlap, faintest; gives positions and their count
    "chosen_scores",  # scores of chosen boxes, their count; what stands behind the count becomes 0
)


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A tensor: a constant where it has data, else something that a step makes or a program gives."""

    name: str
    shape: Shape
    dtype: np.dtype[Any]
    data: NDArray[Any] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A computation."""

    kind: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """A model: its input, its steps in the order of the computation, and its outputs by name."""

    input: Value
    steps: tuple[Step, ...]
    outputs: Mapping[str, Value]


@dataclass
class Builder:
    """A form while it is put together."""

    steps: list[Step] = field(default_factory=list[Step])
    _names: set[str] = field(default_factory=set[str])
    _known: dict[tuple[str, Shape, bytes], Value] = field(default_factory=dict[tuple[str, Shape, bytes], Value])

    def given(self, name: str, shape: Sequence[int]) -> Value:
        """What the program gives."""
        return Value(self._named(name), tuple(shape), np.dtype(np.float32))

    def constant(self, data: NDArray[Any] | np.generic, name: str) -> Value:
        """A constant; whole numbers have 32 bits, and one that is there already is used again."""
        values = np.ascontiguousarray(data).reshape(np.shape(data))
        if values.dtype == np.int64:
            values = values.astype(np.int32)
        key = (values.dtype.str, values.shape, sha256(values.tobytes()).digest())
        if key not in self._known:
            self._known[key] = Value(self._named(name), values.shape, values.dtype, values)
        return self._known[key]

    def step(  # the parts of a step
        self, kind: str, inputs: Sequence[Value], name: str, shape: Sequence[int], *, dtype: Any = None, **options: Any
    ) -> Value:
        """Add a step with one output and give it; its type is that of the first input unless told."""
        made = Value(self._named(name), tuple(shape), np.dtype(dtype or inputs[0].dtype))
        self.steps.append(Step(kind, tuple(inputs), (made,), options))
        return made

    def pair(
        self, kind: str, inputs: Sequence[Value], names: Sequence[str], shapes: Sequence[Shape], **options: Any
    ) -> tuple[Value, Value]:
        """Add a step that gives something and whole numbers beside it."""
        kinds = (np.int32 if kind == "choose" else inputs[0].dtype, np.dtype(np.int32))
        first, second = (
            Value(self._named(name), shape, np.dtype(dtype))
            for name, shape, dtype in zip(names, shapes, kinds, strict=True)
        )
        self.steps.append(Step(kind, tuple(inputs), (first, second), options))
        return first, second

    def form(self, given: Value, outputs: Mapping[str, Value]) -> Form:
        """The finished form, without steps that lead nowhere."""
        needed = {id(value) for value in outputs.values()}
        kept: list[Step] = []
        for step in reversed(self.steps):
            if any(id(made) in needed for made in step.outputs):
                kept.append(step)
                needed |= {id(value) for value in step.inputs}
        return Form(given, tuple(reversed(kept)), dict(outputs))

    def _named(self, name: str) -> str:
        """A name that is free, of characters that all platforms take."""
        plain = "".join(each if each.isascii() and (each.isalnum() or each == "_") else "_" for each in name)
        plain = plain.lstrip("_") or "value"
        free, number = plain, 1
        while free in self._names:
            free, number = f"{plain}_{number}", number + 1
        self._names.add(free)
        return free


def broadcast(*shapes: Sequence[int]) -> Shape:
    """The shape of arithmetic on arrays of these shapes; an unknown side stays unknown."""
    rank = max(len(shape) for shape in shapes)
    sides = zip(*((1,) * (rank - len(shape)) + tuple(shape) for shape in shapes), strict=True)
    return tuple(UNKNOWN if UNKNOWN in each else max(each) for each in sides)
