import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from foveal.domains import MULTICLASS, OBJECT_DETECTION
from foveal.exporters.coreml.writer import write
from foveal.exporters.interface import PROBABILITIES, RGB, Interface

SIZE = 16
SUFFIXES = {"mlprogram": ".mlpackage", "neuralnetwork": ".mlmodel"}
Write = Callable[..., Path]


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
