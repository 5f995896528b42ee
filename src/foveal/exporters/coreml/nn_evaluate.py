"""Running a neural network, Core ML's older form, as it stands in a file: each layer in numpy, single precision."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foveal.errors import Invalid
from foveal.exporters import kernels
from foveal.exporters.coreml import arrays
from foveal.exporters.coreml.arrays import UNARY, Window
from foveal.exporters.kernels import Array

Layer = Callable[[Any, list[Array]], Any]
CHANNELS = -3
MAX, AVERAGE = 0, 1  # types of pooling
NEAREST = 0  # mode of an upsample layer


def run(network: Any, feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Give all tensors of a network by name."""
    values = dict(feeds)
    for step in network.preprocessing:
        values[step.featureName] = _scaled(step, values[step.featureName])
    for layer in network.layers:
        kind = layer.WhichOneof("layer")
        if kind not in LAYERS:
            raise Invalid(f"The neural network cannot be evaluated: it has the layer {kind}.")
        made = LAYERS[kind](getattr(layer, kind), [values[name] for name in layer.input])
        outputs = made if isinstance(made, list) else [made]
        values |= {name: np.asarray(each) for name, each in zip(layer.output, outputs, strict=True)}
    return values


def _scaled(step: Any, image: Array) -> Array:
    if step.WhichOneof("preprocessor") != "scaler":
        raise Invalid("The neural network cannot be evaluated: it takes a mean image away.")
    scaler = step.scaler
    biases = np.array([scaler.redBias, scaler.greenBias, scaler.blueBias], np.float32)
    return image * np.float32(scaler.channelScale) + biases[:, None, None]


def _weights(params: Any, *shape: int) -> Array:
    """Weights of single or half precision."""
    if params.float16Value:
        return np.frombuffer(params.float16Value, "<f2").astype(np.float32).reshape(shape)
    if not params.floatValue:
        raise Invalid("The neural network cannot be evaluated: it has weights of whole numbers.")
    return np.array(params.floatValue, np.float32).reshape(shape)


def _window(params: Any) -> Window:
    """Kernels and pools name their paddings in the same way."""
    name = "ConvolutionPaddingType" if hasattr(params, "nGroups") else "PoolingPaddingType"
    if params.WhichOneof(name) != "valid":
        raise Invalid(f"The neural network cannot be evaluated: it has the padding {params.WhichOneof(name)}.")
    borders = params.valid.paddingAmounts.borderAmounts
    pads = [side for border in borders for side in (border.startEdgeSize, border.endEdgeSize)] or kernels.NONE
    return Window(list(params.stride) or [1, 1], pads, list(getattr(params, "dilationFactor", ())) or [1, 1])


def _convolve(params: Any, inputs: list[Array]) -> Array:
    if params.isDeconvolution:
        raise Invalid("The neural network cannot be evaluated: it has a deconvolution.")
    kernel = _weights(params.weights, params.outputChannels, params.kernelChannels, *params.kernelSize)
    bias = _weights(params.bias, params.outputChannels) if params.hasBias else None
    return arrays.convolve(inputs[0], kernel, bias, _window(params), params.nGroups or 1)


def _pool(params: Any, inputs: list[Array]) -> Array:
    if params.type not in {MAX, AVERAGE}:
        raise Invalid("The neural network cannot be evaluated: it has a pooling of lengths.")
    if params.globalPooling:
        return (inputs[0].max if params.type == MAX else inputs[0].mean)(axis=(2, 3), keepdims=True)
    size, window = list(params.kernelSize), _window(params)
    if params.type == MAX:
        return arrays.max_pool(inputs[0], size, window)
    return arrays.average_pool(inputs[0], size, window, without_padding=params.avgPoolExcludePadding)


