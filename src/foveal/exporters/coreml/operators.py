"""How each ONNX operator is said in MIL, Core ML's language: one function each, one row each."""

from functools import reduce
from typing import Any

import numpy as np
from onnx import TensorProto

from foveal.exporters.coreml import shaping
from foveal.exporters.coreml.step import IMAGE, Operator, Step, is_whole, operand


def _unary(method: str, **settings: Any) -> Operator:
    return lambda step: getattr(step.builder, method)(x=step.x, name=step.name, **settings)


def _binary(method: str) -> Operator:
    return lambda step: getattr(step.builder, method)(x=step.x, y=step.y, name=step.name)


def _divide(step: Step) -> Any:
    """Whole numbers are rounded down; ONNX drops the fraction, which is the same where nothing is negative."""
    method = step.builder.floor_div if is_whole(step.x) else step.builder.real_div
    return method(x=step.x, y=step.y, name=step.name)


def _folded(method: str) -> Operator:
    """An operation of two inputs, over any number of them."""

    def fold(step: Step) -> Any:
        first, *others = (operand(each) for each in step.inputs)
        named = list(enumerate(others, 1))
        last = len(others)
        return reduce(
            lambda made, pair: getattr(step.builder, method)(
                x=made, y=pair[1], name=step.name if pair[0] == last else f"{step.name}_{pair[0]}"
            ),
            named,
            first,
        )

    return fold


def _negative(step: Step) -> Any:
    return step.builder.mul(x=step.x, y=np.int32(-1) if is_whole(step.x) else np.float32(-1), name=step.name)


def _clip(step: Step) -> Any:
    low, high = (step.array(at).item() if step.given(at) else None for at in (1, 2))
    if low is not None and high is not None:
        return step.builder.clip(x=step.x, alpha=np.float32(low), beta=np.float32(high), name=step.name)
    if low is not None:
        return step.builder.maximum(x=step.x, y=np.float32(low), name=step.name)
    if high is not None:
        return step.builder.minimum(x=step.x, y=np.float32(high), name=step.name)
    return step.builder.identity(x=step.x, name=step.name)


def _window(step: Step, size: list[int]) -> dict[str, Any]:
    """Strides and padding; ONNX has top, left, bottom, right, and MIL top, bottom, left, right."""
    step.only(auto_pad=b"NOTSET", ceil_mode=0)
    if len(step.x.shape) != IMAGE:
        raise step.refusal(f"over {len(step.x.shape) - 2} axes instead of 2")
    top, left, bottom, right = step.attributes.get("pads", [0] * 4)
    strides = step.attributes.get("strides", [1] * len(size))
    return {"strides": list(strides), "pad_type": "custom", "pad": [top, bottom, left, right]}


def _convolution(step: Step) -> Any:
    kernel = step.array(1)
    settings = _window(step, list(kernel.shape[2:]))
    if step.given(2):
        settings["bias"] = step.array(2)
    return step.builder.conv(
        x=step.x,
        weight=kernel,
        dilations=list(step.attributes.get("dilations", [1, 1])),
        groups=step.attributes.get("group", 1),
        name=step.name,
        **settings,
    )


def _pool(method: str) -> Operator:
    def pool(step: Step) -> Any:
        step.only(dilations=[1, 1], storage_order=0)
        size = list(step.attributes["kernel_shape"])
        settings = _window(step, size)
        if method == "avg_pool":
            settings["exclude_padding_from_average"] = not step.attributes.get("count_include_pad", 0)
        return getattr(step.builder, method)(x=step.x, kernel_sizes=size, name=step.name, **settings)

    return pool


def _global_average(step: Step) -> Any:
    axes = list(range(2, len(step.x.shape)))
    return step.builder.reduce_mean(x=step.x, axes=axes, keep_dims=True, name=step.name)


def _reduction(method: str) -> Operator:
    def over(step: Step) -> Any:
        kept = bool(step.attributes.get("keepdims", 1))
        return getattr(step.builder, method)(x=step.x, axes=step.axes(), keep_dims=kept, name=step.name)

    return over


def _softmax(step: Step) -> Any:
    return step.builder.softmax(x=step.x, axis=step.attributes.get("axis", -1), name=step.name)


def _gemm(step: Step) -> Any:
    step.only(transA=0)
    weight = step.array(1) * np.float32(step.attributes.get("alpha", 1.0))
    weight = weight if step.attributes.get("transB", 0) else weight.T
    bias = step.array(2).reshape(-1) if step.given(2) else np.zeros(1, np.float32)
    if bias.size not in {1, len(weight)}:
        raise step.refusal(f"whose bias is of shape {step.array(2).shape}")
    bias = np.broadcast_to(bias * np.float32(step.attributes.get("beta", 1.0)), len(weight))
    weight, bias = np.ascontiguousarray(weight), np.ascontiguousarray(bias)
    return step.builder.linear(x=step.x, weight=weight, bias=bias, name=step.name)


KINDS = {
    TensorProto.FLOAT: "fp32",
    TensorProto.FLOAT16: "fp32",  # the writer, not the graph, decides on precision
    TensorProto.INT32: "int32",
    TensorProto.INT64: "int32",
}


def _cast(step: Step) -> Any:
    if step.attributes["to"] not in KINDS:
        raise step.refusal(f"to type {step.attributes['to']}")
    return step.builder.cast(x=step.x, dtype=KINDS[step.attributes["to"]], name=step.name)


OPERATORS: dict[str, Operator] = {
    "Abs": _unary("abs"),
    "Add": _binary("add"),
    "AveragePool": _pool("avg_pool"),
    "Cast": _cast,
    "Clip": _clip,
    "Concat": shaping.concatenate,
    "Conv": _convolution,
    "Div": _divide,
    "Erf": _unary("erf"),
    "Exp": _unary("exp"),
    "Expand": shaping.expand,
    "Flatten": shaping.flatten,
    "Floor": _unary("floor"),
    "Gather": shaping.gather,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_average,
    "Identity": _unary("identity"),
    "Log": _unary("log"),
    "MatMul": _binary("matmul"),
    "Max": _folded("maximum"),
    "MaxPool": _pool("max_pool"),
    "Min": _folded("minimum"),
    "Mul": _binary("mul"),
    "Neg": _negative,
    "Pow": _binary("pow"),
    "ReduceL2": _reduction("reduce_l2_norm"),
    "ReduceMax": _reduction("reduce_max"),
    "ReduceMean": _reduction("reduce_mean"),
    "ReduceMin": _reduction("reduce_min"),
    "ReduceSum": _reduction("reduce_sum"),
    "Relu": _unary("relu"),
    "Reshape": shaping.reshape,
    "Resize": shaping.resize,
    "Sigmoid": _unary("sigmoid"),
    "Slice": shaping.cut,
    "Softmax": _softmax,
    "Sqrt": _unary("sqrt"),
    "Squeeze": shaping.squeeze,
    "Sub": _binary("sub"),
    "Tanh": _unary("tanh"),
    "TopK": shaping.top,
    "Transpose": shaping.transpose,
    "Unsqueeze": shaping.unsqueeze,
}
