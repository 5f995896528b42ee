import json

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from foveal.engine import backbones, graph, heads
from foveal.engine.features import Embedder
from foveal.errors import Invalid

BACKBONE = backbones.find()
LABELS = ["Äpfel", "birds", "cats"]


def head(*, exclusive: bool) -> heads.Head:
    rng = np.random.default_rng(0)
    weights = rng.normal(0, 5, (BACKBONE.dimension, 3)).astype(np.float32)
    return heads.Head(weights, np.array([0.1, 0, -0.1], np.float32), exclusive)


def run(model: bytes, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    tensor = np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32)
    return np.asarray(session.run(["probabilities"], {"image": tensor})[0])


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    size = BACKBONE.size_px
    made = np.random.default_rng(1).integers(0, 256, (3, size, size, 3), np.uint8)
    made[0] = 0
    return made


class TestClassifierGraph:
    @pytest.mark.parametrize("exclusive", [True, False])
    def test_gives_what_embedder_and_head_give(self, images: NDArray[np.uint8], *, exclusive: bool) -> None:
        chosen = head(exclusive=exclusive)
        expected = chosen.probabilities(Embedder(BACKBONE, threads=1).embed(images))
        found = run(graph.classifier_graph(BACKBONE, chosen, LABELS), images)
        np.testing.assert_allclose(found, expected, atol=1e-5)

    def test_tells_pixel_format_and_labels(self) -> None:
        model = onnx.load_from_string(graph.classifier_graph(BACKBONE, head(exclusive=True), LABELS))
        told = {entry.key: entry.value for entry in model.metadata_props}
        assert told["Image.BitmapPixelFormat"] == "Rgb8"
        assert told["Image.NominalPixelRange"] == "NominalRange_0_255"
        assert told["Image.ColorSpaceGamma"] == "SRGB"
        assert json.loads(told[graph.LABELS]) == LABELS
        assert model.opset_import[0].version <= 17

    def test_is_the_same_for_the_same_parts(self) -> None:
        first, second = (graph.classifier_graph(BACKBONE, head(exclusive=True), LABELS) for _ in range(2))
        assert first == second

    def test_refuses_labels_that_do_not_fit(self) -> None:
        with pytest.raises(Invalid, match="does not fit"):
            graph.classifier_graph(BACKBONE, head(exclusive=True), ["one"])


class TestWidened:
    def test_computes_the_same_without_casts(self, images: NDArray[np.uint8]) -> None:
        small = graph.classifier_graph(BACKBONE, head(exclusive=True), LABELS)
        wide = graph.widened(small)
        assert "Cast" not in {node.op_type for node in onnx.load_from_string(wide).graph.node}
        np.testing.assert_allclose(run(wide, images), run(small, images), atol=1e-5)
