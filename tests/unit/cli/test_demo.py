"""`foveal demo`, whole."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

STEPS = ("1 Drawing", "2 Starting", "3 ", "4 Training", "5 How good", "6 Published", "7 Exported")


@pytest.mark.slow
class TestDemo:
    def test_tells_its_steps_and_leaves_the_exported_model(self, tmp_path: Path) -> None:
        command = [sys.executable, "-m", "foveal", "demo", "--per-tag", "8", "--data", str(tmp_path / "demo")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert [step for step in STEPS if step not in done.stdout] == []
        with ZipFile(tmp_path / "demo" / "inspector.onnx.zip") as archive:
            assert {"model.onnx", "labels.txt", "cvexport.manifest", "parity.json"} <= set(archive.namelist())
