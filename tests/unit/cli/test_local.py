"""Training, predicting and embedding on folders, without a server."""

import json
import re
import socket
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image
from tests.support.pictures import picture
from tests.unit.cli.conftest import Command

from foveal.engine import backbones


@pytest.fixture
def model(foveal: Command, photos: Path, tmp_path: Path) -> Path:
    assert foveal("train", photos, "--out", tmp_path / "model").code == 0
    return tmp_path / "model"


@pytest.fixture
def unseen(tmp_path: Path) -> Path:
    path = tmp_path / "unseen.png"
    path.write_bytes(picture(999, "blue"))
    return path


class TestTrain:
    def test_writes_a_model_with_its_labels(self, model: Path) -> None:
        assert (model / "labels.txt").read_text().split() == ["blue", "green", "red"]
        assert (model / "model.onnx").is_file()
        assert json.loads((model / "manifest.json").read_text())["domain"] == "General"

    def test_prints_a_row_for_each_tag(self, foveal: Command, photos: Path) -> None:
        lines = foveal("train", photos).out.splitlines()
        assert [line.split()[:2] for line in lines[1:4]] == [["blue", "6"], ["green", "6"], ["red", "6"]]

    def test_prints_figures_for_a_script(self, foveal: Command, photos: Path) -> None:
        outcome = foveal("train", photos, "--json")
        found = json.loads(outcome.out)
        red = found["tags"]["red"]
        assert [red[name] for name in ("precision", "recall", "average_precision", "known")] == [1, 1, 1, True]
        for low, high in red["intervals"].values():
            assert 0.5 < low < high == 1
        assert 0 <= found["calibration_error"] < 0.5
        assert outcome.err == ""

    def test_prints_intervals_and_how_far_off_probabilities_are(self, foveal: Command, photos: Path) -> None:
        lines = foveal("train", photos).out.splitlines()
        assert re.fullmatch(r"red +6( +100% \(5\d%-100%\)){3}", lines[3])
        assert re.search(r"Probabilities are [\d.]+% off", lines[5])

    def test_says_where_there_are_too_few_photos_to_know(self, foveal: Command, photos: Path) -> None:
        (photos / "red" / "5.png").unlink()
        lines = foveal("train", photos).out.splitlines()
        assert lines[3].split() == ["red", "5", "too", "few", "photos", "to", "know"]
        assert json.loads(foveal("train", photos, "--json").out)["tags"]["red"]["known"] is False

    def test_tries_several_ways_where_asked(self, foveal: Command, photos: Path, tmp_path: Path) -> None:
        outcome = foveal("train", photos, "--out", tmp_path / "model", "--advanced", "5", "--json")
        assert outcome.code == 0, outcome.err
        metrics = json.loads((tmp_path / "model" / "manifest.json").read_text())["metrics"]
        assert metrics["training"] == "Advanced"
        assert metrics["chosen"] in {row["name"] for row in metrics["candidates"]}

    def test_names_copies(self, foveal: Command, photos: Path) -> None:
        drawn = Image.fromarray(np.random.default_rng(0).integers(0, 255, (6, 8, 3), np.uint8)).resize((160, 120))
        drawn.save(photos / "red" / "large.png")
        drawn.resize((150, 112)).save(photos / "red" / "small.png")
        copies = [str(photos / "red" / name) for name in ("large.png", "small.png")]
        groups = json.loads(foveal("train", photos, "--json").out)["near_duplicates"]
        assert [group for group in groups if set(copies) & set(group)] == [copies]
        assert f"Nearly the same: {', '.join(copies)}" in foveal("train", photos).out.splitlines()

    def test_too_few_photos_are_named(self, foveal: Command, photos: Path) -> None:
        for path in list((photos / "green").iterdir())[:2]:
            path.unlink()
        outcome = foveal("train", photos)
        assert outcome.code == 1
        assert "green has 4" in outcome.err

    def test_a_photo_that_cannot_be_read_is_named(self, foveal: Command, photos: Path) -> None:
        (photos / "red" / "broken.jpg").write_bytes(b"nothing")
        outcome = foveal("train", photos)
        assert outcome.code == 1
        assert "broken.jpg" in outcome.err

    def test_an_unknown_domain_is_refused(self, foveal: Command, photos: Path) -> None:
        outcome = foveal("train", photos, "--domain", "fashion")
        assert (outcome.code, outcome.err.count("\n")) == (1, 1)
        assert "'fashion'" in outcome.err


