"""TensorFlow itself runs what we write without it, in an environment of its own."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support import models
from tests.support.models import KINDS

from foveal.exporters import catalog, package

# What `make .venv/.peers` installs, where there is a TensorFlow for the machine.
PYTHON = Path(sys.prefix) / "peers" / "tensorflow" / "bin" / "python"
FORMATS = ("tensorflow", "saved-model", "tflite", "tflite-fp16")
LOADS_TFLITE = """
import json, sys
import numpy as np, tensorflow as tf
for path in sys.argv[1:]:
    interpreter = tf.lite.Interpreter(model_path=path)
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]
    interpreter.set_tensor(given["index"], np.zeros(given["shape"], np.float32))
    interpreter.invoke()
    print(json.dumps([each["name"] for each in interpreter.get_output_details()]))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="`make .venv/.peers` installed no TensorFlow"),
]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    shared, home = tmp_path_factory.getbasetemp().parent, tmp_path_factory.mktemp("tensorflow")
    written: dict[tuple[str, str], Path] = {}
    for kind in KINDS:
        trained = models.made(kind, shared)
        for name in FORMATS:
            folder = written[kind, name] = home / f"{kind}-{name}".replace(" ", "-")
            folder.mkdir()
            about = package.About("local", datetime(2026, 1, 1, tzinfo=UTC))
            package.write(catalog.named(name), trained.bundle, trained.photos, folder, about, source="photos")
    return written


def run(*arguments: str) -> str:
    """Run Python with TensorFlow; give what it printed."""
    ended = subprocess.run(
        [str(PYTHON), "-W", "ignore", *arguments], capture_output=True, text=True, check=False, timeout=300
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["tensorflow", "saved-model"])
def test_the_check_in_the_zip_passes_with_tensorflow(
    exports: dict[tuple[str, str], Path], kind: str, name: str
) -> None:
    told = run(str(exports[kind, name] / "python" / "check.py"))
    assert told.count("ok  ") == 16
    assert "This model answers as the service does." in told


def test_its_lite_interpreter_takes_the_files(exports: dict[tuple[str, str], Path]) -> None:
    files = {key: folder / "model.tflite" for key, folder in exports.items() if key[1].startswith("tflite")}
    told = [json.loads(line) for line in run("-c", LOADS_TFLITE, *map(str, files.values())).splitlines()]
    wanted = {
        "multiclass compact": {"loss"},
        "multilabel general": {"loss"},
        "detection compact": {"model_outputs"},
        "detection general": {"detected_boxes", "detected_classes", "detected_scores"},
    }
    assert [set(names) for names in told] == [wanted[kind] for kind, _ in files]
