"""What a file says of itself, and that its outputs are those of the graph."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from foveal.errors import Invalid
from foveal.exporters.client_graph import reverse_channels
from foveal.exporters.coreml import mil_evaluate, package
from foveal.exporters.coreml.evaluate import open_model
from foveal.exporters.coreml.library import quiet
from foveal.exporters.coreml.writer import write
from foveal.exporters.interface import BGR, DETECTED, GRID, PROBABILITIES

SUFFIXES = {"mlprogram": ".mlpackage", "neuralnetwork": ".mlmodel"}
KINDS = list(SUFFIXES)
LABELS = ("dog", "cat", "Früchte 1")
FLOAT32, DOUBLE = 65568, 65600
RGB_SPACE, BGR_SPACE = 20, 30
Graph = Callable[..., onnx.ModelProto]
Write = Callable[..., Path]
Expected = Callable[[onnx.ModelProto], list[NDArray[Any]]]
Show = Callable[[onnx.ModelProto, str, str, str], dict[str, NDArray[Any]]]


def spec_of(path: Path) -> Any:
    return package.load(path)[0]


def content(path: Path) -> dict[str, bytes]:
    files = [each for each in path.rglob("*") if each.is_file()] or [path]
    return {each.relative_to(path).as_posix(): each.read_bytes() for each in files}


def bytes_in(path: Path) -> int:
    return sum(map(len, content(path).values()))


@pytest.fixture
def shown(interface: Callable[..., Any], once: Write, image: NDArray[np.float32]) -> Show:
    """What a model says of the image once it is written."""
    return lambda model, ending, kind, precision: open_model(once(model, interface(ending, *LABELS), kind, precision))(
        image
    )


@pytest.mark.parametrize("kind", KINDS)
class TestClassifier:
    def test_takes_an_image_and_gives_a_label_and_a_dictionary(
        self, kind: str, classifier: onnx.ModelProto, interface: Callable[..., Any], written: Write
    ) -> None:
        description = spec_of(written(classifier, interface(PROBABILITIES, *LABELS), kind)).description

        (image,) = description.input
        assert (image.name, image.type.imageType.width, image.type.imageType.height) == ("data", 16, 16)
        assert image.type.imageType.colorSpace == RGB_SPACE
        assert [(each.name, each.type.WhichOneof("Type")) for each in description.output] == [
            ("classLabel", "stringType"),
            ("loss", "dictionaryType"),
        ]
        assert description.output[1].type.dictionaryType.WhichOneof("KeyType") == "stringKeyType"
        assert (description.predictedFeatureName, description.predictedProbabilitiesName) == ("classLabel", "loss")

    def test_says_who_made_it_and_nothing_else(
        self, kind: str, classifier: onnx.ModelProto, interface: Callable[..., Any], written: Write
    ) -> None:
        metadata = spec_of(written(classifier, interface(PROBABILITIES, *LABELS), kind)).description.metadata

        assert [(field.name, value) for field, value in metadata.ListFields()] == [
            ("shortDescription", "Made with Foveal")
        ]

    def test_gives_the_probabilities_of_the_graph(
        self, kind: str, classifier: onnx.ModelProto, shown: Show, expected: Expected
    ) -> None:
        outputs = shown(classifier, PROBABILITIES, kind, "float32")

        assert outputs.keys() == {"loss"}
        np.testing.assert_allclose(outputs["loss"], expected(classifier)[0], atol=1e-5)

    def test_of_half_precision_gives_nearly_the_same(
        self, kind: str, classifier: onnx.ModelProto, shown: Show, expected: Expected
    ) -> None:
        outputs = shown(classifier, PROBABILITIES, kind, "float16")

        np.testing.assert_allclose(outputs["loss"], expected(classifier)[0], atol=1e-2)

    def test_refuses_labels_that_are_the_same(
        self, kind: str, classifier: onnx.ModelProto, interface: Callable[..., Any], written: Write
    ) -> None:
        with pytest.raises(Invalid, match="same name"):
            written(classifier, interface(PROBABILITIES, "cat", "dog", "cat"), kind)

    def test_takes_blue_green_and_red_where_its_interface_says_so(
        self,
        kind: str,
        classifier: onnx.ModelProto,
        interface: Callable[..., Any],
        once: Write,
        shown: Show,
        image: NDArray[np.float32],
    ) -> None:
        before = shown(classifier, PROBABILITIES, kind, "float32")
        reverse_channels(classifier)

        path = once(classifier, replace(interface(PROBABILITIES, *LABELS), pixel_format=BGR), kind, "float32")

        assert spec_of(path).description.input[0].type.imageType.colorSpace == BGR_SPACE
        np.testing.assert_allclose(open_model(path)(image)["loss"], before["loss"], atol=1e-5)

    def test_leaves_the_graph_as_it_is(
        self, kind: Any, classifier: onnx.ModelProto, interface: Callable[..., Any], tmp_path: Path
    ) -> None:
        before = classifier.SerializeToString(deterministic=True)

        path = tmp_path / f"model{SUFFIXES[kind]}"
        write(classifier, interface(PROBABILITIES, *LABELS), path, kind=kind, precision="float32")

        assert classifier.SerializeToString(deterministic=True) == before

    @pytest.mark.parametrize("precision", ["float32", "float16"])
    def test_is_the_same_file_each_time(
        self, kind: Any, precision: Any, classifier: onnx.ModelProto, interface: Callable[..., Any], written: Write
    ) -> None:
        first = written(classifier, interface(PROBABILITIES, *LABELS), kind, precision)
        second = first.with_stem("second")

        write(classifier, interface(PROBABILITIES, *LABELS), second, kind=kind, precision=precision)

        assert content(second) == content(first)

    def test_says_nothing_while_it_is_written(
        self,
        kind: Any,
        classifier: onnx.ModelProto,
        interface: Callable[..., Any],
        tmp_path: Path,
        capfd: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        path = tmp_path / f"quiet{SUFFIXES[kind]}"

        write(classifier, interface(PROBABILITIES, *LABELS), path, kind=kind, precision="float16")
        open_model(path)

        assert capfd.readouterr() == ("", "")
        assert caplog.records == []


class TestLabels:
    def test_stand_in_their_order_in_a_network(
        self, classifier: onnx.ModelProto, interface: Callable[..., Any], written: Write
    ) -> None:
        spec = spec_of(written(classifier, interface(PROBABILITIES, *LABELS), "neuralnetwork"))

        assert tuple(spec.neuralNetworkClassifier.stringClassLabels.vector) == LABELS
        assert spec.neuralNetworkClassifier.labelProbabilityLayerName == "loss"

    def test_stand_in_their_order_in_a_program(
        self, classifier: onnx.ModelProto, interface: Callable[..., Any], written: Write
    ) -> None:
        spec, weights = package.load(written(classifier, interface(PROBABILITIES, *LABELS), "mlprogram"))

        operations = mil_evaluate.load(spec, weights).functions["main"].operations
        (classify,) = (each for each in operations if each.op_type == "classify")
        assert tuple(classify.inputs["classes"].val) == LABELS


class TestPackage:
    def test_is_read_by_coremltools(
        self, classifier: onnx.ModelProto, interface: Callable[..., Any], written: Write
    ) -> None:
        path = written(classifier, interface(PROBABILITIES, *LABELS), "mlprogram")

        with quiet() as coremltools:
            read = coremltools.models.MLModel(str(path), skip_model_load=True)

        assert read.get_spec() == spec_of(path)
        assert Path(read.weights_dir) == path / "Data" / "com.apple.CoreML" / "weights"


class TestHalfPrecision:
    def test_ends_at_the_last_convolution_of_a_program(
        self, classifier: onnx.ModelProto, interface: Callable[..., Any], written: Write
    ) -> None:
        path = written(classifier, interface(PROBABILITIES, *LABELS), "mlprogram", "float16")

        operations = mil_evaluate.load(*package.load(path)).functions["main"].operations
        kinds = [
            (each.op_type, each.outputs[0].dtype.__name__)
            for each in operations
            if each.op_type not in {"const", "cast", "classify"}
        ]
        last = max(at for at, (name, _) in enumerate(kinds) if name == "conv")
        assert {kind for _, kind in kinds[: last + 1]} == {"fp16"}
        assert {kind for _, kind in kinds[last + 1 :]} == {"fp32"}

    def test_bears_squares_that_it_cannot_hold(
        self, classifier: onnx.ModelProto, shown: Show, expected: Expected
    ) -> None:
        for weight in classifier.graph.initializer:
            if weight.name in {"first", "second"}:
                weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) * 16, weight.name))

        outputs = shown(classifier, PROBABILITIES, "mlprogram", "float16")

        np.testing.assert_allclose(outputs["loss"], expected(classifier)[0], atol=1e-2)

    @pytest.mark.parametrize("kind", KINDS)
    def test_halves_the_weights(
        self, kind: str, graph: Graph, interface: Callable[..., Any], written: Write, rng: np.random.Generator
    ) -> None:
        kernel = rng.normal(size=(64, 3, 9, 9)).astype(np.float32)
        model = graph([helper.make_node("Conv", ["data", "kernel"], ["grid"])], {"kernel": kernel}, "grid")

        whole, half = (bytes_in(written(model, interface(GRID), kind, name)) for name in ("float32", "float16"))

        assert 0.49 < half / whole < 0.65

    def test_is_that_of_both_weights_and_biases_in_a_network(
        self, classifier: onnx.ModelProto, interface: Callable[..., Any], written: Write
    ) -> None:
        spec = spec_of(written(classifier, interface(PROBABILITIES, *LABELS), "neuralnetwork", "float16"))

        layers = [getattr(each, each.WhichOneof("layer")) for each in spec.neuralNetworkClassifier.layers]
        heavy = [each for each in layers if hasattr(each, "hasBias")]
        assert len(heavy) == 3
        assert all(each.weights.float16Value and each.bias.float16Value for each in heavy)
        assert not any(each.weights.floatValue or each.bias.floatValue for each in heavy)


@pytest.mark.parametrize("kind", KINDS)
class TestGrid:
    def test_is_one_array_of_a_known_shape(
        self, kind: str, graph: Graph, interface: Callable[..., Any], written: Write, rng: np.random.Generator
    ) -> None:
        kernel = rng.normal(size=(35, 3, 4, 4)).astype(np.float32)
        model = graph([helper.make_node("Conv", ["data", "kernel"], ["grid"])], {"kernel": kernel}, "grid")

        description = spec_of(written(model, interface(GRID), kind)).description

        (output,) = description.output
        assert (output.name, list(output.type.multiArrayType.shape)) == ("grid", [1, 35, 13, 13])
        assert output.type.multiArrayType.dataType == FLOAT32


@pytest.mark.parametrize("kind", KINDS)
class TestPipeline:
    def test_has_the_inputs_and_outputs_that_vision_knows(
        self, kind: str, detector: onnx.ModelProto, interface: Callable[..., Any], written: Write
    ) -> None:
        description = spec_of(written(detector, interface(DETECTED), kind)).description

        assert [(each.name, each.type.WhichOneof("Type"), each.type.isOptional) for each in description.input] == [
            ("data", "imageType", False),
            ("iouThreshold", "doubleType", True),
            ("confidenceThreshold", "doubleType", True),
        ]
        sides = {
            each.name: [(side.lowerBound, side.upperBound) for side in each.type.multiArrayType.shapeRange.sizeRanges]
            for each in description.output
        }
        assert sides == {"confidence": [(0, -1), (2, 2)], "coordinates": [(0, -1), (4, 4)]}

    def test_chooses_as_our_own_graph_does(
        self, kind: str, detector: onnx.ModelProto, interface: Callable[..., Any], written: Write
    ) -> None:
        network, choice = spec_of(written(detector, interface(DETECTED), kind)).pipeline.models

        rules = choice.nonMaximumSuppression
        assert rules.pickTop.perClass
        assert (rules.iouThreshold, rules.confidenceThreshold) == (0.5, 0.01)
        assert list(rules.stringClassLabels.vector) == ["cat", "dog"]
        assert [each.name for each in choice.description.input[:2]] == [
            each.name for each in network.description.output
        ]

    def test_is_the_same_file_each_time(
        self, kind: Any, detector: onnx.ModelProto, interface: Callable[..., Any], written: Write
    ) -> None:
        first = written(detector, interface(DETECTED), kind)
        second = first.with_stem("second")

        write(detector, interface(DETECTED), second, kind=kind, precision="float32")

        assert content(second) == content(first)

    def test_has_numbers_of_a_type_that_its_version_allows(
        self, kind: str, detector: onnx.ModelProto, interface: Callable[..., Any], written: Write
    ) -> None:
        spec = spec_of(written(detector, interface(DETECTED), kind))

        network, choice = spec.pipeline.models
        arrays = [*network.description.output, *choice.description.input[:2], *spec.description.output]
        types = {each.type.multiArrayType.dataType for each in arrays}
        assert types == ({FLOAT32} if spec.specificationVersion > 4 else {DOUBLE})
