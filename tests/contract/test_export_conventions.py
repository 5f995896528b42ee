"""What Microsoft's public samples for exported models rely on: inputs, outputs, names, colours, ranges."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import openvino
import pytest
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from tests.support import models
from tests.support.models import Trained

from foveal.exporters import catalog, kernels, parity
from foveal.exporters.coreml import library
from foveal.exporters.tensorflow import files
from foveal.geometry import overlaps

pytestmark = pytest.mark.slow

ANCHORS = np.array([[0.573, 0.677], [1.87, 2.06], [3.34, 5.47], [7.88, 3.53], [9.77, 9.17]])
GRID = 13
CLASSIFIERS = ("multiclass compact", "multilabel general")
Export = Callable[[str, str], tuple[Path, Trained]]


@pytest.fixture
def export(shared_folder: Path) -> Export:
    """Give the folder of an export of a model's kind, and the model."""

    def give(name: str, kind: str) -> tuple[Path, Trained]:
        written = models.exported(kind, name, shared_folder)
        return written.folder, written.trained

    return give


def expected(trained: Trained) -> Any:
    """What the service says of the first photo."""
    return parity.served(trained.bundle, parity.Photos([], trained.photos[:1], ""))[0]


def probabilities(trained: Trained) -> list[float]:
    told = {each["tagName"]: each["probability"] for each in expected(trained)}
    return [told[label] for label in trained.bundle.labels]


def pixels(trained: Trained, properties: Any = None) -> NDArray[np.float32]:
    """The first photo (1, h, w, 3), in the colours and the range that the metadata tell."""
    image = trained.photos[:1].astype(np.float32)
    told = properties or {}
    image = image[..., ::-1] if told.get("Image.BitmapPixelFormat") == "Bgr8" else image
    return image if told.get("Image.NominalPixelRange") == "NominalRange_0_255" else image / np.float32(255)


def found_in(boxes: Any, classes: Any, scores: Any, trained: Trained) -> None:
    """Every box that the service is sure of is among these."""
    for each in expected(trained):
        if each["probability"] >= 0.5:
            left, top, width, height = each["boundingBox"].values()
            wanted = np.array([[left, top, left + width, top + height]])
            apart = np.abs(np.asarray(boxes) - wanted).max(1)
            at = int(apart.argmin())
            assert apart[at] < 1e-3
            assert trained.bundle.labels[int(classes[at])] == each["tagName"]
            assert scores[at] == pytest.approx(each["probability"], abs=1e-3)


def decoded(grid: NDArray[np.float32]) -> tuple[Any, Any, Any]:
    """Boxes of a grid (13, 13, 5 * (5 + k)), chosen as the samples do: from 0.01 on, overlapping by 0.45 at most."""
    slots = grid.reshape(GRID, GRID, len(ANCHORS), -1)
    cells = np.stack(np.meshgrid(np.arange(GRID), np.arange(GRID)), -1)[:, :, None]
    middles, sides = (slots[..., :2] + cells) / GRID, np.exp(slots[..., 2:4]) * ANCHORS / GRID
    boxes = np.concatenate([middles - sides / 2, middles + sides / 2], -1).reshape(-1, 4)
    scores = (kernels.softmax(slots[..., 5:]) * kernels.sigmoid(slots[..., 4:5])).reshape(len(boxes), -1)
    classes, best = scores.argmax(1), scores.max(1)
    kept: list[int] = []
    for at in np.argsort(-best)[: (best > 0.01).sum()].tolist():
        if not kept or overlaps(boxes[[at]], boxes[kept]).max() <= 0.45:
            kept.append(at)
    return boxes[kept], classes[kept], best[kept]


