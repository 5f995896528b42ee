import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from foveal.domains import MULTICLASS, OBJECT_DETECTION
from foveal.engine.graph import drop_unused
from foveal.exporters.coreml.writer import write
from foveal.exporters.interface import PROBABILITIES, RGB, Interface

SIZE = 16
SUFFIXES = {"mlprogram": ".mlpackage", "neuralnetwork": ".mlmodel"}
Write = Callable[..., Path]


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
        nodes: Sequence[onnx.NodeProto], weights: dict[str, NDArray[Any]], *outputs: str, size: int = SIZE
    ) -> onnx.ModelProto:
        made = helper.make_graph(
            list(nodes),
            "made",
            [helper.make_tensor_value_info("data", TensorProto.FLOAT, ["batch", 3, size, size])],
            [helper.make_empty_tensor_value_info(name) for name in outputs],
            [numpy_helper.from_array(values, name) for name, values in weights.items()],
        )
        drop_unused(made)
        made.input[0].type.tensor_type.shape.dim[0].dim_value = 1
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
        return onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)

    return make


@pytest.fixture(scope="session")
def expected(image: NDArray[np.float32]) -> Callable[[onnx.ModelProto], list[NDArray[Any]]]:
    """What ONNX Runtime says of the image."""
    return lambda model: ort.InferenceSession(model.SerializeToString()).run(None, {"data": image})


@pytest.fixture(scope="session")
def interface() -> Callable[..., Interface]:
    def make(ending: str, *labels: str, size: int = SIZE) -> Interface:
        return Interface(
            task=MULTICLASS if ending == PROBABILITIES else OBJECT_DETECTION,
            labels=labels or ("cat", "dog"),
            size_px=size,
            ending=ending,
            input_name="data",
            pixel_format=RGB,
        )

    return make


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Write a model, each one once: coremltools takes its time."""
    folder = tmp_path_factory.mktemp("coreml")

    def make(model: onnx.ModelProto, interface: Interface, kind: Any, precision: Any) -> Path:
        key = hashlib.sha256(model.SerializeToString(deterministic=True) + repr(interface).encode()).hexdigest()
        path = folder / f"{key}_{precision}{SUFFIXES[kind]}"
        if not path.exists():
            write(model, interface, path, kind=kind, precision=precision)
        return path

    return make


@pytest.fixture
def written(tmp_path: Path, once: Write) -> Write:
    """Write a model and give the path of a file that the test may damage."""

    def make(model: onnx.ModelProto, interface: Interface, kind: Any, precision: Any = "float32") -> Path:
        source = once(model, interface, kind, precision)
        path = tmp_path / f"model_{precision}{source.suffix}"
        return shutil.copytree(source, path) if source.is_dir() else shutil.copy(source, path)

    return make


@pytest.fixture
def classifier(graph: Callable[..., onnx.ModelProto], rng: np.random.Generator) -> onnx.ModelProto:
    """A small one as ours are: convolutions, mean and deviation of a map, length one, head."""
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
    node = helper.make_node
    nodes = [
        node("Sub", ["data", "mean"], ["centred"]),
        node("Mul", ["centred", "scale"], ["normal"]),
        node("Conv", ["normal", "first", "bias"], ["one"], strides=[2, 2], **same),
        node("Relu", ["one"], ["one_relu"]),
        node("Conv", ["one_relu", "second", "bias"], ["two"], **same),
        node("Relu", ["two"], ["map"]),
        node("GlobalAveragePool", ["map"], ["pooled"]),
        node("Flatten", ["pooled"], ["means"]),
        node("Mul", ["map", "map"], ["squares"]),
        node("GlobalAveragePool", ["squares"], ["squares_pooled"]),
        node("Flatten", ["squares_pooled"], ["square_means"]),
        node("Mul", ["means", "means"], ["mean_squares"]),
        node("Sub", ["square_means", "mean_squares"], ["variance"]),
        node("Relu", ["variance"], ["variance_safe"]),
        node("Sqrt", ["variance_safe"], ["deviation"]),
        node("Concat", ["means", "deviation"], ["embedding"], axis=1),
        node("ReduceL2", ["embedding"], ["length"], axes=[1], keepdims=1),
        node("Max", ["length", "smallest"], ["length_positive"]),
        node("Div", ["embedding", "length_positive"], ["unit"]),
        node("Gemm", ["unit", "head", "shift"], ["scores"]),
        node("Softmax", ["scores"], ["probabilities"], axis=1),
    ]
    return graph(nodes, weights, "probabilities")


@pytest.fixture
def detector(graph: Callable[..., onnx.ModelProto], rng: np.random.Generator) -> onnx.ModelProto:
    """One with the ending SCORED: a box for each of 64 places, two tags."""
    line = (np.arange(8, dtype=np.float32) + 0.5) / 8
    places = np.stack(np.meshgrid(line, line), -1).reshape(1, 64, 2)
    weights = {
        "scale": np.float32(1 / 255).reshape(()),
        "kernel": rng.normal(size=(4, 3, 3, 3)).astype(np.float32),
        "shape": np.array([1, 4, 64]),
        "corner": np.float32(0.3).reshape(()),
        "places": np.concatenate([places, places], 2),
        "signs": np.array([[[-1, -1, 1, 1]]], np.float32),
        "tags": rng.normal(size=(2, 4)).astype(np.float32),
        "zero": np.float32(0).reshape(()),
        "one": np.float32(1).reshape(()),
    }
    node = helper.make_node
    nodes = [
        node("Mul", ["data", "scale"], ["scaled"]),
        node("Conv", ["scaled", "kernel"], ["map"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        node("Reshape", ["map", "shape"], ["row"]),
        node("Transpose", ["row"], ["by_place"], perm=[0, 2, 1]),
        node("Sigmoid", ["by_place"], ["sides"]),
        node("Mul", ["sides", "corner"], ["half_sides"]),
        node("Mul", ["half_sides", "signs"], ["moves"]),
        node("Add", ["moves", "places"], ["corners"]),
        node("Clip", ["corners", "zero", "one"], ["boxes"]),
        node("MatMul", ["tags", "row"], ["logits"]),
        node("Sigmoid", ["logits"], ["scores"]),
    ]
    return graph(nodes, weights, "boxes", "scores")