def _activate(params: Any, inputs: list[Array]) -> Array:
    kind = params.WhichOneof("NonlinearityType")
    if kind == "linear":
        return inputs[0] * np.float32(params.linear.alpha) + np.float32(params.linear.beta)
    if kind.lower() not in UNARY:
        raise Invalid(f"The neural network cannot be evaluated: it has the activation {kind}.")
    return UNARY[kind.lower()](inputs[0])


def _of_all(function: Callable[[Any, Any], Any]) -> Layer:
    """A layer of any number of inputs that broadcast each other; of one alone, with the number `alpha`."""

    def over(params: Any, inputs: list[Array]) -> Any:
        if len(inputs) == 1:
            return function(inputs[0], np.float32(params.alpha))
        return reduce(function, inputs)

    return over


def _of_two(function: Callable[[Any, Any], Any]) -> Layer:
    return lambda _, inputs: function(inputs[0], inputs[1])


FUNCTIONS: dict[str, Callable[[Any, Array], Any]] = {
    "SQRT": lambda _, x: np.sqrt(x),
    "RSQRT": lambda params, x: 1 / np.sqrt(x + np.float32(params.epsilon)),
    "INVERSE": lambda params, x: 1 / (x + np.float32(params.epsilon)),
    "POWER": lambda params, x: np.power(x, np.float32(params.alpha)),
    "EXP": lambda _, x: np.exp(x),
    "LOG": lambda params, x: np.log(x + np.float32(params.epsilon)),
    "ABS": lambda _, x: np.abs(x),
    "THRESHOLD": lambda params, x: np.maximum(x, np.float32(params.alpha)),
}


def _function(params: Any, inputs: list[Array]) -> Array:
    name = type(params).Operation.Name(params.type)
    return FUNCTIONS[name](params, inputs[0] * np.float32(params.scale or 1) + np.float32(params.shift))


def _reduction(function: Callable[..., Any]) -> Layer:
    def over(params: Any, inputs: list[Array]) -> Any:
        axes = None if params.reduceAll else tuple(params.axes)
        return function(inputs[0], axis=axes, keepdims=params.keepDims)

    return over


def _inner(params: Any, inputs: list[Array]) -> Array:
    made = inputs[0] @ _weights(params.weights, params.outputChannels, params.inputChannels).T
    return made + _weights(params.bias, params.outputChannels) if params.hasBias else made


def _matmul(params: Any, inputs: list[Array]) -> Array:
    """A matrix of the layer's own is kept column by column."""
    if len(inputs) == 1:
        columns = params.weightMatrixSecondDimension
        made = inputs[0] @ _weights(params.weights, columns, params.weightMatrixFirstDimension).T
        return made + _weights(params.bias, columns) if params.hasBias else made
    x, y = inputs
    return (x.swapaxes(-1, -2) if params.transposeA else x) @ (y.swapaxes(-1, -2) if params.transposeB else y)


def _reshape(params: Any, inputs: list[Array]) -> Array:
    return inputs[0].reshape(params.targetShape)


def _rank_preserving_reshape(params: Any, inputs: list[Array]) -> Array:
    sides = (now or before for now, before in zip(params.targetShape, inputs[0].shape, strict=True))
    return inputs[0].reshape(tuple(sides))


def _squeeze(params: Any, inputs: list[Array]) -> Array:
    return np.squeeze(inputs[0], None if params.squeezeAll else tuple(params.axes))


def _enlarge(params: Any, inputs: list[Array]) -> Array:
    if params.mode != NEAREST:
        raise Invalid("The neural network cannot be evaluated: it has a bilinear upsample layer.")
    return arrays.enlarge(inputs[0], params.scalingFactor)


def _top(params: Any, inputs: list[Array]) -> Any:
    return arrays.top(inputs[0], params.axis, params.K, lowest=params.useBottomK)


def _gather(params: Any, inputs: list[Array]) -> Array:
    return np.take(inputs[0], inputs[1].astype(np.int64), params.axis)


