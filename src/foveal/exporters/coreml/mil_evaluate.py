"""Running an ML program as it stands in a file: each operation in numpy, with the types and shapes it declares."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.errors import Invalid
from foveal.exporters import kernels
from foveal.exporters.coreml import arrays
from foveal.exporters.coreml.arrays import UNARY, Window
from foveal.exporters.coreml.library import quiet

Inputs = dict[str, Any]
HALF, SINGLE = "fp16", "fp32"
UNREADABLE = (RuntimeError, ValueError, LookupError, TypeError, AttributeError, AssertionError)
"""What coremltools raises at programs that make no sense."""
CAST = {HALF: np.float32, SINGLE: np.float32, "int32": np.int32}
"""Half precision is rounded to when a result is kept, as its declared type says."""


def load(spec: Any, weights: Path) -> Any:
    """Read the program of a specification, with its weights.

    Raises:
        Invalid: It cannot be read.
    """
    with quiet():
        from coremltools.converters.mil.frontend.milproto.load import load as read

        try:
            return read(spec, specification_version=spec.specificationVersion, file_weights_dir=str(weights))
        except UNREADABLE as error:
            raise Invalid(f"The ML program cannot be read: {error}.") from error


def run(program: Any, feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Give the arrays among a program's outputs; a classifier's dictionary is an array in the order of its labels."""
    function = program.functions["main"]
    values: dict[str, Any] = {var.name: feeds[name] for name, var in function.inputs.items()}
    for operation in function.operations:
        if operation.op_type == "const":
            continue
        if operation.op_type not in OPERATIONS:
            raise Invalid(f"The ML program cannot be evaluated: it has the operation {operation.op_type}.")
        made = OPERATIONS[operation.op_type](_inputs(operation, values))
        outputs = made if isinstance(made, list) else [made]
        for var, value in zip(operation.outputs, outputs, strict=True):
            values[var.name] = _declared(var, value, operation)
    results = {var.name: values[var.name] for var in function.outputs}
    return {name: value for name, value in results.items() if isinstance(value, np.ndarray)}


def _inputs(operation: Any, values: dict[str, Any]) -> Inputs:
    def value(source: Any) -> Any:
        if isinstance(source, list | tuple):
            return [value(each) for each in source]
        return values[source.name] if source.name in values else _widened(source.val)

    return {name: value(source) for name, source in operation.inputs.items() if source is not None}


def _widened(value: Any) -> Any:
    is_half = isinstance(value, np.ndarray | np.generic) and value.dtype == np.float16
    return value.astype(np.float32) if is_half else value


def _declared(var: Any, value: Any, operation: Any) -> Any:
    """The value as its declaration says; the arithmetic itself is of single precision.

    A classifier's outputs declare no shape.
    """
    if not isinstance(value, np.ndarray | np.generic) or operation.op_type == "classify":
        return value
    value = np.asarray(value)
    if tuple(value.shape) != tuple(var.shape):
        raise Invalid(f"{var.name} is declared as {tuple(var.shape)}, and {operation.op_type} gives {value.shape}.")
    kind = var.dtype.__name__
    if kind.startswith("int") != (value.dtype.kind in "iu"):
        raise Invalid(f"{var.name} is declared as {kind}, and {operation.op_type} gives {value.dtype}.")
    if kind == HALF:
        return value.astype(np.float16).astype(np.float32)  # beyond 65504 it is infinite there too
    return value.astype(np.float32) if kind == SINGLE else value


def _whole(values: Any) -> list[int]:
    return [int(each) for each in np.asarray(values).reshape(-1)]


def _unary(function: Callable[[Any], Any]) -> Callable[[Inputs], Any]:
    return lambda inputs: function(inputs["x"])


def _binary(function: Callable[[Any, Any], Any]) -> Callable[[Inputs], Any]:
    return lambda inputs: function(inputs["x"], inputs["y"])


def _reduction(function: Callable[..., Any]) -> Callable[[Inputs], Any]:
    def over(inputs: Inputs) -> Any:
        axes = tuple(_whole(inputs["axes"])) if "axes" in inputs else None
        return function(inputs["x"], axis=axes, keepdims=bool(inputs.get("keep_dims", False)))

    return over


def _window(inputs: Inputs) -> Window:
    kind = str(inputs.get("pad_type", "valid"))
    if kind not in {"custom", "valid"} or inputs.get("ceil_mode", False):
        raise Invalid(f"The ML program cannot be evaluated: it has the padding {kind}.")
    pads = _whole(inputs["pad"]) if kind == "custom" else kernels.NONE
    return Window(_whole(inputs.get("strides", [1, 1])), pads, _whole(inputs.get("dilations", [1, 1])))


