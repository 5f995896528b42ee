"""Detectors through the API, from boxes to exports; trained for a few steps only, so that little is found."""

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from tests.support.flows import DETECTION, entry, make_project, make_tag, train, upload
from tests.support.pictures import COLOURS

from foveal.engine.detection import recipes
from foveal.settings import Settings

PER_TAG = 15
SIDE = 96
COMPACT = "a27d5ca5-bb19-49d8-a70a-fec086c47f5b"

pytestmark = pytest.mark.slow


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database will do: what is stored differs in nothing from a classifier's but its bytes."""
    return sqlite_url


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "STEPS", 1)


@pytest.fixture
def project(api: Any) -> str:
    return filled(api, DETECTION)


def filled(api: Any, domain: str, name: str = "shapes", first: int = 0) -> str:
    """A project with a square on each of fifteen pictures for a tag, and one picture without any."""
    project = make_project(api, name, domainId=domain)
    tags = {colour: make_tag(api, project, colour) for colour in ("red", "blue")}
    for colour, tag in tags.items():
        assert upload(api, project, *(drawn(first + at, colour, tag) for at in range(PER_TAG))).status_code == 200
    assert upload(api, project, {**drawn(99, "red", ""), "regions": []}).status_code == 200
    return project


def drawn(seed: int, colour: str, tag: str) -> Mapping[str, Any]:
    rng = np.random.default_rng((seed, len(colour)))
    pixels = rng.integers(90, 160, (SIDE, SIDE, 3), np.uint8)
    left, top = rng.integers(4, SIDE // 2, 2).tolist()
    pixels[top : top + SIDE // 3, left : left + SIDE // 3] = COLOURS[colour]
    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    place = {"left": left / SIDE, "top": top / SIDE, "width": 1 / 3, "height": 1 / 3}
    return {**entry(f"{colour}{seed}", out.getvalue()), "regions": [{"tagId": tag, **place}]}


def own(api: Any, path: str, **query: Any) -> Any:
    return api.client.get("/api/v1" + path, params=query, headers={"Training-Key": api.training_key})


class TestQuick:
    def test_goes_all_the_way(self, api: Any, work: Any, project: str) -> None:
        iteration = train(api, work, project)
        assert iteration["status"] == "Completed", iteration["trainingErrorDetails"]
        path = f"/projects/{project}/iterations/{iteration['id']}"
        found = api.ok("GET", f"{path}/performance", params={"threshold": 0.0, "overlapThreshold": 0.5})
        assert [tag["name"] for tag in found["perTagPerformance"]] == ["red", "blue"]
        assert 0 <= found["averagePrecision"] <= 1
        judged = api.ok("GET", f"{path}/performance/images", params={"take": 100})
        assert len(judged) == 2 * PER_TAG  # the picture without a box tells nothing
        assert all(len(image["regions"]) == 1 for image in judged)
        self.check_evaluation(api, path)
        self.check_export(api, work, path)

    def check_evaluation(self, api: Any, path: str) -> None:
        told = own(api, f"{path}/evaluation", overlap=0.3).json()
        assert told["images"] == 2 * PER_TAG
        assert told["confusion"] is None
        for name in ("label-errors", "learning-curve"):
            refused = own(api, f"{path}/{name}")
            assert (refused.status_code, refused.json()["code"]) == (400, "BadRequestNotSupported")

    def check_export(self, api: Any, work: Any, path: str) -> None:
        api.ok("POST", f"{path}/export", params={"platform": "ONNX"})
        work()
        (export,) = api.ok("GET", f"{path}/export")
        archive = ZipFile(BytesIO(api.client.get(export["downloadUri"]).content))
        assert archive.read("labels.txt").decode().split() == ["red", "blue"]
        session = onnxruntime.InferenceSession(archive.read("model.onnx"))
        assert [each.name for each in session.get_outputs()] == [
            "detected_boxes",
            "detected_classes",
            "detected_scores",
        ]
        size = session.get_inputs()[0].shape[2]
        boxes, classes, scores = session.run(None, {"image_tensor": np.zeros((1, 3, size, size), np.float32)})
        assert boxes.shape[1:] == (len(scores[0]), 4)
        assert classes.shape == scores.shape

    def test_the_compact_domain_makes_a_small_model(self, api: Any, work: Any, settings: Settings) -> None:
        project = filled(api, COMPACT)
        iteration = train(api, work, project)
        assert iteration["status"] == "Completed", iteration["trainingErrorDetails"]
        (model,) = settings.data.rglob("model.onnx")
        assert model.stat().st_size < 10e6

    def test_boxes_of_an_earlier_iteration_teach_as_well(
        self, api: Any, work: Any, project: str, settings: Settings
    ) -> None:
        earlier = train(api, work, project)["id"]
        other = filled(api, DETECTION, "more shapes", first=1000)
        named = {"customBaseModelInfo": {"projectId": project, "iterationId": earlier}}
        begun = api.ok("POST", f"/projects/{other}/train", json=named)["id"]
        assert work() == 1
        ended = api.ok("GET", f"/projects/{other}/iterations/{begun}")
        assert ended["status"] == "Completed", ended["trainingErrorDetails"]
        told = [json.loads(path.read_text())["metrics"] for path in settings.data.rglob("manifest.json")]
        assert sorted(each["borrowed_images"] for each in told) == [0, 2 * PER_TAG]
        judged = api.ok("GET", f"/projects/{other}/iterations/{begun}/performance/images", params={"take": 100})
        assert len(judged) == 2 * PER_TAG  # its own ones


class TestAdvanced:
    def test_compares_ways_and_tells_which_is_best(self, api: Any, work: Any, project: str, settings: Settings) -> None:
        iteration = train(api, work, project, trainingType="Advanced", reservedBudgetInHours="1")
        assert iteration["status"] == "Completed", iteration["trainingErrorDetails"]
        (manifest,) = settings.data.rglob("manifest.json")
        metrics = json.loads(manifest.read_text())["metrics"]
        folds = {row["name"]: row["folds"] for row in metrics["candidates"]}
        assert folds["quick"] == 3
        assert sorted(folds.values()) == [1, 1, 2, 3, 3, 3]
        assert metrics["chosen"] in folds