class TestPredict:
    def test_names_the_tag(self, foveal: Command, model: Path, unseen: Path) -> None:
        assert foveal("predict", model, unseen).out.startswith(f"{unseen}: blue ")

    def test_prints_a_line_of_json_for_each_photo(self, foveal: Command, model: Path, unseen: Path) -> None:
        lines = foveal("predict", model, unseen, unseen, "--json").out.splitlines()
        found = [json.loads(line) for line in lines]
        assert [each["image"] for each in found] == [str(unseen)] * 2
        assert sum(found[0]["predictions"].values()) == pytest.approx(1, abs=1e-5)
        assert [found[0]["unknown"] < 0.5, found[0]["is_unknown"]] == [True, False]

    def test_tells_what_is_unlike_the_photos(self, foveal: Command, model: Path, unseen: Path, tmp_path: Path) -> None:
        strange = Image.fromarray(np.random.default_rng(0).integers(0, 255, (6, 8, 3), np.uint8)).resize((160, 120))
        strange.save(tmp_path / "strange.png")
        known, unknown = foveal("predict", model, unseen, tmp_path / "strange.png").out.splitlines()
        assert "unknown" not in known
        assert unknown.endswith("unlike the photos that it was trained on")
        found = json.loads(foveal("predict", model, tmp_path / "strange.png", "--json").out)
        assert found["unknown"] > 0.5
        assert found["is_unknown"] is True

    def test_takes_an_exported_zip(self, foveal: Command, model: Path, unseen: Path, tmp_path: Path) -> None:
        with ZipFile(tmp_path / "export.zip", "w") as archive:
            for path in model.iterdir():
                archive.write(path, path.name)
        assert foveal("predict", tmp_path / "export.zip", unseen).out == foveal("predict", model, unseen).out

    @pytest.mark.parametrize("name", ["nowhere", "unseen.png"])
    def test_what_is_no_model_is_told(self, foveal: Command, unseen: Path, tmp_path: Path, name: str) -> None:
        outcome = foveal("predict", tmp_path / name, unseen)
        assert (outcome.code, outcome.err.count("\n")) == (1, 1)
        assert "neither the folder of a model nor an exported zip" in outcome.err

    def test_a_folder_that_holds_no_model_is_told(self, foveal: Command, photos: Path, unseen: Path) -> None:
        outcome = foveal("predict", photos, unseen)
        assert (outcome.code, outcome.err.count("\n")) == (1, 1)
        assert "no model.onnx and no labels.txt" in outcome.err

    def test_a_photo_that_is_missing_is_named(self, foveal: Command, model: Path, tmp_path: Path) -> None:
        outcome = foveal("predict", model, tmp_path / "missing.jpg")
        assert (outcome.code, outcome.err.count("\n")) == (1, 1)
        assert "missing.jpg" in outcome.err


class TestEmbed:
    def test_writes_a_vector_for_each_photo(self, foveal: Command, photos: Path, tmp_path: Path) -> None:
        assert foveal("embed", photos, "--out", tmp_path / "vectors.npz").code == 0
        with np.load(tmp_path / "vectors.npz") as found:
            assert found["embeddings"].shape == (18, backbones.find().dimension)
            assert [Path(path).name for path in found["paths"][:3]] == ["0.png", "1.png", "2.png"]

    @pytest.mark.parametrize("backbone", ["foveal-s", "foveal-xs"])
    def test_works_with_the_network_switched_off(
        self, foveal: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backbone: str
    ) -> None:
        def unreachable(*_: object, **__: object) -> None:
            raise OSError("The network is off.")

        monkeypatch.setattr(socket, "socket", unreachable)
        monkeypatch.setattr(socket, "getaddrinfo", unreachable)
        assert foveal("embed", photos, "--backbone", backbone, "--out", tmp_path / "vectors.npz").code == 0
        with np.load(tmp_path / "vectors.npz") as found:
            assert np.isfinite(found["embeddings"]).all()
            assert len(np.unique(found["embeddings"], axis=0)) == 18

    def test_no_photos_is_an_error(self, foveal: Command, tmp_path: Path) -> None:
        (tmp_path / "none").mkdir()
        outcome = foveal("embed", tmp_path / "none", "--out", tmp_path / "vectors.npz")
        assert outcome.code == 1
        assert "There are no photos" in outcome.err

    def test_an_unknown_backbone_is_refused(self, foveal: Command, photos: Path, tmp_path: Path) -> None:
        outcome = foveal("embed", photos, "--out", tmp_path / "v.npz", "--backbone", "big")
        assert (outcome.code, outcome.err.count("\n")) == (1, 1)
        assert "known ones: foveal-s" in outcome.err
