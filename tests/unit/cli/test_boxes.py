"""Detectors on the command line: trained on a folder with boxes, told and drawn."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.unit.cli.conftest import Command

from foveal.cli import photos
from foveal.engine.detection import recipes

COLOURS = {"red": (220, 40, 40), "blue": (40, 60, 220)}
WIDTH, HEIGHT = 120, 90


def shapes(folder: Path, count: int = 32) -> Path:
    """Photos with a red or a blue oblong on grey noise, in YOLO's format; the last two are empty."""
    rng = np.random.default_rng(0)
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    for at in range(count):
        pixels = rng.integers(90, 160, (HEIGHT, WIDTH, 3), np.uint8)
        x, y, w, h = rng.uniform((0.3, 0.3, 0.3, 0.3), (0.7, 0.7, 0.5, 0.5)).tolist()
        if at < count - 2:
            left, top = round((x - w / 2) * WIDTH), round((y - h / 2) * HEIGHT)
            pixels[top : top + round(h * HEIGHT), left : left + round(w * WIDTH)] = list(COLOURS.values())[at % 2]
            (folder / "labels" / f"{at}.txt").write_text(f"{at % 2} {x} {y} {w} {h}\n")
        Image.fromarray(pixels).save(folder / "images" / f"{at}.png")
    (folder / "data.yaml").write_text("names: [red, blue]")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shapes(tmp_path_factory.mktemp("shapes") / "set")


@pytest.fixture
def model(foveal: Command, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(recipes, "STEPS", 12)
    outcome = foveal("train", folder, "--out", tmp_path / "model", "--json")
    assert outcome.code == 0, outcome.err
    figures = json.loads(outcome.out)
    assert set(figures["tags"]) == {"red", "blue"}
    assert 0 <= figures["tags"]["red"]["average_precision"] <= 1
    return tmp_path / "model"


class TestTrain:
    @pytest.mark.slow
    def test_makes_a_detector_that_predicts_and_draws(
        self, foveal: Command, model: Path, folder: Path, tmp_path: Path
    ) -> None:
        manifest = json.loads((model / "manifest.json").read_text())
        assert manifest["classification_type"] == "ObjectDetection"
        assert (model / "labels.txt").read_text().split() == ["blue", "red"]
        photo = folder / "images" / "0.png"
        outcome = foveal("predict", model, photo, "--draw", tmp_path / "drawn", "--threshold", "0.02", "--json")
        said = json.loads(outcome.out)["predictions"]
        assert said
        assert all(row["probability"] >= 0.02 for row in said)
        assert all(0 <= row["left"] <= row["left"] + row["width"] <= 1.00001 for row in said)
        drawn = Image.open(tmp_path / "drawn" / "0.jpg")
        assert drawn.size == (WIDTH, HEIGHT)
        apart = np.abs(np.asarray(drawn, int) - np.asarray(Image.open(photo).convert("RGB"), int)).max(2)
        assert (apart > 60).mean() > 0.01
        told = foveal("predict", model, photo, "--threshold", "0.02").out
        assert told.startswith(f"{photo}: ")
        assert "% at 0." in told
        assert foveal("predict", model, photo, "--threshold", "1").out == f"{photo}: nothing from 100% on\n"

    def test_too_few_photos_of_a_tag_are_named(self, foveal: Command, tmp_path: Path) -> None:
        outcome = foveal("train", shapes(tmp_path / "few", 20))
        assert outcome.code == 1
        assert "needs 15 photos with a box of each tag; 'blue' is on 9; 'red' is on 9." in outcome.err

    def test_a_domain_of_classifiers_is_refused(self, foveal: Command, folder: Path) -> None:
        outcome = foveal("train", folder, "--domain", "food")
        assert outcome.code == 1
        assert "no ObjectDetection domain 'food': expected the id or the name of one of General, Logo" in outcome.err

    def test_a_backbone_is_refused(self, foveal: Command, folder: Path) -> None:
        assert "name a --domain, and no --backbone" in foveal("train", folder, "--backbone", "foveal-xs").err

    def test_a_missing_torch_is_told(
        self, foveal: Command, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(photos, "find_spec", lambda _: None)
        outcome = foveal("train", folder, "--out", tmp_path / "model")
        assert (outcome.code, outcome.out) == (1, "")
        assert 'pip install "foveal[train]"' in outcome.err
        assert not (tmp_path / "model").exists()


class TestPredict:
    def test_a_classifier_draws_nothing(self, foveal: Command, photos: Path, tmp_path: Path) -> None:
        assert foveal("train", photos, "--out", tmp_path / "model").code == 0
        outcome = foveal("predict", tmp_path / "model", photos / "red" / "0.png", "--draw", tmp_path / "drawn")
        assert outcome.code == 1
        assert "is a classifier" in outcome.err
        assert not (tmp_path / "drawn").exists()
