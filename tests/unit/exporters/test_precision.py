"""ONNX models with fewer bits: which parts change, and how little the answers do."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from foveal.exporters.onnx_files import precision

Graph = Callable[..., onnx.ModelProto]
Expected = Callable[..., list[NDArray[Any]]]
WINDOW = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}


@pytest.fixture
def network(graph: Graph, rng: np.random.Generator) -> onnx.ModelProto:
    """Convolutions of which one is read by another and by what follows; `head` ends in 8 numbers."""
    weights = {
        "scale": np.float32(1 / 128).reshape(()),
        "first": rng.normal(size=(16, 3, 3, 3)).astype(np.float32) / 5,
        "bias": rng.normal(size=16).astype(np.float32),
        "shared": rng.normal(size=(16, 16, 3, 3)).astype(np.float32) / 12,
        "twice": np.array([1, 1, 2, 2], np.float32),
        "head": rng.normal(size=(16, 8)).astype(np.float32),
    }
    nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    steps = (
        ("Mul", ["data", "scale"], "x", {}),
        ("Conv", ["x", "first", "bias"], "one", WINDOW),
        ("Relu", ["one"], "one_relu", {}),
        ("Conv", ["one_relu", "shared", "bias"], "two", {"strides": [2, 2], **WINDOW}),
        ("Relu", ["two"], "two_relu", {}),
        ("Resize", ["two_relu", "", "twice"], "large", nearest),
        ("Add", ["large", "one_relu"], "joined", {}),
        ("Conv", ["joined", "shared", "bias"], "three", WINDOW),
        ("Relu", ["three"], "map", {}),
        ("GlobalAveragePool", ["map"], "pooled", {}),
        ("Flatten", ["pooled"], "means", {}),
        ("ReduceMax", ["map"], "largest", {"axes": [2, 3], "keepdims": 0}),
        ("Add", ["means", "largest"], "both", {}),
        ("MatMul", ["both", "head"], "y", {}),
    )
    nodes = [helper.make_node(kind, inputs, [name], name=name, **more) for kind, inputs, name, more in steps]
    return graph(nodes, weights, "y")


@pytest.fixture
def photos(rng: np.random.Generator) -> NDArray[np.float32]:
    return rng.integers(0, 256, (8, 3, 16, 16)).astype(np.float32)


def weights(model: onnx.ModelProto) -> dict[str, NDArray[Any]]:
    return {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}


def readers(model: onnx.ModelProto, kind: str) -> dict[str, onnx.NodeProto]:
    """The nodes of a kind by the names of their outputs."""
    return {node.output[0]: node for node in model.graph.node if node.op_type == kind}


def near(result: NDArray[Any], wanted: NDArray[Any], part: float) -> None:
    assert result.shape == wanted.shape
    assert np.abs(result - wanted).max() < part * np.abs(wanted).max()


class TestKeepHalves:
    def test_changes_no_answer(self, network: onnx.ModelProto, expected: Expected) -> None:
        for weight in network.graph.initializer:
            values = numpy_helper.to_array(weight).astype(np.float16).astype(np.float32)
            weight.CopyFrom(numpy_helper.from_array(values, weight.name))
        (wanted,) = expected(network)
        before = network.ByteSize()

        precision.keep_halves(network)

        onnx.checker.check_model(network, full_check=True)
        assert network.ByteSize() < 0.65 * before
        np.testing.assert_array_equal(expected(network)[0], wanted)

    def test_leaves_what_a_half_does_not_hold(self, network: onnx.ModelProto) -> None:
        large = np.full((16, 8), 1e6, np.float32)
        next(each for each in network.graph.initializer if each.name == "head").CopyFrom(
            numpy_helper.from_array(large, "head")
        )

        precision.keep_halves(network)

        assert {each.dtype.name for each in weights(network).values()} == {"float32"}


class TestComputeInHalves:
    def test_has_convolutions_in_half_precision_alone(self, network: onnx.ModelProto, expected: Expected) -> None:
        (wanted,) = expected(network)

        precision.compute_in_halves(network)

        onnx.checker.check_model(network, full_check=True)
        inferred = onnx.shape_inference.infer_shapes(network, strict_mode=True)
        types = {each.name: each.type.tensor_type.elem_type for each in inferred.graph.value_info}
        halves = {"one", "one_relu", "two", "two_relu", "large", "joined", "three", "map"}
        assert {types[name] for name in halves} == {TensorProto.FLOAT16}
        assert {types[name] for name in ("x", "pooled", "means", "largest", "both")} == {TensorProto.FLOAT}
        assert {each.type.tensor_type.elem_type for each in (*network.graph.input, *network.graph.output)} == {
            TensorProto.FLOAT
        }
        near(expected(network)[0], wanted, 0.01)

    def test_widens_a_tensor_once_for_all_who_read_it(self, network: onnx.ModelProto) -> None:
        precision.compute_in_halves(network)

        casts = [node.input[0] for node in network.graph.node if node.op_type == "Cast"]
        assert sorted(casts) == ["map", "x"]

    def test_holds_no_weight_twice(self, network: onnx.ModelProto) -> None:
        precision.compute_in_halves(network)

        assert sorted(weights(network)) == ["bias_half", "first_half", "head", "scale", "shared_half", "twice"]

    def test_halves_nothing_but_convolutions_where_nodes_have_no_names(
        self, network: onnx.ModelProto, expected: Expected
    ) -> None:
        (wanted,) = expected(network)
        for node in network.graph.node:
            node.ClearField("name")

        precision.compute_in_halves(network)

        inferred = onnx.shape_inference.infer_shapes(network, strict_mode=True)
        types = {each.name: each.type.tensor_type.elem_type for each in inferred.graph.value_info}
        assert (types["x"], types["one"], types["both"]) == (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.FLOAT)
        near(expected(network)[0], wanted, 0.01)


class TestQuantize:
    def test_stays_near_with_weights_that_do_not_saturate(
        self, network: onnx.ModelProto, expected: Expected, photos: NDArray[np.float32]
    ) -> None:
        wanted = [expected(network, photo[None])[0] for photo in photos]

        made = precision.quantize(network, photos)

        for photo, each in zip(photos, wanted, strict=True):
            near(expected(made, photo[None])[0], each, 0.05)
        eight = [each for each in weights(made).values() if each.dtype == np.int8 and each.ndim == 4]
        assert len(eight) >= 2
        assert max(np.abs(each.astype(int)).max() for each in eight) <= 64

    def test_leaves_what_follows_the_convolutions(self, network: onnx.ModelProto, photos: NDArray[np.float32]) -> None:
        made = precision.quantize(network, photos)

        assert weights(made)["head"].dtype == np.float32
        assert list(readers(made, "Flatten")["means"].input) == ["pooled"]

    def test_is_silent(
        self,
        network: onnx.ModelProto,
        photos: NDArray[np.float32],
        capfd: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        before = logging.root.manager.disable

        with caplog.at_level(logging.WARNING):
            precision.quantize(network, photos)

        assert (capfd.readouterr().out, caplog.messages) == ("", [])
        assert logging.root.manager.disable == before

    def test_leaves_the_given_model_as_it_was(self, network: onnx.ModelProto, photos: NDArray[np.float32]) -> None:
        before = network.SerializeToString(deterministic=True)

        precision.quantize(network, photos)

        assert network.SerializeToString(deterministic=True) == before


class TestQuantizeWeights:
    def test_stays_near_in_a_smaller_file(
        self, network: onnx.ModelProto, expected: Expected, photos: NDArray[np.float32]
    ) -> None:
        wanted, before = [expected(network, photo[None])[0] for photo in photos], network.ByteSize()

        precision.quantize_weights(network)

        onnx.checker.check_model(network, full_check=True)
        assert network.ByteSize() < 0.5 * before
        for photo, each in zip(photos, wanted, strict=True):
            near(expected(network, photo[None])[0], each, 0.02)

    def test_has_a_scale_for_each_output(self, network: onnx.ModelProto) -> None:
        sizes = np.logspace(-3, 3, 16, dtype=np.float32)[:, None, None, None]
        kernel = next(each for each in network.graph.initializer if each.name == "first")
        values = numpy_helper.to_array(kernel) * sizes
        kernel.CopyFrom(numpy_helper.from_array(values, "first"))

        precision.quantize_weights(network)

        held = weights(network)
        widened = held["first_8"] * held["first_scale"][:, None, None, None]
        assert np.abs(held["first_8"]).max((1, 2, 3)).tolist() == [127] * 16
        assert (np.abs(widened - values) <= held["first_scale"][:, None, None, None] * 0.51).all()
        assert held["head_scale"].shape == (8,)

    def test_leaves_outputs_without_weights_at_zero(self, network: onnx.ModelProto, expected: Expected) -> None:
        head = next(each for each in network.graph.initializer if each.name == "head")
        head.CopyFrom(numpy_helper.from_array(np.zeros((16, 8), np.float32), "head"))

        precision.quantize_weights(network)

        assert not expected(network)[0].any()
