"""A backbone's ONNX file as a torch module that can be trained, and back into the same file with other weights.

The file is the network: its initialisers are the parameters, its nodes the computation. So what was trained is served
by the same graph, and there is no second definition to keep in step.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from foveal.engine import graph
from foveal.engine.graph import EMBEDDING, INPUT
from foveal.errors import Invalid

SMALLEST_SQUARE = 1e-10  # below it a square root passes no gradient: at zero it would be infinite
FIXED = "image_"  # the prefix of what brings pixels to the range of the first layer: never trained

Values = Mapping[str, Any]
Operator = Callable[[Sequence[Tensor], Values], Tensor]


class Network(nn.Module):
    """RGB 0..255 (n, 3, s, s) -> embedding (n, d). Stages are groups of parameters, the one next to the output last."""

    def __init__(self, path: Path) -> None:
        """Read a backbone's file.

        Raises:
            Invalid: The file has an operator that cannot be trained here.
        """
        super().__init__()
        self.path = path
        self._model = onnx.load(path)
        nodes, weights = self._model.graph.node, self._model.graph.initializer
        unknown = sorted({node.op_type for node in nodes} - set(OPERATORS) - {"Cast"})
        if unknown:
            raise Invalid(f"{path.stem} cannot be fine-tuned: it has the operator {unknown[0]}.")
        self._cast = {node.output[0]: node.input[0] for node in nodes if node.op_type == "Cast"}
        arrays = {weight.name: numpy_helper.to_array(weight) for weight in weights}
        self.weights = nn.ParameterDict(
            {name: nn.Parameter(torch.tensor(values.astype(np.float32))) for name, values in arrays.items()}
        )
        self._halves = {name for name, values in arrays.items() if values.dtype == np.float16}
        self._steps = [(each, _attributes(each)) for each in nodes if each.op_type != "Cast"]
        for name, weight in self.weights.items():
            weight.requires_grad = not name.startswith(FIXED)

    def forward(self, images: Tensor) -> Tensor:
        return self._computed(images, [EMBEDDING])[0]

    def maps(self, images: Tensor) -> list[Tensor]:
        """RGB 0..255 (n, 3, s, s) -> the feature maps (n, c, s/stride, s/stride), the finest first."""
        return self._computed(images, [*graph.map_names(self._model).values()])

    def _computed(self, images: Tensor, names: Sequence[str]) -> list[Tensor]:
        known: dict[str, Tensor] = {INPUT: images}
        for node, values in self._steps:
            if all(name in known for name in names):
                break
            inputs = [self._tensor(known, name) for name in node.input]
            known[node.output[0]] = OPERATORS[node.op_type](inputs, values)
        return [known[name] for name in names]

    def layers(self) -> list[list[nn.Parameter]]:
        """The trainable parameters of each node that has some, in the order of the computation."""
        found: list[list[nn.Parameter]] = []
        for node, _ in self._steps:
            names = [self._cast.get(name, name) for name in node.input]
            own = [self.weights[name] for name in names if name in self.weights and not name.startswith(FIXED)]
            if own:
                found.append(own)
        return found

    def to_bytes(self) -> bytes:
        """Give the file with the present weights, each in the precision that it had."""
        model = onnx.ModelProto()
        model.CopyFrom(self._model)
        made = [numpy_helper.from_array(values, name) for name, values in self._arrays()]
        del model.graph.initializer[:]
        model.graph.initializer.extend(made)
        return model.SerializeToString(deterministic=True)

    def round_(self) -> None:
        """Bring the weights to the precision of the file, so that what is judged is what will be served."""
        with torch.no_grad():
            for name, values in self._arrays():
                self.weights[name].copy_(torch.tensor(values.astype(np.float32)))

    def _arrays(self) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
        for name, weight in self.weights.items():
            values = weight.detach().numpy()
            yield name, values.astype(np.float16 if name in self._halves else np.float32)

    def _tensor(self, known: Mapping[str, Tensor], name: str) -> Tensor:
        found = known.get(name)
        return self.weights[self._cast.get(name, name)] if found is None else found


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}


def _convolve(inputs: Sequence[Tensor], values: Values) -> Tensor:
    bias = inputs[2] if len(inputs) > 2 else None  # noqa: PLR2004  # image, weight, bias
    return functional.conv2d(inputs[0], inputs[1], bias, values["strides"], values["pads"][:2])


def _pool(inputs: Sequence[Tensor], values: Values) -> Tensor:
    return functional.avg_pool2d(inputs[0], values["kernel_shape"], values["strides"])


def _root(inputs: Sequence[Tensor], _values: Values) -> Tensor:
    return inputs[0].clamp_min(SMALLEST_SQUARE).sqrt()


OPERATORS: Mapping[str, Operator] = {
    "Add": lambda inputs, _: inputs[0] + inputs[1],
    "AveragePool": _pool,
    "Concat": lambda inputs, values: torch.cat(list(inputs), values["axis"]),
    "Conv": _convolve,
    "Flatten": lambda inputs, _: inputs[0].flatten(1),
    "GlobalAveragePool": lambda inputs, _: inputs[0].mean((2, 3), keepdim=True, dtype=torch.float32),
    "MatMul": lambda inputs, _: inputs[0] @ inputs[1],
    # A variance is the mean of squares less the square of the mean: in half precision little would be left of it.
    "Mul": lambda inputs, _: inputs[0].float() * inputs[1].float(),
    "Relu": lambda inputs, _: inputs[0].relu(),
    "Sqrt": _root,
    "Sub": lambda inputs, _: inputs[0] - inputs[1],
}
