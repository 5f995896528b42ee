"""The Docker package starts as its Dockerfile says, in an environment with its requirements and nothing else."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from azure.cognitiveservices.vision.customvision.prediction import CustomVisionPredictionClient
from msrest.authentication import ApiKeyCredentials
from PIL import Image
from tests.support import models
from tests.support.models import Exported

from foveal.exporters import parity

pytestmark = pytest.mark.slow

# What `make .venv/.peers` installs: the requirements of the package in a fresh environment.
PYTHON = Path(sys.prefix) / "peers" / "docker" / "bin" / "python"


@pytest.fixture(params=["multiclass compact", "detection general"])
def package(request: pytest.FixtureRequest, shared_folder: Path) -> Exported:
    return models.exported(request.param, "docker-linux", shared_folder)


@pytest.fixture
def address(package: Exported) -> Iterator[str]:
    """Where the server answers that the Dockerfile starts."""
    text = (package.folder / "Dockerfile").read_text(encoding="utf-8")
    command = json.loads(re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)[-1])
    command[0] = str(PYTHON)
    environment = {**os.environ, "PORT": "0", "HOST": "127.0.0.1", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=package.home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        line = next((line for line in server.stdout if "Listening on" in line), "")
        port = re.findall(r":(\d+)", line)
        assert port, f"{shlex.join(command)} did not start"
        yield f"http://127.0.0.1:{port[-1]}"
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0


def test_answers_like_the_service_through_the_sdk(address: str, package: Exported) -> None:
    trained = package.trained
    with urlopen(address, timeout=10) as answer:
        assert answer.read().startswith(b"CustomVision.ai model host harness")
    (expected,) = parity.served(trained.bundle, parity.Photos([], trained.photos[:1], ""))
    out = BytesIO()
    Image.fromarray(trained.photos[0]).save(out, "PNG")
    credentials = ApiKeyCredentials(in_headers={"Prediction-key": "any"})
    with CustomVisionPredictionClient(address, credentials) as client:
        ask: Any = client.classify_image if expected[0]["boundingBox"] is None else client.detect_image
        found = ask("00000000-0000-0000-0000-000000000000", "any", out.getvalue()).predictions
    assert found[0].tag_name == expected[0]["tagName"]
    assert found[0].probability == pytest.approx(expected[0]["probability"], abs=1e-6)
    if expected[0]["boundingBox"] is not None:
        assert found[0].bounding_box.left == pytest.approx(expected[0]["boundingBox"]["left"], abs=1e-6)
