from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from foveal.engine.graph import drop_unused

SIZE = 16


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def image() -> NDArray[np.float32]:
    return np.random.default_rng(1).integers(0, 256, (1, 3, SIZE, SIZE)).astype(np.float32)


@pytest.fixture(scope="session")
def graph() -> Callable[..., onnx.ModelProto]:
    """Make a model of nodes and weights by name: image `data` -> what is asked for."""

    def make(
        nodes: Sequence[onnx.NodeProto],
        weights: dict[str, NDArray[Any]],
        *outputs: str,
        size: int = SIZE,
        batch: int | str = 1,
    ) -> onnx.ModelProto:
        made = helper.make_graph(
            list(nodes),
            "made",
            [helper.make_tensor_value_info("data", TensorProto.FLOAT, [batch, 3, size, size])],
            [helper.make_empty_tensor_value_info(name) for name in outputs],
            [numpy_helper.from_array(values, name) for name, values in weights.items()],
        )
        drop_unused(made)
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
        return onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)

    return make


@pytest.fixture(scope="session")
def expected(image: NDArray[np.float32]) -> Callable[..., list[NDArray[Any]]]:
    """What ONNX Runtime says of the image, or of others."""

    def run(model: onnx.ModelProto, images: NDArray[np.float32] = image) -> list[NDArray[Any]]:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = ort.InferenceSession(model.SerializeToString(), options)
        return session.run(None, {session.get_inputs()[0].name: images})

    return run


@pytest.fixture
def classifier(graph: Callable[..., onnx.ModelProto], rng: np.random.Generator) -> onnx.ModelProto:
    """A small one as ours are, for one image."""
    return small_classifier(graph, rng)


@pytest.fixture
def classifier_of_many(graph: Callable[..., onnx.ModelProto], rng: np.random.Generator) -> onnx.ModelProto:
    """The same for any number of images."""
    return small_classifier(graph, rng, batch="batch")


def small_classifier(
    graph: Callable[..., onnx.ModelProto], rng: np.random.Generator, batch: int | str = 1
) -> onnx.ModelProto:
    """Convolutions, mean and deviation of a map, length one, head."""
    weights = {
        "mean": np.full((1, 3, 1, 1), 120, np.float32),
        "scale": np.full((1, 3, 1, 1), 1 / 60, np.float32),
        "first": rng.normal(size=(8, 3, 3, 3)).astype(np.float32) / 4,
        "second": rng.normal(size=(8, 8, 3, 3)).astype(np.float32) / 6,
        "bias": rng.normal(size=8).astype(np.float32),
        "smallest": np.float32(1e-6).reshape(()),
        "head": rng.normal(size=(16, 3)).astype(np.float32) * 3,
        "shift": rng.normal(size=3).astype(np.float32),
    }
    same = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    steps = (
        ("Sub", ["data", "mean"], "centred", {}),
        ("Mul", ["centred", "scale"], "normal", {}),
        ("Conv", ["normal", "first", "bias"], "one", {"strides": [2, 2], **same}),
        ("Relu", ["one"], "one_relu", {}),
        ("Conv", ["one_relu", "second", "bias"], "two", same),
        ("Relu", ["two"], "map", {}),
        ("GlobalAveragePool", ["map"], "pooled", {}),
        ("Flatten", ["pooled"], "means", {}),
        ("Mul", ["map", "map"], "squares", {}),
        ("GlobalAveragePool", ["squares"], "squares_pooled", {}),
        ("Flatten", ["squares_pooled"], "square_means", {}),
        ("Mul", ["means", "means"], "mean_squares", {}),
        ("Sub", ["square_means", "mean_squares"], "variance", {}),
        ("Relu", ["variance"], "variance_safe", {}),
        ("Sqrt", ["variance_safe"], "deviation", {}),
        ("Concat", ["means", "deviation"], "embedding", {"axis": 1}),
        ("ReduceL2", ["embedding"], "length", {"axes": [1], "keepdims": 1}),
        ("Max", ["length", "smallest"], "length_positive", {}),
        ("Div", ["embedding", "length_positive"], "unit", {}),
        ("Gemm", ["unit", "head", "shift"], "scores", {}),
        ("Softmax", ["scores"], "probabilities", {"axis": 1}),
    )
    nodes = [helper.make_node(kind, inputs, [name], name=name, **more) for kind, inputs, name, more in steps]
    return graph(nodes, weights, "probabilities", batch=batch)
