"""An export for TensorFlow.js answers in Node like the service: by that library, by Microsoft's and by our sample."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image
from tests.azure.clients import programs
from tests.support import models
from tests.support.models import Trained

from foveal.exporters import interface, material, parity
from foveal.exporters.interface import BGR
from foveal.exporters.parity import CERTAIN, Photos, Predictions
from foveal.exporters.tensorflow import evaluate, files
from foveal.geometry import Box, intersection_over_union

pytestmark = pytest.mark.slow

HOME = programs.COPIES / "node"
COUNT = 2
"""Photos that Microsoft's library is asked about; without a graphics card each takes a second or two."""
APART = {"loss": 1e-4, "model_outputs": 1e-3, "detected_boxes": 1e-4, "detected_scores": 1e-4, "detected_classes": 0}
"""How far outputs of TensorFlow.js may be from what we compute with the same graph."""
APART_FROM_SERVICE = 1e-3
APART_BY_DECODERS = 0.02
PHOTO = "01.jpg"
PATIENCE_SECONDS = 240


@dataclass(frozen=True)
class Export:
    """An unpacked zip, photos in files, and what both libraries said of them."""

    folder: Path
    trained: Trained
    photos: Photos
    answers: dict[str, Any]

    @property
    def served(self) -> list[Predictions]:
        return parity.served(self.trained.bundle, self.photos)


@pytest.fixture(scope="session", params=list(models.KINDS))
def export(request: pytest.FixtureRequest, shared_folder: Path) -> Export:
    """Each kind of model is written and asked once, in however many processes the tests run."""
    written = models.exported(request.param, "tfjs", shared_folder)
    folder, trained = written.folder, written.trained
    told = folder.with_suffix(".json")
    with FileLock(f"{folder}.asked.lock"):
        if not told.exists():
            told.write_text(_ask(folder, trained, _golden(folder)))
    return Export(folder, trained, _golden(folder), json.loads(told.read_text()))


@pytest.fixture
def sample(export: Export, tmp_path: Path) -> Path:
    """The sample in its zip, with the packages that `npm install` gives it; one photo is left to check."""
    unpacked = shutil.copytree(export.folder, tmp_path / "zip")
    golden = _expected(unpacked)
    _expect(unpacked, {**golden, "photos": {PHOTO: golden["photos"][PHOTO]}})
    (unpacked / "javascript" / "node_modules").symlink_to(HOME / "node_modules")
    return unpacked / "javascript"


class TestTensorFlowJs:
    def test_computes_what_we_compute(self, export: Export) -> None:
        ours = evaluate.evaluate(files.read(export.folder), _input(export.trained, export.photos))
        told = export.answers["tensorflow"]
        assert told.keys() == ours.keys()
        for name, values in ours.items():
            near = APART[name]
            np.testing.assert_allclose(np.array(told[name]), values, rtol=near, atol=near, err_msg=name)


class TestMicrosoft:
    def test_the_copies_that_ran_are_those_meant(self, export: Export) -> None:
        wanted = _json(programs.HERE / "package.json")["devDependencies"]
        names = ("@tensorflow/tfjs", "@microsoft/customvision-tfjs")
        assert export.answers["versions"] == [wanted[name] for name in names]
        assert export.answers["copies"] == [str(HOME / "node_modules" / name) for name in (names[0], *names)]

    def test_says_what_the_service_is_certain_of(self, export: Export) -> None:
        for expected, answer in zip(export.served, export.answers["microsoft"], strict=True):
            told = _said(answer, export.trained)
            certain = [each for each in _alone(expected) if each["probability"] >= CERTAIN]
            assert certain[0]["tagName"] == told[0]["tagName"]
            for each in certain:
                assert min(_apart(each, other) for other in told) <= APART_FROM_SERVICE