def _convolve(inputs: Inputs) -> Any:
    groups = int(inputs.get("groups", 1))
    return arrays.convolve(inputs["x"], inputs["weight"], inputs.get("bias"), _window(inputs), groups)


def _max_pool(inputs: Inputs) -> Any:
    return arrays.max_pool(inputs["x"], _whole(inputs["kernel_sizes"]), _window(inputs))


def _average_pool(inputs: Inputs) -> Any:
    without = bool(inputs.get("exclude_padding_from_average", False))
    size = _whole(inputs["kernel_sizes"])
    return arrays.average_pool(inputs["x"], size, _window(inputs), without_padding=without)


def _linear(inputs: Inputs) -> Any:
    return inputs["x"] @ inputs["weight"].T + inputs.get("bias", np.float32(0))


def _matmul(inputs: Inputs) -> Any:
    x, y = (
        np.swapaxes(inputs[name], -1, -2) if inputs.get(f"transpose_{name}", False) else inputs[name] for name in "xy"
    )
    return x @ y


def _slice(inputs: Inputs) -> Any:
    x = inputs["x"]
    if any(np.any(inputs.get(mask, False)) for mask in ("begin_mask", "end_mask", "squeeze_mask")):
        raise Invalid("The ML program cannot be evaluated: it has a slice_by_index with a mask.")
    ranges = zip(_whole(inputs["begin"]), _whole(inputs["end"]), _whole(inputs["stride"]), strict=True)
    return x[tuple(slice(*each) for each in ranges)]


def _expand(inputs: Inputs) -> Any:
    return np.expand_dims(inputs["x"], tuple(_whole(inputs["axes"])))


def _top(inputs: Inputs) -> Any:
    lowest = bool(inputs.get("ascending", False))
    return arrays.top(inputs["x"], int(inputs.get("axis", -1)), int(inputs["k"]), lowest=lowest)


def _enlarge(inputs: Inputs) -> Any:
    return arrays.enlarge(inputs["x"], [int(inputs[f"scale_factor_{side}"]) for side in ("height", "width")])


def _classify(inputs: Inputs) -> Any:
    probabilities = inputs["probabilities"].reshape(1, -1)
    if len(inputs["classes"]) != probabilities.size:
        raise Invalid(f"The ML program has {len(inputs['classes'])} labels and {probabilities.size} probabilities.")
    return [str(inputs["classes"][int(probabilities.argmax())]), probabilities]


OPERATIONS: dict[str, Callable[[Inputs], Any]] = {
    **{name: _unary(function) for name, function in UNARY.items()},
    "add": _binary(np.add),
    "avg_pool": _average_pool,
    "cast": lambda inputs: inputs["x"].astype(CAST[str(inputs["dtype"])]),
    "classify": _classify,
    "clip": lambda inputs: np.clip(inputs["x"], inputs["alpha"], inputs["beta"]),
    "concat": lambda inputs: np.concatenate(inputs["values"], int(inputs["axis"])),
    "conv": _convolve,
    "expand_dims": _expand,
    "floor_div": _binary(np.floor_divide),
    "gather": lambda inputs: np.take(inputs["x"], inputs["indices"], int(inputs.get("axis", 0))),
    "gelu": lambda inputs: arrays.gelu(inputs["x"]),
    "identity": lambda inputs: inputs["x"],
    "linear": _linear,
    "log": lambda inputs: np.log(inputs["x"] + inputs["epsilon"]),
    "matmul": _matmul,
    "max_pool": _max_pool,
    "maximum": _binary(np.maximum),
    "minimum": _binary(np.minimum),
    "mul": _binary(np.multiply),
    "pow": _binary(np.power),
    "real_div": _binary(np.divide),
    "reduce_l2_norm": _reduction(arrays.length),
    "reduce_max": _reduction(np.max),
    "reduce_mean": _reduction(np.mean),
    "reduce_min": _reduction(np.min),
    "reduce_sum": _reduction(np.sum),
    "reshape": lambda inputs: inputs["x"].reshape(_whole(inputs["shape"])),
    "slice_by_index": _slice,
    "softmax": lambda inputs: kernels.softmax(inputs["x"], int(inputs.get("axis", -1))),
    "squeeze": lambda inputs: np.squeeze(inputs["x"], tuple(_whole(inputs["axes"]))),
    "sub": _binary(np.subtract),
    "tile": lambda inputs: np.tile(inputs["x"], _whole(inputs["reps"])),
    "topk": _top,
    "transpose": lambda inputs: inputs["x"].transpose(_whole(inputs["perm"])),
    "upsample_nearest_neighbor": _enlarge,
}
