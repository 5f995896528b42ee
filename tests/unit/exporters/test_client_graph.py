"""A graph as a client sees it: colours and range at the input, what is told at the end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from foveal import bundle
from foveal.bundle import BackboneEntry, Bundle, Manifest, Preprocessing, TagEntry
from foveal.domains import MULTICLASS, OBJECT_DETECTION
from foveal.engine.graph import INPUT, OUTPUT
from foveal.errors import Invalid
from foveal.exporters.client_graph import SCORED, adapted, reverse_channels
from foveal.exporters.interface import BGR, DETECTED, GRID, PROBABILITIES, RAW, RGB, TO_1, Interface

Graph = Callable[..., onnx.ModelProto]
Expected = Callable[..., list[NDArray[Any]]]
Steps = Sequence[tuple[str, list[str], str, Mapping[str, Any]]]
RANDOM = np.random.default_rng(5)
POOL = {"kernel_shape": [2, 2], "strides": [2, 2]}
WEIGHTS: dict[str, NDArray[Any]] = {
    "means": np.array([100, 120, 140], np.float32).reshape(1, 3, 1, 1),
    "means_alone": np.array([100, 120, 140], np.float32).reshape(3, 1, 1),
    "parts": np.array([50, 60, 70], np.float32).reshape(1, 3, 1, 1),
    "number": np.float32(100).reshape(()),
    "one_number": np.full((1, 1, 1, 1), 100, np.float32),
    "kernel": RANDOM.normal(size=(4, 3, 3, 3)).astype(np.float32) / 100,
    "small": RANDOM.normal(size=(4, 3, 1, 1)).astype(np.float32) / 100,
    "alone": RANDOM.normal(size=(3, 1, 3, 3)).astype(np.float32),
    "columns": RANDOM.normal(size=16).astype(np.float32),
}
BEGINNINGS: dict[str, Steps] = {
    "a convolution": [("Conv", ["data", "kernel"], "y", {})],
    "constants of each channel": [
        ("Sub", ["data", "means"], "centred", {}),
        ("Div", ["centred", "parts"], "normal", {}),
        ("Conv", ["normal", "kernel"], "y", {}),
    ],
    "constants without the image's axis": [
        ("Sub", ["data", "means_alone"], "centred", {}),
        ("Conv", ["centred", "kernel"], "y", {}),
    ],
    "constants before the image": [
        ("Sub", ["means", "data"], "centred", {}),
        ("Mul", ["parts", "centred"], "normal", {}),
        ("Conv", ["normal", "kernel"], "y", {}),
    ],
    "one number for all channels": [
        ("Sub", ["data", "number"], "centred", {}),
        ("Add", ["centred", "one_number"], "normal", {}),
        ("Conv", ["normal", "kernel"], "y", {}),
    ],
    "a smaller image": [("AveragePool", ["data"], "small_image", POOL), ("Conv", ["small_image", "kernel"], "y", {})],
    "two convolutions with one kernel": [
        ("Sub", ["data", "number"], "centred", {}),
        ("Conv", ["data", "kernel"], "one", {}),
        ("Conv", ["centred", "kernel"], "other", {}),
        ("Mul", ["one", "other"], "y", {}),
    ],
    "two convolutions of two sizes": [
        ("Conv", ["data", "small"], "one", {}),
        ("AveragePool", ["data"], "small_image", POOL),
        ("Conv", ["small_image", "kernel"], "other", {}),
        ("GlobalAveragePool", ["other"], "mean", {}),
        ("Add", ["one", "mean"], "y", {}),
    ],
    "one constant twice": [
        ("Sub", ["data", "means"], "centred", {}),
        ("Sub", ["centred", "means"], "twice_centred", {}),
        ("Conv", ["twice_centred", "kernel"], "y", {}),
    ],
    "arithmetic with itself": [
        ("Mul", ["data", "data"], "square", {}),
        ("Add", ["square", "data"], "both", {}),
        ("Conv", ["both", "kernel"], "y", {}),
    ],
}
REFUSED: dict[str, tuple[Steps, str]] = {
    "another operator": ([("Sigmoid", ["data"], "y", {})], "it begins with Sigmoid"),
    "a computed kernel": (
        [("Relu", ["kernel"], "made", {}), ("Conv", ["data", "made"], "y", {})],
        "made is no weight",
    ),
    "a convolution of each channel": ([("Conv", ["data", "alone"], "y", {"group": 3})], "alone is of shape"),
    "a constant along another axis": ([("Add", ["data", "columns"], "y", {})], "columns is of shape"),
}


def nodes(steps: Steps) -> list[onnx.NodeProto]:
    return [helper.make_node(kind, inputs, [name], name=name, **more) for kind, inputs, name, more in steps]


class TestReverseChannels:
    @pytest.mark.parametrize("case", BEGINNINGS)
    def test_is_the_same_as_reversed_images(
        self, case: str, graph: Graph, expected: Expected, image: NDArray[np.float32]
    ) -> None:
        model = graph(nodes(BEGINNINGS[case]), WEIGHTS, "y")
        (wanted,) = expected(model)
        operators = [node.op_type for node in model.graph.node]

        reverse_channels(model)

        (result,) = expected(model, np.ascontiguousarray(image[:, ::-1]))
        np.testing.assert_allclose(result, wanted, rtol=1e-4, atol=1e-3)
        assert [node.op_type for node in model.graph.node] == operators

    @pytest.mark.parametrize("case", REFUSED)
    def test_names_what_it_cannot_turn(self, case: str, graph: Graph) -> None:
        steps, reason = REFUSED[case]
        model = graph(nodes(steps), WEIGHTS, "y")

        with pytest.raises(Invalid, match=f"^The colours of this model cannot be turned round: {reason}"):
            reverse_channels(model)


def manifest(task: str, tags: Sequence[str]) -> Manifest:
    return Manifest(
        project="p",
        iteration="i",
        domain="General",
        classification_type=task,
        tags=tuple(TagEntry(tag, tag, "Regular") for tag in tags),
        backbone=BackboneEntry("b", "Apache-2.0", "0"),
        preprocessing=Preprocessing(16),
        metrics={},
        data_digest="d",
        image_count=1,
        seed=0,
        versions={},
        created_at="2026-01-01T00:00:00Z",
    )


def bundled(folder: Path, model: onnx.ModelProto, task: str) -> Bundle:
    """A bundle of a graph, its weights in half precision as ours are."""
    for name, told in (("data", INPUT), ("y", OUTPUT)):
        for node in model.graph.node:
            node.input[:] = [told if each == name else each for each in node.input]
            node.output[:] = [told if each == name else each for each in node.output]
        for each in (*model.graph.input, *model.graph.output):
            each.name = told if each.name == name else each.name
    labels = ("cat", "dog")
    content = model.SerializeToString()
    return bundle.write(folder, graph=content, labels=labels, manifest=manifest(task, labels), head={})


@pytest.fixture
def classifying(graph: Graph, tmp_path: Path) -> Bundle:
    """Probabilities of two tags, one weight in half precision behind a Cast."""
    steps: Steps = [
        ("Cast", ["half"], "kernel", {"to": TensorProto.FLOAT}),
        ("Sub", ["data", "means"], "centred", {}),
        ("Conv", ["centred", "kernel"], "map", {}),
        ("GlobalAveragePool", ["map"], "pooled", {}),
        ("Flatten", ["pooled"], "scores", {}),
        ("Softmax", ["scores"], "y", {"axis": 1}),
    ]
    half = (RANDOM.normal(size=(2, 3, 3, 3)) / 20).astype(np.float16)
    model = graph(nodes(steps), {"half": half, "means": WEIGHTS["means"]}, "y", batch="batch")
    return bundled(tmp_path / "classifier", model, MULTICLASS)


@pytest.fixture
def detecting(graph: Graph, tmp_path: Path) -> Bundle:
    """16 boxes of a fixed place, scores of two tags from the colours."""
    line = np.arange(4, dtype=np.float32) / 4
    corners = np.stack(np.meshgrid(line, line), -1).reshape(1, 16, 2)
    steps: Steps = [
        ("Conv", ["data", "kernel"], "map", {"strides": [4, 4]}),
        ("Reshape", ["map", "row"], "logits", {}),
        ("Sigmoid", ["logits"], "scores", {}),
        ("ReduceMean", ["data"], "mean", {"axes": [1, 2, 3], "keepdims": 0}),
        ("Mul", ["mean", "none"], "zero", {}),
        ("Add", ["places", "zero"], "boxes", {}),
        ("NonMaxSuppression", ["boxes", "scores", "most"], "y", {}),
    ]
    weights = {
        "kernel": (RANDOM.normal(size=(2, 3, 4, 4)) / 200).astype(np.float32),
        "row": np.array([1, 2, 16]),
        "none": np.float32(0).reshape(()),
        "most": np.array([9]),
        "places": np.concatenate([corners, corners + np.float32(0.25)], 2),
    }
    model = graph(nodes(steps), weights, "y")
    return bundled(tmp_path / "detector", model, OBJECT_DETECTION)


def seen(ending: str, **more: Any) -> Interface:
    task = MULTICLASS if ending == PROBABILITIES else OBJECT_DETECTION
    plain = Interface(task=task, labels=("cat", "dog"), size_px=16, ending=ending, input_name="data", pixel_format=RGB)
    return replace(plain, **more)


class TestAdapted:
    @pytest.mark.parametrize("pixel_format", [RGB, BGR])
    @pytest.mark.parametrize("value_range", ["NominalRange_0_255", TO_1])
    def test_says_the_same_of_images_as_its_programs_feed_them(
        self, pixel_format: str, value_range: str, classifying: Bundle, expected: Expected, image: NDArray[np.float32]
    ) -> None:
        (wanted,) = expected(onnx.load(classifying.graph))
        fed = image[:, ::-1] if pixel_format == BGR else image
        fed = fed / np.float32(255) if value_range == TO_1 else fed

        model = adapted(classifying, seen(PROBABILITIES, pixel_format=pixel_format, value_range=value_range))

        assert [each.name for each in model.graph.input] == ["data"]
        np.testing.assert_allclose(expected(model, np.ascontiguousarray(fed))[0], wanted, rtol=1e-4, atol=1e-5)

    def test_has_weights_of_single_precision_without_casts(self, classifying: Bundle) -> None:
        model = adapted(classifying, seen(PROBABILITIES))

        assert "Cast" not in {node.op_type for node in model.graph.node}
        assert {numpy_helper.to_array(each).dtype.name for each in model.graph.initializer} == {"float32"}
        assert not model.metadata_props

    @pytest.mark.parametrize(
        ("ending", "shapes"),
        [
            (SCORED, {"boxes": (1, 16, 4), "scores": (1, 2, 16)}),
            (RAW, {"raw_probs": (1, 16, 3), "raw_boxes": (1, 16, 4)}),
            (GRID, {"grid": (1, 35, 13, 13)}),
        ],
    )
    def test_ends_as_told_without_what_leads_nowhere(
        self, ending: str, shapes: dict[str, Any], detecting: Bundle, expected: Expected
    ) -> None:
        model = adapted(detecting, seen(GRID), ending)

        told = dict(zip([each.name for each in model.graph.output], expected(model), strict=True))
        assert {name: each.shape for name, each in told.items()} == shapes
        assert "NonMaxSuppression" not in {node.op_type for node in model.graph.node}

    def test_tells_middles_sides_and_how_probable_nothing_is(self, detecting: Bundle, expected: Expected) -> None:
        boxes, scores = expected(adapted(detecting, seen(GRID), SCORED))

        told, measures = expected(adapted(detecting, seen(RAW)))

        np.testing.assert_allclose(told[0, :, 1:], scores[0].T, atol=1e-6)
        np.testing.assert_allclose(told[0, :, 0], 1 - scores[0].max(0), atol=1e-6)
        np.testing.assert_allclose(measures[..., :2] - measures[..., 2:] / 2, boxes[..., :2], atol=1e-6)
        np.testing.assert_allclose(measures[..., :2] + measures[..., 2:] / 2, boxes[..., 2:], atol=1e-6)

    def test_refuses_a_classifier_where_boxes_are_asked_for(self, classifying: Bundle) -> None:
        with pytest.raises(Invalid, match=r"^The model has no boxes: it is no detector\.$"):
            adapted(classifying, seen(GRID))

    def test_names_the_outputs_that_are_missing(self, classifying: Bundle) -> None:
        with pytest.raises(Invalid, match=r"^The model gives no detected_boxes, detected_classes, detected_scores\.$"):
            adapted(classifying, seen(DETECTED))