class TestOnnx:
    def opened(self, folder: Path) -> tuple[Any, dict[str, str]]:
        told = {each.key: each.value for each in onnx.load(folder / "model.onnx").metadata_props}
        assert {"Image.BitmapPixelFormat", "Image.NominalPixelRange"} <= set(told)
        session = onnxruntime.InferenceSession(folder / "model.onnx")
        (given,) = session.get_inputs()
        assert given.type == "tensor(float)"
        assert given.shape[1] == 3
        assert all(isinstance(side, int) for side in given.shape[2:])
        return session, told

    def run(self, session: Any, trained: Trained, told: dict[str, str]) -> dict[str, Any]:
        names = [each.name for each in session.get_outputs()]
        tensor = np.ascontiguousarray(pixels(trained, told).transpose(0, 3, 1, 2))
        return dict(zip(names, session.run(None, {session.get_inputs()[0].name: tensor}), strict=True))

    def test_a_compact_classifier_answers_with_names(self, export: Export) -> None:
        folder, trained = export("onnx", "multiclass compact")
        session, told = self.opened(folder)
        assert (session.get_inputs()[0].name, told["Image.BitmapPixelFormat"]) == ("data", "Bgr8")
        answer = self.run(session, trained, told)
        assert list(answer) == ["model_output", "classLabel", "loss"]
        assert answer["model_output"][0] == pytest.approx(probabilities(trained), abs=1e-6)
        assert answer["classLabel"].tolist() == [[expected(trained)[0]["tagName"]]]
        assert [answer["loss"][0][label] for label in trained.bundle.labels] == pytest.approx(
            probabilities(trained), abs=1e-6
        )

    def test_every_other_classifier_gives_scores_first(self, export: Export) -> None:
        folder, trained = export("onnx", "multilabel general")
        session, told = self.opened(folder)
        assert told["Image.BitmapPixelFormat"] == "Rgb8"
        (scores,) = self.run(session, trained, told).values()
        assert scores.shape == (1, len(trained.bundle.labels))
        assert scores[0] == pytest.approx(probabilities(trained), abs=1e-6)

    def test_a_compact_detector_gives_one_grid(self, export: Export) -> None:
        folder, trained = export("onnx", "detection compact")
        session, told = self.opened(folder)
        (grid,) = self.run(session, trained, told).values()
        assert grid.shape == (1, 5 * (5 + len(trained.bundle.labels)), GRID, GRID)
        found_in(*decoded(grid[0].transpose(1, 2, 0)), trained)

    @pytest.mark.parametrize("name", ["onnx", "onnx-10", "onnx-12"])
    def test_every_other_detector_gives_finished_boxes(self, export: Export, name: str) -> None:
        folder, trained = export(name, "detection general")
        session, told = self.opened(folder)
        assert session.get_inputs()[0].name == "image_tensor"
        answer = self.run(session, trained, told)
        assert set(answer) == {"detected_boxes", "detected_classes", "detected_scores"}
        assert answer["detected_classes"].dtype == np.int64
        found_in(*(answer[f"detected_{part}"][0] for part in ("boxes", "classes", "scores")), trained)

    @pytest.mark.parametrize(("name", "opset"), [("onnx", 18), ("onnx-12", 12), ("onnx-10", 10)])
    @pytest.mark.parametrize("kind", ["multiclass compact", "detection general"])
    def test_flavors_are_of_their_opset(self, export: Export, name: str, opset: int, kind: str) -> None:
        folder, _ = export(name, kind)
        model = onnx.load(folder / "model.onnx")
        assert {each.version for each in model.opset_import if not each.domain} == {opset}


