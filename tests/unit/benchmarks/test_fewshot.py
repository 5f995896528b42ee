"""The scoreboard, on a few drawn photos."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="the scoreboard compares with teachers in torch")

from benchmarks import fewshot
from pretrain import probe


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seven photos of each of two tags."""
    rng = np.random.default_rng(0)
    for name, colour in (("green", 1), ("red", 0)):
        (tmp_path / "set" / name).mkdir(parents=True)
        for index in range(7):
            pixels = rng.integers(0, 120, (32, 32, 3), np.uint8)
            pixels[..., colour] += 130
            Image.fromarray(pixels).save(tmp_path / "set" / name / f"{index}.png")
    return tmp_path / "set"


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> list[str]:
    monkeypatch.setattr(sys, "argv", ["fewshot", *map(str, words)])
    fewshot.main()
    return capsys.readouterr().out.splitlines()


class TestMain:
    def test_measures_the_backbones_of_the_package_and_pixels(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        lines = run(monkeypatch, capsys, folder, "--shots", 1, 5, "--seeds", 2)
        found = [json.loads(line) for line in lines if line.startswith("{")]
        assert {"raw 12x12 pixels", "foveal-s", "foveal-xs"} <= {each["network"] for each in found}
        assert {each["score"] for each in found if each["shots"] == 5} == {1.0}
        assert sum(line.startswith("| foveal-xs | 1.000 ± 0.000 |") for line in lines) >= 1

    def test_compares_views(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(fewshot, "networks", lambda _: [probe.pixel_network()])
        lines = run(monkeypatch, capsys, folder, "--shots", 5, "--seeds", 2, "--views")
        shown = [line.split(" | ")[0] for line in lines if line.startswith("| raw")]
        assert shown == [f"| raw 12x12 pixels, {name}" for name in fewshot.VIEWS]


class TestInterval:
    def test_is_students(self) -> None:
        assert fewshot.half_interval([0.0, 1.0]) == pytest.approx(12.7062 * 0.5, rel=1e-4)


class TestViews:
    def test_corners_are_parts_of_the_picture(self) -> None:
        image = np.zeros((1, 64, 64, 3), np.uint8)
        image[:, :32, :32] = 200
        seen = fewshot.zoomed(image, 0.5, (0.0, 0.0))
        assert seen.shape == image.shape
        assert seen[:, 4:-4, 4:-4].min() == 200
        assert fewshot.zoomed(image, 0.5, (1.0, 1.0))[:, 4:-4, 4:-4].max() == 0
