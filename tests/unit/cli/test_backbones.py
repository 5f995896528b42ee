"""`foveal backbones`, and what the other commands make of a backbone that was pulled."""

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support import hub_models
from tests.unit.cli.conftest import Command, Outcome

from foveal import imaging
from foveal.engine import backbones
from foveal.engine.features import Embedder
from foveal.inference.session import Classifier

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HALF_PRECISION = 3e-3  # of the largest number: what rounding the weights may do to an embedding
WITHOUT_TORCH = "import sys; sys.modules.update(dict.fromkeys(('torch', 'transformers', 'huggingface_hub')))"


@pytest.fixture
def pulled(foveal: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of pulled backbones, not yet made."""
    assert foveal is not None  # it clears the environment first
    monkeypatch.setenv("FOVEAL_BACKBONES", str(tmp_path / "pulled"))
    return tmp_path / "pulled"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model; tests that change it take a copy."""
    return hub_models.save(tmp_path_factory.mktemp("hub") / "model")


@pytest.fixture
def model(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "model-of-the-hub")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory, original: Path) -> Path:
    """A folder of backbones that holds dinov2-s, made once."""
    hub = pytest.importorskip("foveal.engine.hub", reason=hub_models.REASON)
    folder = tmp_path_factory.mktemp("ready")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOVEAL_BACKBONES", str(folder))
        hub.install(backbones.row("dinov2-s"), hub.Source(original, "test"), now=NOW)
    return folder


@pytest.fixture
def installed(pulled: Path, ready: Path) -> Path:
    """The file of dinov2-s in the folder of pulled backbones."""
    return shutil.copytree(ready, pulled) / "dinov2-s" / "dinov2-s.onnx"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OSError("the network is cut")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def listed(foveal: Command) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in json.loads(foveal("backbones", "list", "--json").out)}


def inputs(photos: Path) -> NDArray[np.uint8]:
    """What a network of 224 pixels sees of the photos below a folder (n, 224, 224, 3)."""
    read = (imaging.decode(path.read_bytes(), max_bytes=1 << 20) for path in sorted(photos.rglob("*.png")))
    return np.stack([imaging.model_input(picture, 224) for picture in read])


