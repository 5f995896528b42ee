"""Reading files back: what is rounded, chosen and refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper

from foveal.errors import Invalid
from foveal.exporters import kernels
from foveal.exporters.coreml import package
from foveal.exporters.coreml.evaluate import open_model
from foveal.exporters.interface import DETECTED, GRID, PROBABILITIES

KINDS = ["mlprogram", "neuralnetwork"]
LABELS = ("dog", "cat", "bird")
MODEL, WEIGHTS = Path("Data/com.apple.CoreML/model.mlmodel"), Path("Data/com.apple.CoreML/weights/weight.bin")
Write = Callable[..., Path]


def rewritten(path: Path, spec: Any) -> None:
    file = path / MODEL if path.is_dir() else path
    file.write_bytes(spec.SerializeToString())


@pytest.fixture
def convolution(graph: Callable[..., onnx.ModelProto], rng: np.random.Generator) -> onnx.ModelProto:
    kernel = rng.normal(size=(4, 3, 3, 3)).astype(np.float32)
    nodes = [helper.make_node("Conv", ["data", "kernel"], ["map"]), helper.make_node("Relu", ["map"], ["grid"])]
    return graph(nodes, {"kernel": kernel}, "grid")


class TestPrecision:
    def test_of_a_half_precise_operation_is_that(
        self,
        convolution: onnx.ModelProto,
        interface: Callable[..., Any],
        written: Write,
        image: NDArray[np.float32],
    ) -> None:
        half, single = (
            open_model(written(convolution, interface(GRID), "mlprogram", precision))(image)["grid"]
            for precision in ("float16", "float32")
        )

        np.testing.assert_array_equal(half, half.astype(np.float16))
        assert not np.array_equal(half, single)
        np.testing.assert_allclose(half, single, rtol=2e-3, atol=1)


@pytest.mark.parametrize("kind", KINDS)
class TestChoice:
    def test_is_that_of_each_tag_by_itself(
        self,
        kind: str,
        detector: onnx.ModelProto,
        interface: Callable[..., Any],
        written: Write,
        expected: Callable[..., list[NDArray[Any]]],
        image: NDArray[np.float32],
    ) -> None:
        boxes, scores = (each[0] for each in expected(detector))
        wanted = [
            (float(scores[tag, at]), tag, boxes[at])
            for tag in range(2)
            for at in kernels.non_maximum_suppression(boxes, scores[tag], most=64, overlap=0.5, faintest=0.01)
        ]
        wanted.sort(key=lambda each: -each[0])

        outputs = open_model(written(detector, interface(DETECTED), kind))(image)

        confidence, middles, sides = outputs["confidence"], *np.split(outputs["coordinates"], 2, 1)
        assert len(confidence) == len(wanted) < 2 * 64
        assert (np.count_nonzero(confidence, 1) == 1).all()
        np.testing.assert_allclose(confidence.max(1), [each[0] for each in wanted], atol=1e-5)
        assert confidence.argmax(1).tolist() == [each[1] for each in wanted]
        corners = np.concatenate([middles - sides / 2, middles + sides / 2], 1)
        np.testing.assert_allclose(corners, [each[2] for each in wanted], atol=1e-5)

    def test_follows_the_thresholds_in_the_file(
        self,
        kind: str,
        detector: onnx.ModelProto,
        interface: Callable[..., Any],
        written: Write,
        image: NDArray[np.float32],
    ) -> None:
        path = written(detector, interface(DETECTED), kind)
        before = open_model(path)(image)["confidence"]
        spec, _ = package.load(path)
        spec.pipeline.models[1].nonMaximumSuppression.confidenceThreshold = 0.6
        rewritten(path, spec)

        after = open_model(path)(image)["confidence"]

        np.testing.assert_array_equal(after, before[before.max(1) > 0.6])
        assert 0 < len(after) < len(before)

    def test_of_no_tag_in_particular_suppresses_across_tags(
        self,
        kind: str,
        detector: onnx.ModelProto,
        interface: Callable[..., Any],
        written: Write,
        image: NDArray[np.float32],
    ) -> None:
        path = written(detector, interface(DETECTED), kind)
        before = open_model(path)(image)["coordinates"]
        spec, _ = package.load(path)
        spec.pipeline.models[1].nonMaximumSuppression.pickTop.perClass = False
        rewritten(path, spec)

        after = open_model(path)(image)["coordinates"]

        assert len(np.unique(after, axis=0)) == len(after) < len(before)


@pytest.mark.parametrize("kind", KINDS)
class TestDamage:
    @pytest.fixture
    def path(self, kind: str, classifier: onnx.ModelProto, interface: Callable[..., Any], written: Write) -> Path:
        return written(classifier, interface(PROBABILITIES, *LABELS), kind)

    def test_of_the_specification_is_named(self, path: Path) -> None:
        file = path / MODEL if path.is_dir() else path
        file.write_bytes(file.read_bytes()[:-20])

        with pytest.raises(Invalid, match="is no Core ML model"):
            open_model(path)

    def test_that_left_nothing_is_named(self, path: Path) -> None:
        (path / MODEL if path.is_dir() else path).write_bytes(b"")

        with pytest.raises(Invalid, match="it is empty"):
            open_model(path)

    def test_that_took_a_label_is_named(self, kind: str, path: Path, image: NDArray[np.float32]) -> None:
        spec, _ = package.load(path)
        if kind == "mlprogram":
            (block,) = spec.mlProgram.functions["main"].block_specializations.values()
            (labels,) = block.operations[-1].inputs["classes"].arguments
            del labels.value.immediateValue.list.values[-1]
        else:
            del spec.neuralNetworkClassifier.stringClassLabels.vector[-1]
        rewritten(path, spec)

        with pytest.raises(Invalid):
            open_model(path)(image)

    def test_by_another_kind_of_model_is_named(self, path: Path) -> None:
        spec, _ = package.load(path)
        spec.identity.SetInParent()
        rewritten(path, spec)

        with pytest.raises(Invalid, match="of the type identity"):
            open_model(path)

    def test_is_not_looked_for_in_images_of_other_sizes(self, path: Path) -> None:
        with pytest.raises(Invalid, match="takes an image of 16x16"):
            open_model(path)(np.zeros((1, 3, 8, 8), np.float32))


class TestDamagedPackage:
    @pytest.fixture
    def path(self, classifier: onnx.ModelProto, interface: Callable[..., Any], written: Write) -> Path:
        return written(classifier, interface(PROBABILITIES, *LABELS), "mlprogram")

    def test_without_its_list(self, path: Path) -> None:
        (path / "Manifest.json").unlink()

        with pytest.raises(Invalid, match=r"its Manifest\.json cannot be read"):
            open_model(path)

    def test_whose_list_names_nothing(self, path: Path) -> None:
        (path / "Manifest.json").write_text(json.dumps({"itemInfoEntries": {}, "rootModelIdentifier": "A"}))

        with pytest.raises(Invalid, match=r"its Manifest\.json cannot be read"):
            open_model(path)

    @pytest.mark.parametrize("kept", [0, 100, 400])
    def test_whose_weights_end_early(self, path: Path, kept: int) -> None:
        (path / WEIGHTS).write_bytes((path / WEIGHTS).read_bytes()[:kept])

        with pytest.raises(Invalid, match="The ML program cannot be read"):
            open_model(path)

    def test_without_weights(self, path: Path) -> None:
        (path / WEIGHTS).unlink()

        with pytest.raises(Invalid, match="The ML program cannot be read"):
            open_model(path)

    def test_that_declares_another_shape(self, path: Path, image: NDArray[np.float32]) -> None:
        spec, _ = package.load(path)
        (block,) = spec.mlProgram.functions["main"].block_specializations.values()
        (reshape,) = (each for each in block.operations if each.outputs[0].name == "embedding")
        reshape.outputs[0].type.tensorType.dimensions[1].constant.size = 5
        rewritten(path, spec)

        with pytest.raises(Invalid):
            open_model(path)(image)

    def test_with_an_operation_that_nobody_knows(self, path: Path) -> None:
        spec, _ = package.load(path)
        (block,) = spec.mlProgram.functions["main"].block_specializations.values()
        next(each for each in block.operations if each.type == "relu").type = "flourish"
        rewritten(path, spec)

        with pytest.raises(Invalid, match="The ML program cannot be read"):
            open_model(path)

    def test_with_an_operation_that_nothing_here_writes(self, path: Path, image: NDArray[np.float32]) -> None:
        spec, _ = package.load(path)
        (block,) = spec.mlProgram.functions["main"].block_specializations.values()
        next(each for each in block.operations if each.type == "relu").type = "softsign"
        rewritten(path, spec)

        with pytest.raises(Invalid, match="it has the operation softsign"):
            open_model(path)(image)


class TestDamagedNetwork:
    @pytest.fixture
    def path(self, classifier: onnx.ModelProto, interface: Callable[..., Any], written: Write) -> Path:
        return written(classifier, interface(PROBABILITIES, *LABELS), "neuralnetwork")

    def test_with_a_layer_that_nothing_here_writes(self, path: Path, image: NDArray[np.float32]) -> None:
        spec, _ = package.load(path)
        spec.neuralNetworkClassifier.layers[2].sinh.SetInParent()
        rewritten(path, spec)

        with pytest.raises(Invalid, match="it has the layer sinh"):
            open_model(path)(image)

    def test_with_too_few_weights(self, path: Path, image: NDArray[np.float32]) -> None:
        spec, _ = package.load(path)
        heavy = next(each for each in spec.neuralNetworkClassifier.layers if each.WhichOneof("layer") == "convolution")
        del heavy.convolution.weights.floatValue[-1]
        rewritten(path, spec)

        with pytest.raises(Invalid, match="is damaged: its parts do not fit together"):
            open_model(path)(image)

    def test_with_a_layer_missing(self, path: Path, image: NDArray[np.float32]) -> None:
        spec, _ = package.load(path)
        del spec.neuralNetworkClassifier.layers[3]
        rewritten(path, spec)

        with pytest.raises(Invalid, match="is damaged: its parts do not fit together"):
            open_model(path)(image)
