"""The tables of the help for labelling, on a few drawn photos."""

import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks import labelling
from PIL import Image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Thirty photos of each of two tags."""
    rng = np.random.default_rng(0)
    for name, colour in (("green", 1), ("red", 0)):
        (tmp_path / "set" / name).mkdir(parents=True)
        for index in range(30):
            pixels = rng.integers(0, 120, (32, 32, 3), np.uint8)
            pixels[..., colour] += 130
            Image.fromarray(pixels).save(tmp_path / "set" / name / f"{index}.png")
    return tmp_path / "set"


class TestMain:
    def test_prints_a_table_for_each_kind_of_help(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        wanted = ["duplicates", "errors", "first", "next"]
        monkeypatch.setattr(sys, "argv", ["labelling", str(folder), "--draws", "1", "--only", *wanted])
        labelling.main()
        lines = capsys.readouterr().out.splitlines()
        assert any(line.startswith("| 10 % brighter | ") for line in lines)
        assert "| set | typical | 2.0 | 1.00 | 1.000 |" in lines
        assert "| set | random | 2.0 | 1.00 | 1.000 |" in lines
        [errors] = [line for line in lines if line.startswith("| set | 4 of 40 |")]
        assert errors == "| set | 4 of 40 | 1.00 | 1.00 | 1.00 |"