class TestTensorFlow:
    @pytest.mark.parametrize(("name", "file"), [("tensorflow", "model.pb"), ("saved-model", ""), ("tfjs", "")])
    @pytest.mark.parametrize(
        ("kind", "given", "outputs"),
        [
            ("multiclass compact", "Placeholder", {"loss"}),
            ("multilabel general", "Placeholder", {"loss"}),
            ("detection compact", "Placeholder", {"model_outputs"}),
            ("detection general", "image_tensor", {"detected_boxes", "detected_classes", "detected_scores"}),
        ],
    )
    def test_one_placeholder_and_the_names_of_azure(
        self, export: Export, name: str, file: str, kind: str, given: str, outputs: set[str]
    ) -> None:
        folder, trained = export(name, kind)
        read = files.read(folder / file)
        (placeholder,) = (node for node in read.graph.node if node.op == "Placeholder")
        size = trained.bundle.manifest.preprocessing.size
        assert [dim.size for dim in placeholder.attr["shape"].shape.dim][1:] == [size, size, 3]
        assert (placeholder.name, set(read.outputs)) == (given, outputs)

    @pytest.mark.parametrize("kind", CLASSIFIERS)
    def test_a_tflite_classifier_has_one_input_and_one_output(self, export: Export, kind: str) -> None:
        folder, trained = export("tflite", kind)
        told = json.loads((folder / "metadata_properties.json").read_text(encoding="utf-8"))
        interpreter = Interpreter(str(folder / "model.tflite"))
        interpreter.allocate_tensors()
        (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
        assert given["dtype"] is np.float32
        interpreter.set_tensor(given["index"], np.ascontiguousarray(pixels(trained, told)))
        interpreter.invoke()
        assert interpreter.get_tensor(made["index"])[0] == pytest.approx(probabilities(trained), abs=1e-5)

    def test_a_tflite_detector_gives_three_outputs_without_the_batch(self, export: Export) -> None:
        folder, trained = export("tflite", "detection general")
        interpreter = Interpreter(str(folder / "model.tflite"))
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], trained.photos[:1].astype(np.float32))
        interpreter.invoke()
        made = {each["name"]: interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details()}
        assert set(made) == {"detected_boxes", "detected_classes", "detected_scores"}
        assert made["detected_boxes"].shape == (200, 4)
        found_in(*(made[f"detected_{part}"] for part in ("boxes", "classes", "scores")), trained)


class TestOpenVino:
    def run(self, folder: Path, trained: Trained) -> dict[str, Any]:
        model = openvino.Core().compile_model(folder / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        outputs = model(np.ascontiguousarray(pixels(trained).transpose(0, 3, 1, 2)))  # always RGB from 0 to 1
        return {key.any_name: value for key, value in outputs.items()}

    @pytest.mark.parametrize("kind", CLASSIFIERS)
    def test_a_classifier_has_one_output(self, export: Export, kind: str) -> None:
        folder, trained = export("openvino", kind)
        (scores,) = self.run(folder, trained).values()
        assert scores[0] == pytest.approx(probabilities(trained), abs=1e-4)

    @pytest.mark.parametrize("kind", ["detection compact", "detection general"])
    def test_a_detector_gives_finished_boxes(self, export: Export, kind: str) -> None:
        folder, trained = export("openvino", kind)
        answer = self.run(folder, trained)
        boxes, classes, scores = (answer[f"detected_{part}"][0] for part in ("boxes", "classes", "scores"))
        found_in(boxes, classes, scores, trained)

    def test_without_postprocessing_it_gives_all_boxes_and_nothing_as_the_first_class(self, export: Export) -> None:
        folder, trained = export("openvino-raw", "detection general")
        answer = self.run(folder, trained)
        boxes, scores = answer["raw_boxes"][0], answer["raw_probs"][0]
        assert scores.shape == (len(boxes), 1 + len(trained.bundle.labels))
        corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], 1)
        found_in(corners, scores[:, 1:].argmax(1), scores[:, 1:].max(1), trained)


class TestCoreML:
    def spec(self, path: Path) -> Any:
        with library.quiet() as coremltools:
            return coremltools.models.MLModel(str(path), skip_model_load=True).get_spec()

    @pytest.mark.parametrize("name", ["coreml", "coreml-package"])
    @pytest.mark.parametrize(
        ("kind", "outputs"),
        [
            ("multiclass compact", {"classLabel", "loss"}),
            ("detection compact", {"grid"}),
            ("detection general", {"confidence", "coordinates"}),
        ],
    )
    def test_one_image_of_a_fixed_size(self, export: Export, name: str, kind: str, outputs: set[str]) -> None:
        folder, trained = export(name, kind)
        described = self.spec(folder / catalog.named(name).file).description
        image = described.input[0].type.imageType
        size = trained.bundle.manifest.preprocessing.size
        assert (image.width, image.height) == (size, size)
        assert {each.name for each in described.output} == outputs