def _embed(params: Any, inputs: list[Array]) -> Array:
    table = _weights(params.weights, params.embeddingSize, params.vocabSize)
    made = table.T[inputs[0][..., 0].astype(np.int64)]
    return made + _weights(params.bias, params.embeddingSize) if params.hasBias else made


def _slice(params: Any, inputs: list[Array]) -> Array:
    """Along the channels (0), rows (1) or columns (2), the last three axes."""
    taken = [slice(None)] * 3
    taken[params.axis] = slice(params.startIndex, params.endIndex, params.stride)
    whole = inputs[0]
    return whole[(..., *taken)] if whole.ndim >= len(taken) else whole[tuple(taken[-whole.ndim :])]


def _slice_static(params: Any, inputs: list[Array]) -> Array:
    if any(params.squeezeMasks):
        raise Invalid("The neural network cannot be evaluated: it has a sliceStatic layer that drops axes.")
    begins, ends = (
        [None if masked else at for at, masked in zip(ids, masks, strict=True)]
        for ids, masks in ((params.beginIds, params.beginMasks), (params.endIds, params.endMasks))
    )
    return inputs[0][tuple(slice(*each) for each in zip(begins, ends, params.strides, strict=True))]


LAYERS: dict[str, Layer] = {
    "activation": _activate,
    "add": _of_all(np.add),
    "addBroadcastable": _of_two(np.add),
    "batchedMatmul": _matmul,
    "ceil": lambda _, inputs: np.ceil(inputs[0]),
    "clip": lambda params, inputs: np.clip(inputs[0], np.float32(params.minVal), np.float32(params.maxVal)),
    "concat": lambda _, inputs: np.concatenate(inputs, CHANNELS),
    "concatND": lambda params, inputs: np.concatenate(inputs, params.axis),
    "convolution": _convolve,
    "copy": lambda _, inputs: inputs[0],
    "divideBroadcastable": _of_two(np.divide),
    "embeddingND": _embed,
    "erf": lambda _, inputs: UNARY["erf"](inputs[0]),
    "expandDims": lambda params, inputs: np.expand_dims(inputs[0], tuple(params.axes)),
    "floor": lambda _, inputs: np.floor(inputs[0]),
    "floorDivBroadcastable": _of_two(np.floor_divide),
    "gather": _gather,
    "gelu": lambda _, inputs: arrays.gelu(inputs[0]),
    "greaterThan": _of_all(np.greater),
    "innerProduct": _inner,
    "loadConstantND": lambda params, _: _weights(params.data, *params.shape),
    "max": _of_all(np.maximum),
    "maxBroadcastable": _of_two(np.maximum),
    "min": _of_all(np.minimum),
    "minBroadcastable": _of_two(np.minimum),
    "multiply": _of_all(np.multiply),
    "multiplyBroadcastable": _of_two(np.multiply),
    "pooling": _pool,
    "powBroadcastable": _of_two(np.power),
    "rankPreservingReshape": _rank_preserving_reshape,
    "reduceL2": _reduction(arrays.length),
    "reduceMax": _reduction(np.max),
    "reduceMean": _reduction(np.mean),
    "reduceMin": _reduction(np.min),
    "reduceSum": _reduction(np.sum),
    "reshapeStatic": _reshape,
    "slice": _slice,
    "sliceStatic": _slice_static,
    "softmax": lambda _, inputs: kernels.softmax(inputs[0], CHANNELS),
    "softmaxND": lambda params, inputs: kernels.softmax(inputs[0], params.axis),
    "squeeze": _squeeze,
    "subtractBroadcastable": _of_two(np.subtract),
    "tanh": lambda _, inputs: np.tanh(inputs[0]),
    "tile": lambda params, inputs: np.tile(inputs[0], params.reps),
    "topK": _top,
    "transpose": lambda params, inputs: inputs[0].transpose(params.axes),
    "unary": _function,
    "upsample": _enlarge,
    "whereBroadcastable": lambda _, inputs: np.where(inputs[0] > 0, inputs[1], inputs[2]),
}
