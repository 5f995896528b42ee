"""TensorFlow Lite files: half precision, fused steps, names and shapes, boxes padded to a fixed number, 8 bits."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper
from tests.support.written import by_tensorflow, channels_last, operators, said, tflite

from foveal.engine.detection.graph import BOXES, CLASSES, FAINTEST, MOST, SCORES
from foveal.exporters import lowering
from foveal.exporters.form import KINDS, Form
from foveal.exporters.tflite import quantize, writer

Graph = Callable[..., onnx.ModelProto]
WINDOW = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}


def lowered(model: onnx.ModelProto) -> Form:
    return lowering.lower(model, {model.graph.output[0].name: "loss"})


@pytest.fixture
def form(classifier_of_many: onnx.ModelProto) -> Form:
    return lowered(classifier_of_many)


@pytest.fixture
def convolutions(graph: Graph, rng: np.random.Generator) -> onnx.ModelProto:
    """A chain of them, large enough that weights make up the file."""
    weights = {
        "scale": np.float32(1 / 128).reshape(()),
        "first": rng.normal(size=(32, 3, 3, 3)).astype(np.float32) / 5,
        "bias": rng.normal(size=32).astype(np.float32),
        "alone": rng.normal(size=(32, 1, 3, 3)).astype(np.float32) / 3,
        "second": rng.normal(size=(64, 32, 3, 3)).astype(np.float32) / 17,
        "third": rng.normal(size=(8, 64, 3, 3)).astype(np.float32) / 24,
    }
    steps = (
        ("Mul", ["data", "scale"], "x", {}),
        ("Conv", ["x", "first", "bias"], "one", {"strides": [2, 2], **WINDOW}),
        ("Relu", ["one"], "one_relu", {}),
        ("Conv", ["one_relu", "alone", "bias"], "apart", {"group": 32, **WINDOW}),
        ("Add", ["apart", "one_relu"], "joined", {}),
        ("Relu", ["joined"], "joined_relu", {}),
        ("MaxPool", ["joined_relu"], "small", {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Conv", ["small", "second"], "two", WINDOW),
        ("Relu", ["two"], "two_relu", {}),
        ("Conv", ["two_relu", "third"], "three", WINDOW),
        ("GlobalAveragePool", ["three"], "pooled", {}),
        ("Flatten", ["pooled"], "y", {}),
    )
    nodes = [helper.make_node(kind, inputs, [name], name=name, **more) for kind, inputs, name, more in steps]
    return graph(nodes, weights, "y", batch="batch")


@pytest.fixture
def photos(rng: np.random.Generator) -> NDArray[np.float32]:
    """Images (n, 3, s, s), each brighter than the last."""
    return np.stack([rng.integers(0, 20 * at + 60, (3, 16, 16)) for at in range(8)]).astype(np.float32)


class TestWrite:
    def test_knows_every_kind_of_step(self) -> None:
        assert set(writer.WRITERS) == set(KINDS)

    def test_tells_names_and_shapes(self, form: Form) -> None:
        model = tflite(writer.write(form))
        graph, (signature,) = model.subgraphs[0], model.signatureDefs
        given, told = (graph.tensors[at] for at in (graph.inputs[0], graph.outputs[0]))

        assert (given.name, told.name) == (b"data", b"loss")
        assert (signature.signatureKey, signature.inputs[0].name) == (b"serving_default", b"data")
        assert signature.outputs[0].name == b"loss"
        assert given.shape.tolist() == [1, 16, 16, 3]
        assert given.shapeSignature.tolist() == [-1, 16, 16, 3]
        assert told.shapeSignature.tolist() == [-1, 3]

    def test_fixes_the_shape_of_a_single_image(self, classifier: onnx.ModelProto) -> None:
        graph = tflite(writer.write(lowered(classifier))).subgraphs[0]

        assert all(tensor.shapeSignature is None for tensor in graph.tensors)

    def test_is_the_same_each_time(self, form: Form) -> None:
        assert writer.write(form) == writer.write(form)

    def test_names_a_tensor_once(self, convolutions: onnx.ModelProto) -> None:
        tensors = tflite(writer.write(lowered(convolutions), half=True)).subgraphs[0].tensors

        assert len({each.name for each in tensors}) == len(tensors)

    def test_has_a_shared_weight_once(self, graph: Graph, rng: np.random.Generator) -> None:
        nodes = [
            helper.make_node("Conv", ["data", "kernel"], ["one"], **WINDOW),
            helper.make_node("Conv", ["one", "kernel"], ["two"], **WINDOW),
        ]
        kernel = rng.normal(size=(3, 3, 3, 3)).astype(np.float32)

        model = tflite(writer.write(lowered(graph(nodes, {"kernel": kernel}, "two"))))

        sizes = [len(buffer.data) for buffer in model.buffers if buffer.data is not None]
        assert sizes.count(kernel.nbytes) == 1


class TestFusing:
    def test_takes_relus_into_convolutions_and_sums(
        self, convolutions: onnx.ModelProto, expected: Any, photos: NDArray[np.float32]
    ) -> None:
        content = writer.write(lowered(convolutions))

        assert "RELU" not in operators(content)
        np.testing.assert_allclose(said(content, photos)["loss"], expected(convolutions, photos)[0], atol=1e-5)

    def test_leaves_one_whose_source_is_read_elsewhere(self, graph: Graph, expected: Any, image: Any) -> None:
        kernel = np.random.default_rng(0).normal(size=(3, 3, 1, 1)).astype(np.float32)
        nodes = [
            helper.make_node("Conv", ["data", "kernel"], ["one"]),
            helper.make_node("Relu", ["one"], ["bright"]),
            helper.make_node("Sub", ["bright", "one"], ["y"]),
        ]
        model = graph(nodes, {"kernel": kernel}, "y")
        content = writer.write(lowered(model))

        assert operators(content) == ["CONV_2D", "RELU", "SUB"]
        np.testing.assert_allclose(said(content, image)["loss"], expected(model)[0], rtol=1e-5, atol=1e-4)

    def test_leaves_one_whose_source_is_an_output(self, graph: Graph, image: Any) -> None:
        kernel = np.ones((1, 3, 1, 1), np.float32) * np.float32(-1)
        nodes = [helper.make_node("Conv", ["data", "kernel"], ["one"]), helper.make_node("Relu", ["one"], ["bright"])]
        model = graph(nodes, {"kernel": kernel}, "one", "bright")

        answers = said(writer.write(lowering.lower(model, {"one": "one", "bright": "bright"})), image)

        assert answers["one"].min() < 0
        assert answers["bright"].max() == 0


class TestHalf:
    def test_halves_the_file(self, convolutions: onnx.ModelProto) -> None:
        form = lowered(convolutions)

        assert len(writer.write(form, half=True)) < 0.55 * len(writer.write(form))

    def test_changes_no_answer_where_the_weights_are_halves(
        self, convolutions: onnx.ModelProto, photos: NDArray[np.float32]
    ) -> None:
        for weight in convolutions.graph.initializer:
            values = onnx.numpy_helper.to_array(weight).astype(np.float16).astype(np.float32)
            weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
        form = lowered(convolutions)

        result = said(writer.write(form, half=True), photos)["loss"]

        np.testing.assert_array_equal(result, said(writer.write(form), photos)["loss"])

    def test_keeps_whole_numbers_and_small_constants(self, form: Form) -> None:
        model = tflite(writer.write(form, half=True))
        kinds = writer.schema().TensorType
        halves = [each for each in model.subgraphs[0].tensors if each.type == kinds.FLOAT16]

        assert min(int(np.prod(each.shape)) for each in halves) > 8
        assert all(each.name.endswith(b"_half") for each in halves)


class TestPaddedDetections:
    @pytest.fixture
    def detector(self, graph: Graph, rng: np.random.Generator) -> onnx.ModelProto:
        """Boxes (1, 16, 4) and scores (1, 3, 16) from an image of 4 by 4."""
        corners = rng.uniform(0, 0.7, (1, 16, 2)).astype(np.float32)
        boxes = np.concatenate([corners, corners + np.float32(0.25)], 2)
        weights = {
            "none": np.float32(0).reshape(()),
            "moved": boxes,
            "row": np.array([1, 3, 16]),
            "faint": np.float32(1 / 255).reshape(()),
        }
        nodes = [
            helper.make_node("Reshape", ["data", "row"], ["pixels"]),
            helper.make_node("Mul", ["pixels", "faint"], ["scores"]),
            helper.make_node("ReduceMean", ["pixels"], ["means"], axes=[1, 2], keepdims=1),
            helper.make_node("Mul", ["means", "none"], ["zero"]),
            helper.make_node("Add", ["zero", "moved"], ["boxes"]),
        ]
        return graph(nodes, weights, "boxes", "scores", size=4)

    def test_have_a_fixed_number_and_the_score_0_behind_the_last(
        self, detector: onnx.ModelProto, rng: np.random.Generator
    ) -> None:
        image = rng.permutation(256)[:48].reshape(1, 3, 4, 4).astype(np.float32)  # no two of them are the same
        image[image < 128] = 0
        found = by_tensorflow(lowering.lower_detector(detector, 3), image)
        count = len(found[SCORES])

        padded = said(writer.write(lowering.lower_detector(detector, 3, padded=True)), image)

        assert 0 < count < MOST
        assert (padded[BOXES].shape, padded[CLASSES].shape) == ((MOST, 4), (MOST,))
        assert padded[SCORES].shape == (MOST,)
        assert padded[SCORES][count:].tolist() == [0] * (MOST - count)
        for name in (BOXES, CLASSES, SCORES):
            np.testing.assert_allclose(padded[name][:count], found[name], atol=1e-6)

    def test_are_all_of_score_0_where_nothing_is_found(self, detector: onnx.ModelProto) -> None:
        form = lowering.lower_detector(detector, 3, padded=True)

        padded = said(writer.write(form), np.zeros((1, 3, 4, 4), np.float32))

        assert not padded[SCORES].any()

    def test_are_chosen_tag_by_tag(self, detector: onnx.ModelProto, expected: Any, rng: np.random.Generator) -> None:
        image = rng.permutation(256)[:48].reshape(1, 3, 4, 4).astype(np.float32)  # no two of them are the same
        boxes, scores = expected(detector, image)

        found = by_tensorflow(lowering.lower_detector(detector, 3), image)

        pairs = sorted((-scores[0, tag, place], tag, place) for tag in range(3) for place in range(16))
        chosen = list[tuple[float, int, int]]()
        for score, tag, place in pairs:
            rivals = [boxes[0, other] for _, own, other in chosen if own == tag]
            if -score > FAINTEST and all(overlap(boxes[0, place], rival) <= 0.5 for rival in rivals):
                chosen.append((score, tag, place))
        np.testing.assert_allclose(found[SCORES], [-score for score, _, _ in chosen], atol=1e-6)
        assert found[CLASSES].tolist() == [tag for _, tag, _ in chosen]
        np.testing.assert_allclose(found[BOXES], [boxes[0, place] for _, _, place in chosen], atol=1e-6)


def overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    shared = (np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])).clip(0).prod()
    return shared / ((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod() - shared)


class TestQuantized:
    @pytest.mark.parametrize("scheme", [quantize.STATIC, quantize.WEIGHTS])
    def test_is_small_near_and_silent(
        self,
        scheme: str,
        convolutions: onnx.ModelProto,
        photos: NDArray[np.float32],
        capfd: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        form = lowered(convolutions)
        content = writer.write(form)

        with caplog.at_level(logging.DEBUG):
            smaller = quantize.quantized(content, form, channels_last(photos), scheme=scheme)

        printed = capfd.readouterr()
        assert printed.out == ""
        assert all(line.startswith("INFO:") for line in printed.err.splitlines())  # LiteRT's own, from C++
        assert caplog.messages == []
        assert len(smaller) < 0.5 * len(content)
        wanted = said(content, photos)["loss"]
        assert np.abs(said(smaller, photos)["loss"] - wanted).max() < 0.05 * np.abs(wanted).max()

    def test_leaves_logging_as_it_was(self, form: Form, photos: NDArray[np.float32]) -> None:
        before = logging.root.manager.disable

        quantize.quantized(writer.write(form), form, channels_last(photos), scheme=quantize.WEIGHTS)

        assert logging.root.manager.disable == before

    def test_learns_the_same_from_photos_in_any_order(
        self, convolutions: onnx.ModelProto, photos: NDArray[np.float32]
    ) -> None:
        form = lowered(convolutions)
        content, images = writer.write(form), channels_last(photos)

        one, other = (
            quantize.quantized(content, form, each, scheme=quantize.STATIC) for each in (images, images[::-1].copy())
        )

        assert one == other

    @pytest.mark.parametrize("scheme", [quantize.STATIC, quantize.WEIGHTS])
    def test_of_weights_that_several_convolutions_share_stays_near(
        self, scheme: str, graph: Graph, rng: np.random.Generator, photos: NDArray[np.float32]
    ) -> None:
        steps = (
            ("Mul", ["data", "scale"], "x", {}),
            ("Conv", ["x", "first"], "one", {}),
            ("Conv", ["one", "kernel", "bias"], "two", WINDOW),
            ("Relu", ["two"], "two_relu", {}),
            ("Conv", ["two_relu", "kernel", "bias"], "three", WINDOW),  # of other ranges than the one before
            ("Relu", ["three"], "three_relu", {}),
            ("Conv", ["three_relu", "kernel", "bias"], "y", WINDOW),
        )
        weights = {
            "scale": np.float32(1 / 128).reshape(()),
            "first": rng.normal(size=(16, 3, 1, 1)).astype(np.float32) * 9,
            "kernel": rng.normal(size=(16, 16, 3, 3)).astype(np.float32) / 30,
            "bias": rng.normal(size=16).astype(np.float32),
        }
        nodes = [helper.make_node(kind, inputs, [name], name=name, **more) for kind, inputs, name, more in steps]
        form = lowered(graph(nodes, weights, "y"))
        content = writer.write(form)

        smaller = quantize.quantized(content, form, channels_last(photos), scheme=scheme)

        for photo in photos:
            wanted = said(content, photo[None])["loss"]
            assert np.abs(said(smaller, photo[None])["loss"] - wanted).max() < 0.05 * np.abs(wanted).max()

    def test_leaves_what_follows_the_convolutions_in_single_precision(
        self, form: Form, photos: NDArray[np.float32]
    ) -> None:
        smaller = quantize.quantized(writer.write(form), form, channels_last(photos), scheme=quantize.STATIC)

        model, kinds = tflite(smaller), writer.schema().TensorType
        types = {tensor.name.decode(): tensor.type for tensor in model.subgraphs[0].tensors}
        assert types["one_relu"] == kinds.INT8
        assert {types[name] for name in ("deviation", "unit", "scores", "loss", "data")} == {kinds.FLOAT32}
