"""Nodes and weights of an ONNX graph while they are collected."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper


@dataclass
class Nodes:
    """Each step returns the name of its result, which is also that of its node."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def constant(self, values: NDArray[Any] | np.generic, name: str) -> str:
        """A weight as it is."""
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values).reshape(np.shape(values)), name))
        return name

    def weight(self, values: NDArray[np.floating], name: str) -> str:
        """A weight in half precision and the node that widens it."""
        return self.add("Cast", [self.constant(values.astype(np.float16), f"{name}_half")], name, to=TensorProto.FLOAT)

    def convolution(
        self, source: str, kernel: NDArray[np.floating], bias: NDArray[np.floating], name: str, *, stride: int = 1
    ) -> str:
        """A convolution (o, i, k, k) of odd size that keeps the sides, or divides them by the stride."""
        inputs = [source, self.weight(kernel, f"{name}_weight"), self.weight(bias, f"{name}_bias")]
        return self.add("Conv", inputs, name, **square(kernel.shape[2], stride))


def square(size: int, stride: int = 1) -> dict[str, list[int]]:
    """The attributes of a convolution with a square kernel of odd size."""
    return {"kernel_shape": [size] * 2, "strides": [stride] * 2, "pads": [size // 2] * 4, "dilations": [1, 1]}
