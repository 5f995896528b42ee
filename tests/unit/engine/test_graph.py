import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from foveal.engine import backbones, graph, heads, unknown
from foveal.engine.features import Embedder
from foveal.errors import Invalid

BACKBONE = backbones.find()
LABELS = ["Äpfel", "birds", "cats"]


def head(*, exclusive: bool) -> heads.Head:
    rng = np.random.default_rng(0)
    weights = rng.normal(0, 5, (BACKBONE.dimension, 3)).astype(np.float32)
    return heads.Head(weights, np.array([0.1, 0, -0.1], np.float32), exclusive)


def run(model: bytes, images: NDArray[np.uint8], output: str = "probabilities") -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    tensor = np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32)
    return np.asarray(session.run([output], {"image": tensor})[0])


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
        found = run(graph.classifier_graph(BACKBONE.path, chosen, LABELS), images)
        np.testing.assert_allclose(found, expected, atol=1e-5)

    def test_tells_pixel_format_and_labels(self) -> None:
        model = onnx.load_from_string(graph.classifier_graph(BACKBONE.path, head(exclusive=True), LABELS))
        told = {entry.key: entry.value for entry in model.metadata_props}
        assert told["Image.BitmapPixelFormat"] == "Rgb8"
        assert told["Image.NominalPixelRange"] == "NominalRange_0_255"
        assert told["Image.ColorSpaceGamma"] == "SRGB"
        assert json.loads(told[graph.LABELS]) == LABELS
        assert model.opset_import[0].version <= 17

    def test_is_the_same_for_the_same_parts(self) -> None:
        first, second = (graph.classifier_graph(BACKBONE.path, head(exclusive=True), LABELS) for _ in range(2))
        assert first == second

    def test_refuses_labels_that_do_not_fit(self) -> None:
        with pytest.raises(Invalid, match="does not fit"):
            graph.classifier_graph(BACKBONE.path, head(exclusive=True), ["one"])


def strangeness(embeddings: NDArray[np.float32]) -> unknown.Unknown:
    """A score that is neither 0 nor 1 for these."""
    rng = np.random.default_rng(2)
    vectors = np.vstack([embeddings + rng.normal(0, 0.05 * embeddings.std(), embeddings.shape) for _ in range(12)])
    made = unknown.fit(vectors.astype(np.float32), seed=0)
    return replace(made, steepness=made.steepness / 20)


class TestUnknown:
    @pytest.mark.parametrize("exclusive", [True, False])
    def test_is_a_second_output_and_gives_what_numpy_gives(self, images: NDArray[np.uint8], *, exclusive: bool) -> None:
        embeddings = Embedder(BACKBONE, threads=1).embed(images)
        chosen, strange = head(exclusive=exclusive), strangeness(embeddings)
        made = graph.classifier_graph(BACKBONE.path, chosen, LABELS, unknown=strange)
        found = run(made, images, graph.UNKNOWN)
        assert found.shape == (3, 1)
        assert 0.001 < found.min() < found.max() < 0.999
        np.testing.assert_allclose(found[:, 0], strange.scores(embeddings), atol=2e-3)
        np.testing.assert_allclose(run(made, images), chosen.probabilities(embeddings), atol=1e-5)

    @pytest.mark.parametrize("negative", [0, 2])
    def test_the_negative_tag_gains_what_is_unknown(self, images: NDArray[np.uint8], negative: int) -> None:
        embeddings = Embedder(BACKBONE, threads=1).embed(images)
        chosen, strange = head(exclusive=True), strangeness(embeddings)
        made = graph.classifier_graph(BACKBONE.path, chosen, LABELS, unknown=strange, negative=negative)
        expected = unknown.shared(chosen.probabilities(embeddings), strange.scores(embeddings), negative)
        np.testing.assert_allclose(run(made, images), expected, atol=2e-3)
        assert [output.name for output in onnx.load_from_string(made).graph.output] == ["probabilities", "unknown"]

    def test_the_probabilities_are_the_first_output(self) -> None:
        made = graph.classifier_graph(BACKBONE.path, head(exclusive=True), LABELS)
        assert [output.name for output in onnx.load_from_string(made).graph.output] == ["probabilities"]


class TestEmbeddingPart:
    def test_is_the_network_that_went_in(self, images: NDArray[np.uint8], tmp_path: Path) -> None:
        embeddings = Embedder(BACKBONE, threads=1).embed(images)
        path = tmp_path / "model.onnx"
        path.write_bytes(
            graph.classifier_graph(
                BACKBONE.path, head(exclusive=True), LABELS, unknown=strangeness(embeddings), negative=1
            )
        )
        part = graph.embedding_part(path)
        np.testing.assert_allclose(run(part, images, "embedding"), embeddings, atol=1e-4)
        model = onnx.load_from_string(part)
        assert [output.name for output in model.graph.output] == ["embedding"]
        assert not {weight.name for weight in model.graph.initializer} & {"head_weights", "unknown_basis", "negative"}

    def test_can_stand_under_another_head(self, images: NDArray[np.uint8], tmp_path: Path) -> None:
        path = tmp_path / "model.onnx"
        path.write_bytes(graph.classifier_graph(BACKBONE.path, head(exclusive=False), LABELS))
        again = graph.classifier_graph(graph.embedding_part(path), head(exclusive=True), LABELS)
        expected = run(graph.classifier_graph(BACKBONE.path, head(exclusive=True), LABELS), images)
        np.testing.assert_allclose(run(again, images), expected, atol=1e-5)


class TestWidened:
    def test_computes_the_same_without_casts(self, images: NDArray[np.uint8]) -> None:
        small = graph.classifier_graph(BACKBONE.path, head(exclusive=True), LABELS)
        wide = graph.widened(small)
        assert "Cast" not in {node.op_type for node in onnx.load_from_string(wide).graph.node}
        np.testing.assert_allclose(run(wide, images), run(small, images), atol=1e-5)
