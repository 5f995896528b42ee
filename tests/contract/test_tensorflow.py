"""TensorFlow itself runs what we write without it, in an environment of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import models
from tests.support.models import KINDS

# What `make .venv/.peers` installs, where there is a TensorFlow for the machine.
PYTHON = Path(sys.prefix) / "peers" / "tensorflow" / "bin" / "python"
CHECKS = """
import json, sys
from pathlib import Path
sys.path.insert(0, str(Path(sys.argv[1]) / "python"))
import check, predict
for folder in map(Path, sys.argv[1:]):
    print(json.dumps(check.check(folder, predict.Model(folder))))
"""
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


def run(*arguments: str) -> str:
    """Run Python with TensorFlow; give what it printed."""
    ended = subprocess.run(
        [str(PYTHON), "-W", "ignore", *arguments], capture_output=True, text=True, check=False, timeout=300
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_checks_in_the_zips_pass_with_tensorflow(shared_folder: Path) -> None:
    """All of them in one process: it takes TensorFlow several seconds to begin."""
    names = [(kind, name) for kind in KINDS for name in ("tensorflow", "saved-model")]
    folders = [str(models.exported(kind, name, shared_folder).folder) for kind, name in names]
    told = dict(zip(names, map(json.loads, run("-c", CHECKS, *folders).splitlines()), strict=True))
    assert {each: good for each, (good, _) in told.items()} == dict.fromkeys(names, True)
    assert all(sum(line.startswith("ok  ") for line in lines) == 16 for _, lines in told.values())


def test_its_lite_interpreter_takes_the_files(shared_folder: Path) -> None:
    written = [models.exported(kind, name, shared_folder) for kind in KINDS for name in ("tflite", "tflite-fp16")]
    files = [str(each.home / each.format.file) for each in written]
    told = [set(json.loads(line)) for line in run("-c", LOADS_TFLITE, *files).splitlines()]
    wanted = {
        "multiclass compact": {"loss"},
        "multilabel general": {"loss"},
        "detection compact": {"model_outputs"},
        "detection general": {"detected_boxes", "detected_classes", "detected_scores"},
    }
    assert told == [wanted[kind] for kind in KINDS for _ in range(2)]
