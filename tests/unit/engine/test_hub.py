"""Turning a saved model into a backbone: what is taken, what is refused."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from tests.support import hub_models

pytest.importorskip("torch", reason="converting needs the extra hub")
pytest.importorskip("transformers", reason="converting needs the extra hub")

from foveal.engine import backbones, graph, heads, hub
from foveal.errors import Invalid

ROW = backbones.row("dinov2-s")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WEIGHT = "encoder.layer.1.mlp.fc1.weight"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hub_models.save(tmp_path_factory.mktemp("hub") / "model")


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "model")


@pytest.fixture(scope="module")
def converted(original: Path) -> bytes:
    return hub.converted(ROW, original)


@pytest.fixture
def pulled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("FOVEAL_BACKBONES", str(tmp_path / "pulled"))
    return tmp_path / "pulled"


def run(model: bytes, output: str, images: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.asarray(session.run([output], {"image": images})[0])


def images(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(5).uniform(0, 255, (count, 3, 224, 224)).astype(np.float32)


class TestConverted:
    def test_keeps_the_promises_of_a_backbone(self, converted: bytes) -> None:
        model = onnx.load_from_string(converted)
        image, embedding = model.graph.input[0], model.graph.output[0]
        shapes = [
            [each.dim_param or each.dim_value for each in it.type.tensor_type.shape.dim] for it in (image, embedding)
        ]
        assert (image.name, embedding.name) == ("image", "embedding")
        assert shapes == [["batch", 3, 224, 224], ["batch", 768]]
        assert [each.version for each in model.opset_import] == [17]

    def test_resizes_nothing_at_run_time(self, converted: bytes) -> None:
        assert "Resize" not in {node.op_type for node in onnx.load_from_string(converted).graph.node}

    def test_gives_an_image_the_same_embedding_in_any_company(self, converted: bytes) -> None:
        together = run(converted, "embedding", images(5))
        np.testing.assert_allclose(run(converted, "embedding", images(5)[4:]), together[4:], rtol=1e-4, atol=1e-4)

    def test_is_the_same_for_the_same_model(self, converted: bytes, original: Path) -> None:
        assert hub.converted(ROW, original) == converted

    def test_keeps_large_weights_in_half_precision(self, converted: bytes, original: Path) -> None:
        assert len(converted) < 0.6 * (original / "model.safetensors").stat().st_size

    def test_scales_pixels_as_the_preprocessor_says(self, converted: bytes, folder: Path) -> None:
        said = {"image_mean": [0, 0, 0], "image_std": [1, 1, 1], "rescale_factor": 1.0}
        (folder / "preprocessor_config.json").write_text(json.dumps(said))
        as_said = hub.converted(ROW, folder)
        mean = np.array([0.485, 0.456, 0.406], np.float32).reshape(1, 3, 1, 1)
        std = np.array([0.229, 0.224, 0.225], np.float32).reshape(1, 3, 1, 1)
        expected = run(converted, "embedding", images(2))
        np.testing.assert_allclose(run(as_said, "embedding", (images(2) / 255 - mean) / std), expected, atol=1e-3)

    def test_makes_a_classifier_that_widens(self, pulled: Path, folder: Path) -> None:
        backbone = hub.install(ROW, hub.Source(folder, "here"), now=NOW)
        assert backbone.path.is_relative_to(pulled)
        weights = np.random.default_rng(0).normal(0, 5, (768, 2)).astype(np.float32)
        small = graph.classifier_graph(
            backbone.path, heads.Head(weights, np.zeros(2, np.float32), exclusive=True), ["a", "b"]
        )
        wide = graph.widened(small)
        assert len(wide) > 1.5 * len(small)
        outputs = [run(model, "probabilities", images(2)) for model in (small, wide)]
        np.testing.assert_allclose(outputs[1], outputs[0], atol=1e-5)


class TestRefusals:
    def refused(self, folder: Path, pulled: Path) -> str:
        with pytest.raises(Invalid) as error:
            hub.install(ROW, hub.Source(folder, "here"), now=NOW)
        assert not pulled.exists()
        return str(error.value)

    def test_another_type_of_model(self, pulled: Path, tmp_path: Path) -> None:
        other = hub_models.save(tmp_path / "other", kind="Dinov2")
        assert "type 'dinov2'; dinov2-s is made from 'dinov2_with_registers'" in self.refused(other, pulled)

    def test_another_size_of_the_model(self, pulled: Path, tmp_path: Path) -> None:
        wider = hub_models.save(tmp_path / "wider", hidden_size=768, num_attention_heads=12)
        assert "hidden_size 768; dinov2-s" in self.refused(wider, pulled)

    @pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
    def test_weights_that_give_no_numbers(self, folder: Path, pulled: Path, value: float) -> None:
        hub_models.change_weights(folder, WEIGHT, value)
        assert "does not answer as the original does" in self.refused(folder, pulled)

    def test_weights_that_half_precision_cannot_hold(self, folder: Path, pulled: Path) -> None:
        hub_models.change_weights(folder, WEIGHT, 1e5)
        assert "does not answer as the original does" in self.refused(folder, pulled)

    def test_a_missing_weight(self, folder: Path, pulled: Path) -> None:
        hub_models.change_weights(folder, WEIGHT, None)
        assert f"1 weights are missing, such as {WEIGHT}" in self.refused(folder, pulled)

    def test_a_file_of_weights_that_was_cut_short(self, folder: Path, pulled: Path) -> None:
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-1000])
        assert "cannot be read as a model" in self.refused(folder, pulled)

    def test_no_file_of_weights(self, folder: Path, pulled: Path) -> None:
        (folder / "model.safetensors").unlink()
        assert "no model.safetensors" in self.refused(folder, pulled)

    @pytest.mark.parametrize("config", [None, "{", "[]"])
    def test_a_folder_that_holds_no_model(self, folder: Path, pulled: Path, config: str | None) -> None:
        (folder / "config.json").unlink()
        if config is not None:
            (folder / "config.json").write_text(config)
        assert "is not a saved model" in self.refused(folder, pulled)

    def test_another_licence_on_the_card(self, folder: Path, pulled: Path) -> None:
        (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n# A model\n")
        assert "states the licence cc-by-nc-4.0; dinov2-s is offered under Apache-2.0" in self.refused(folder, pulled)

    def test_the_licence_of_the_row_is_taken(self, folder: Path, pulled: Path) -> None:
        (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A model\n")
        hub.install(ROW, hub.Source(folder, "here"), now=NOW)
        assert (pulled / "dinov2-s" / "dinov2-s.onnx").is_file()