class TestSample:
    def test_asks_for_the_packages_that_it_is_tested_with(self) -> None:
        asked = _json(material.FOLDER / "samples" / "javascript" / "package.json")["dependencies"]
        assert asked.items() <= _json(programs.HERE / "package.json")["devDependencies"].items()

    def test_tells_the_best_answer_first(self, export: Export, sample: Path) -> None:
        Image.fromarray(export.photos.pixels[0]).save(sample / "photo.png")
        ended = _node("predict.mjs", "..", "photo.png", cwd=sample)
        assert ended.returncode == 0, ended.stderr
        probability, tag, *place = ended.stdout.splitlines()[0].split("  ")
        box = _corners(json.loads(place[0])) if place else None
        told = {"tagName": tag, "probability": float(probability), "boundingBox": box}
        assert _apart(export.served[0][0], told) <= APART_FROM_SERVICE

    def test_checks_that_the_model_answers_like_the_service(self, sample: Path) -> None:
        ended = _node("check.mjs", cwd=sample)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert f"ok   {PHOTO}" in ended.stdout

    @pytest.mark.parametrize("export", ["multiclass compact", "detection general"], indirect=True)
    def test_the_check_tells_of_another_answer(self, sample: Path) -> None:
        golden = _expected(sample.parent)
        first, *others = golden["photos"][PHOTO]
        changed = {**first, "probability": first["probability"] - 2 * APART_BY_DECODERS}
        _expect(sample.parent, {**golden, "photos": {PHOTO: [changed, *others]}})
        ended = _node("check.mjs", cwd=sample)
        assert ended.returncode == 1, ended.stdout + ended.stderr
        assert f"FAIL {PHOTO}" in ended.stdout


def _golden(folder: Path) -> Photos:
    """The first photos that travel with an export."""
    contents = [path.read_bytes() for path in sorted((folder / "golden").glob("*.jpg"))[:COUNT]]
    return Photos(contents, np.stack([np.asarray(Image.open(BytesIO(each))) for each in contents]), "golden")


def _input(trained: Trained, photos: Photos) -> NDArray[np.float32]:
    """What Python feeds the model with for the first photo."""
    turned = interface.of(trained.bundle).pixel_format == BGR
    first = photos.pixels[:1]
    return np.ascontiguousarray(first[..., ::-1] if turned else first, np.float32)


def _ask(folder: Path, trained: Trained, photos: Photos) -> str:
    """Run both libraries; give their answers as JSON."""
    prepared, pictures = folder.with_suffix(".input"), folder.with_suffix(".pictures")
    prepared.write_bytes(_input(trained, photos).tobytes())
    opaque = np.full((*photos.pixels.shape[:3], 1), 255, np.uint8)
    pictures.write_bytes(np.concatenate([photos.pixels, opaque], 3).tobytes())
    finds_boxes = interface.of(trained.bundle).finds_boxes
    errand = {
        "home": str(HOME),
        "model": str(folder),
        "input": str(prepared),
        "pictures": str(pictures),
        "shape": photos.pixels.shape[:3],
        "task": "ObjectDetectionModel" if finds_boxes else "ClassificationModel",
    }
    ended = _node(str(programs.HERE / "tfjs.mjs"), json.dumps(errand), cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()[-1]


def _node(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    for path in (programs.NODE, HOME / "node_modules"):
        if not path.exists():
            pytest.fail(f"{path} is missing: `make setup-dev` installs it.", pytrace=False)
    return subprocess.run(
        [str(programs.NODE), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def _said(answer: Any, trained: Trained) -> Predictions:
    """An answer of Microsoft's library as predictions, the most probable first."""
    labels = trained.bundle.labels
    if interface.of(trained.bundle).finds_boxes:
        rows = [(labels[tag], score, _corners(box)) for box, score, tag in zip(*answer, strict=True)]
    else:
        rows = [(label, score, None) for label, score in zip(labels, answer[0], strict=True)]
    told = [{"tagName": tag, "probability": score, "boundingBox": box} for tag, score, box in rows]
    return sorted(told, key=lambda each: -each["probability"])


def _alone(expected: Predictions) -> Predictions:
    """Without boxes on which a more probable one lies: that library keeps one of them, whatever their tags."""
    kept = Predictions()
    for each in expected:
        if each["boundingBox"] is None or all(_overlap(each, other) <= parity.SAME_OBJECT for other in kept):
            kept.append(each)
    return kept


def _overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    return intersection_over_union(Box(**one["boundingBox"]), Box(**other["boundingBox"]))


def _apart(expected: Mapping[str, Any], told: Mapping[str, Any]) -> float:
    """How far an answer is from one of the service, 1 where it names another tag."""
    if expected["tagName"] != told["tagName"]:
        return 1.0
    edges = [list((each["boundingBox"] or {}).values()) for each in (expected, told)]
    pairs = [(expected["probability"], told["probability"]), *zip(*edges, strict=True)]
    return max(abs(one - other) for one, other in pairs)


def _corners(box: Sequence[float]) -> dict[str, float]:
    left, top, right, bottom = box
    return {"left": left, "top": top, "width": right - left, "height": bottom - top}


def _expected(folder: Path) -> dict[str, Any]:
    return _json(folder / "golden" / "expected.json")


def _expect(folder: Path, content: dict[str, Any]) -> None:
    (folder / "golden" / "expected.json").write_text(json.dumps(content))


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())
