"""One node of an ONNX graph while it is written as an operation of Core ML."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.errors import Invalid


@dataclass(frozen=True, slots=True)
class Step:
    """One node of the graph: its inputs are values of the program or arrays, None where one is left out.

    `builder` is coremltools' `Builder`, which adds an operation to the program that is open.
    """

    kind: str
    name: str
    inputs: list[Any]
    attributes: dict[str, Any]
    builder: Any

    @property
    def x(self) -> Any:
        return operand(self.inputs[0])

    @property
    def y(self) -> Any:
        return operand(self.inputs[1])

    def given(self, at: int) -> bool:
        return at < len(self.inputs) and self.inputs[at] is not None

    def array(self, at: int) -> NDArray[Any]:
        """An input that must be known when the program is written."""
        value = self.inputs[at]
        known = value if isinstance(value, np.ndarray) else value.val
        if known is None:
            raise self.refusal(f"whose input {at} is computed")
        return np.asarray(known)

    def whole(self, at: int) -> list[int]:
        return [int(each) for each in self.array(at).reshape(-1)]

    def axes(self, at: int = 1) -> list[int]:
        """The axes of an operation: an attribute or, later, an input."""
        if "axes" in self.attributes:
            return [int(each) for each in self.attributes["axes"]]
        return self.whole(at) if self.given(at) else list(range(len(self.x.shape)))

    def refusal(self, reason: str) -> Invalid:
        return Invalid(f"The model cannot be written for Core ML: it has a {self.kind} {reason}.")

    def only(self, **expected: Any) -> None:
        """Refuse attributes of other values; those that are not there are as expected."""
        for name, value in expected.items():
            if self.attributes.get(name, value) != value:
                raise self.refusal(f"with {name} {self.attributes[name]}")


Operator = Callable[[Step], Any]
IMAGE = 4  # axes of images


def operand(value: Any) -> Any:
    """Core ML's whole numbers have 32 bits, and its single numbers are no arrays."""
    if not isinstance(value, np.ndarray):
        return value
    return (value.astype(np.int32) if value.dtype.kind == "i" else value)[()]


def is_whole(value: Any) -> bool:
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind == "i"
    return value.dtype.__name__.startswith("int")