def by_transformers(folder: Path, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Class token and mean of the patch tokens (n, 768), from the saved model itself."""
    torch, transformers = (pytest.importorskip(name) for name in ("torch", "transformers"))
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    values = ((torch.from_numpy(pixels) / 255 - mean) / std).permute(0, 3, 1, 2)
    with torch.no_grad():
        found = transformers.AutoModel.from_pretrained(folder).eval()(pixel_values=values)
    registers = 4
    patches = found.last_hidden_state[:, 1 + registers :]
    assert patches.shape[1] == 16 * 16
    return torch.cat([found.pooler_output, patches.mean(dim=1)], dim=1).numpy()


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """Let every write past this size fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def is_one_line(outcome: Outcome) -> bool:
    return outcome.code == 1 and outcome.out == "" and outcome.err.count("\n") == 1


@pytest.mark.usefixtures("pulled")
class TestList:
    def test_tells_what_is_here_and_how_to_get_the_rest(self, foveal: Command) -> None:
        lines = {line.split()[0]: line for line in foveal("backbones", "list").out.splitlines()}
        assert lines["foveal-s"].endswith("yes")
        assert lines["dinov2-s"].endswith("no: foveal backbones pull dinov2-s")
        assert "768  224 x 224  Apache-2.0" in lines["dinov2-s"]

    @pytest.mark.usefixtures("no_network")
    def test_tells_a_script(self, foveal: Command) -> None:
        found = listed(foveal)
        assert {name: each["here"] for name, each in found.items()} == {
            "foveal-s": True,
            "foveal-xs": True,
            "dinov2-s": False,
            "dinov2-b": False,
        }
        assert found["dinov2-b"]["source"] == "facebook/dinov2-with-registers-base"

    def test_shows_a_pulled_one(self, foveal: Command, installed: Path) -> None:
        assert listed(foveal)["dinov2-s"]["here"]
        size = f"{installed.stat().st_size / 1e6:.1f} MB"
        assert f"{size}  yes" in foveal("backbones", "list").out


@pytest.mark.usefixtures("no_network")
class TestPull:
    def test_puts_the_file_in_place_with_a_record(self, foveal: Command, pulled: Path, original: Path) -> None:
        outcome = foveal("backbones", "pull", "dinov2-s", "--from", original)
        file = pulled / "dinov2-s" / "dinov2-s.onnx"
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out.startswith("dinov2-s is here, ")
        assert listed(foveal)["dinov2-s"]["here"]
        record = json.loads((file.parent / "backbone.json").read_text())
        assert (record["source"], record["license"], record["dimension"]) == (str(original), "Apache-2.0", 768)
        assert record["sha256"] == sha256(file.read_bytes()).hexdigest()
        assert record["weights_sha256"] == sha256((original / "model.safetensors").read_bytes()).hexdigest()
        assert record["pulled_at"].endswith("+00:00")

    def test_replaces_an_older_one_and_sweeps_after_a_killed_one(
        self, foveal: Command, installed: Path, tmp_path: Path
    ) -> None:
        before = backbones.find("dinov2-s").fingerprint
        (installed.parents[1] / ".dinov2-s-killed" / "new").mkdir(parents=True)
        assert foveal("backbones", "pull", "dinov2-s", "--from", hub_models.save(tmp_path / "newer", 1)).code == 0
        assert backbones.find("dinov2-s").fingerprint == sha256(installed.read_bytes()).hexdigest() != before
        assert [path.name for path in installed.parents[1].iterdir()] == ["dinov2-s"]

    def test_of_a_write_that_fails_nothing_is_left(self, foveal: Command, pulled: Path, model: Path) -> None:
        with largest_file(1_000_000):
            outcome = foveal("backbones", "pull", "dinov2-s", "--from", model)
        assert is_one_line(outcome)
        assert "cannot be written" in outcome.err
        assert list(pulled.iterdir()) == []
        assert not listed(foveal)["dinov2-s"]["here"]

    def test_of_a_write_that_fails_the_older_one_stays(self, foveal: Command, installed: Path, model: Path) -> None:
        before = installed.read_bytes()
        with largest_file(1_000_000):
            assert foveal("backbones", "pull", "dinov2-s", "--from", model).code == 1
        assert installed.read_bytes() == before
        assert [path.name for path in installed.parents[1].iterdir()] == ["dinov2-s"]

    def test_says_what_the_hub_lacks(self, foveal: Command, pulled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        constants = pytest.importorskip("huggingface_hub.constants")
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(pulled.parent / "cache-of-the-hub"))
        outcome = foveal("backbones", "pull", "dinov2-s")
        assert is_one_line(outcome)
        assert "facebook/dinov2-with-registers-small could not be fetched" in outcome.err
        assert "--from FOLDER" in outcome.err
        assert not pulled.exists()

    def test_says_which_extra_is_missing(
        self, foveal: Command, pulled: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setitem(sys.modules, "transformers", None)
        monkeypatch.delitem(sys.modules, "foveal.engine.hub", raising=False)
        monkeypatch.delattr("foveal.engine.hub", raising=False)
        outcome = foveal("backbones", "pull", "dinov2-s", "--from", tmp_path)
        assert is_one_line(outcome)
        assert "pip install 'foveal[hub]'" in outcome.err
        assert not pulled.exists()

    @pytest.mark.parametrize(("name", "reason"), [("foveal-s", "part of the package"), ("resnet", "known ones")])
    def test_refuses_a_name_that_is_not_to_be_pulled(self, foveal: Command, name: str, reason: str) -> None:
        outcome = foveal("backbones", "pull", name)
        assert is_one_line(outcome)
        assert reason in outcome.err


@pytest.mark.usefixtures("no_network")
class TestPulledBackbone:
    def test_embeds_as_transformers_does(
        self, foveal: Command, installed: Path, original: Path, photos: Path, tmp_path: Path
    ) -> None:
        assert installed.is_file()
        outcome = foveal("embed", photos, "--backbone", "dinov2-s", "--out", tmp_path / "vectors.npz")
        assert "18 embeddings of 768 numbers" in outcome.out
        with np.load(tmp_path / "vectors.npz") as vectors:
            found = vectors["embeddings"]
        expected = by_transformers(original, inputs(photos))
        np.testing.assert_allclose(found, expected, rtol=0, atol=HALF_PRECISION * float(np.abs(expected).max()))

    def test_trains_a_model_that_answers_as_head_and_backbone_do(
        self, foveal: Command, installed: Path, photos: Path, tmp_path: Path
    ) -> None:
        assert foveal("train", photos, "--backbone", "dinov2-s", "--out", tmp_path / "model").code == 0
        manifest = json.loads((tmp_path / "model" / "manifest.json").read_text())
        assert manifest["backbone"] == {
            "name": "dinov2-s",
            "license": "Apache-2.0",
            "fingerprint": sha256(installed.read_bytes()).hexdigest(),
        }
        pixels = inputs(photos)
        features = Embedder(backbones.find("dinov2-s"), threads=1).embed(pixels)
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        with np.load(tmp_path / "model" / "head.npz") as head:
            scores = np.exp(features @ head["weights"] + head["bias"])
        expected = scores / scores.sum(axis=1, keepdims=True)
        found = Classifier(tmp_path / "model", threads=1).probabilities(pixels)
        np.testing.assert_allclose(found, expected, atol=1e-4)

    def test_needs_neither_torch_nor_transformers(self, installed: Path, photos: Path, tmp_path: Path) -> None:
        code = f"{WITHOUT_TORCH}; from foveal.cli import main; main()"
        arguments = ["embed", str(photos), "--backbone", "dinov2-s", "--out", str(tmp_path / "vectors.npz")]
        environment = {**os.environ, "FOVEAL_BACKBONES": str(installed.parents[1])}
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, "18 embeddings" in done.stdout) == (0, True), done.stderr


@pytest.mark.usefixtures("no_network", "pulled")
class TestNotPulled:
    @pytest.mark.parametrize("command", ["embed", "train"])
    def test_names_the_command_to_run(self, foveal: Command, photos: Path, tmp_path: Path, command: str) -> None:
        outcome = foveal(command, photos, "--backbone", "dinov2-s", "--out", tmp_path / "out")
        assert is_one_line(outcome)
        assert outcome.err.endswith("foveal backbones pull dinov2-s\n")
        assert not (tmp_path / "out").exists()


@pytest.mark.slow
class TestPullFromAHub:
    def test_fetches_converts_and_records_the_commit(self, model: Path, pulled: Path, tmp_path: Path) -> None:
        (model / "README.md").write_text("---\nlicense: apache-2.0\n---\nA model.\n")
        (model / "pytorch_model.bin").write_text("is not fetched")
        repository = "facebook/dinov2-with-registers-small"
        with hub_models.serving(model, repository) as address:
            environment = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "cache-of-the-hub")}
            done = subprocess.run(
                [sys.executable, "-m", "foveal", "backbones", "pull", "dinov2-s"],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
        assert done.returncode == 0, done.stderr
        record = json.loads((pulled / "dinov2-s" / "backbone.json").read_text())
        assert (record["source"], record["revision"]) == (repository, hub_models.COMMIT)
        assert list((tmp_path / "cache-of-the-hub").rglob("*.bin")) == []
