"""What a client is told when the server's own things fail: its disk, its models, its luck."""

import shutil
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.support.flows import DETECTION, entry, fill, make_project, make_tag, train, upload
from tests.support.pictures import picture

from foveal.db.engine import Sessions
from foveal.db.tables import DoomedBlob
from foveal.settings import Settings


@pytest.fixture
def project(api: Any) -> str:
    project = make_project(api, classificationType="Multiclass")
    fill(api, project)
    return project


@pytest.fixture
def blobs(settings: Settings) -> Path:
    """The folder of the blobs, for breaking things in it."""
    return Path(settings.blobs)


def quick_test(api: Any, project: str, **query: str) -> Any:
    return api("POST", f"/projects/{project}/quicktest/image", params=query, files={"imageData": picture(700)})


def block(folder: Path) -> None:
    """Put a file where a folder should be: nothing can be stored there any more."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("in the way", encoding="utf-8")


def failing_graph() -> bytes:
    """A model that loads, and fails on every picture."""
    shape = numpy_helper.from_array(np.array([7, 7], np.int64), "shape")
    graph = helper.make_graph(
        [helper.make_node("Reshape", ["image", "shape"], ["probabilities"])],
        "failing",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 224, 224])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 2])],
        [shape],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()


class TestStorage:
    def test_an_upload_tells_of_each_picture_and_keeps_none(self, api: Any, blobs: Path) -> None:
        project = make_project(api)
        block(blobs / "thumbnails")
        response = upload(api, project, entry("a", picture(1)), entry("b", b"no picture"))
        assert response.status_code == 207
        assert [each["status"] for each in response.json()["images"]] == ["ErrorStorage", "ErrorImageFormat"]
        assert api.ok("GET", f"/projects/{project}/images/count") == 0

    def test_a_prediction_that_cannot_be_kept_is_no_prediction(
        self, api: Any, work: Any, project: str, blobs: Path
    ) -> None:
        train(api, work, project)
        block(blobs / "thumbnails")
        response = quick_test(api, project)
        assert (response.status_code, response.json()["code"]) == (503, "ErrorPredictionStorage")
        assert quick_test(api, project, store="false").status_code == 200

    def test_a_picture_that_is_just_being_deleted_is_to_be_sent_again(
        self, api: Any, project: str, sessions: Sessions
    ) -> None:
        with sessions.write.begin() as session:
            session.add(DoomedBlob(digest=sha256(picture(1)).hexdigest(), doomed_at=datetime.now(UTC)))
        response = upload(api, project, entry("a", picture(1)))
        assert (response.status_code, response.json()["code"]) == (409, "Conflict")

    def test_a_proposal_needs_its_picture(self, api: Any, blobs: Path) -> None:
        project = make_project(api, domainId=DETECTION)
        image = upload(api, project, entry("a", picture(1))).json()["images"][0]["image"]["id"]
        shutil.rmtree(blobs / "renditions")
        response = api("POST", f"/projects/{project}/images/{image}/regionproposals")
        assert (response.status_code, response.json()["code"]) == (503, "ErrorRegionProposal")


class TestModel:
    def test_one_that_is_gone_is_told_as_such(self, api: Any, work: Any, project: str, blobs: Path) -> None:
        iteration = train(api, work, project)["id"]
        shutil.rmtree(blobs / "models" / iteration)
        response = quick_test(api, project)
        assert (response.status_code, response.json()["code"]) == (503, "ErrorPredictionModelNotFound")

    def test_one_that_fails_is_told_as_such(self, api: Any, work: Any, project: str, blobs: Path) -> None:
        iteration = train(api, work, project)["id"]
        graph = failing_graph()
        onnx.checker.check_model(onnx.load_from_string(graph))
        (blobs / "models" / iteration / "model.onnx").write_bytes(graph)
        response = quick_test(api, project)
        assert (response.status_code, response.json()["code"]) == (503, "ErrorPrediction")

    def test_one_without_images_has_no_figures(self, api: Any, work: Any, project: str) -> None:
        iteration = train(api, work, project)["id"]
        everything = {"allImages": "true", "allIterations": "true"}
        assert api("DELETE", f"/projects/{project}/images", params=everything).status_code == 202
        response = api("GET", f"/projects/{project}/iterations/{iteration}/performance")
        assert (response.status_code, response.json()["code"]) == (404, "NotFoundIterationPerformance")
        assert quick_test(api, project).status_code == 200


class TestMoment:
    def test_a_project_that_is_still_arriving_is_not_sent_on(self, api: Any, project: str) -> None:
        token = api.ok("GET", f"/projects/{project}/export")["token"]
        copy = api.ok("POST", "/projects/import", params={"token": token})["id"]
        response = api("GET", f"/projects/{copy}/export")
        assert (response.status_code, response.json()["code"]) == (400, "BadRequestOperationNotSupported")


class TestLimits:
    def test_an_image_bears_at_most_100_tags_also_when_it_comes_again(self, api: Any) -> None:
        project = make_project(api, classificationType="Multilabel")
        tags = [make_tag(api, project, str(n)) for n in range(101)]
        for start in range(0, 100, 20):
            upload(api, project, entry("a", picture(1), *tags[start : start + 20]))
        summary = upload(api, project, entry("a", picture(1), tags[0], tags[100])).json()
        assert [each["status"] for each in summary["images"]] == ["ErrorTagLimitExceed"]
        (image,) = api.ok("GET", f"/projects/{project}/images")
        assert len(image["tags"]) == 100

    def test_the_name_of_an_application_is_short(self, api: Any, work: Any, project: str) -> None:
        iteration = train(api, work, project)["id"]
        publish = {"publishName": "m", "predictionId": "r"}
        api.ok("POST", f"/projects/{project}/iterations/{iteration}/publish", params=publish)
        for route in ("image", "image/nostore"):
            path = f"/{project}/classify/iterations/m/{route}"
            response = api.predict(path, content=picture(700), params={"application": "x" * 257})
            code = response.json()["code"]
            assert (response.status_code, code) == (400, "BadRequestPredictionInvalidApplicationName")


class TestNul:
    """PostgreSQL keeps no text with the character NUL, so it is taken nowhere."""

    @pytest.mark.parametrize(
        ("path", "query"),
        [
            ("/projects", {"name": "a\0b"}),
            ("/projects/{}/tags", {"name": "a", "description": "\0"}),
            ("/projects/{}/train", {"notificationEmailAddress": "a\0@b.org"}),
        ],
    )
    def test_in_a_query(self, api: Any, path: str, query: dict[str, str]) -> None:
        response = api("POST", path.format(make_project(api)), params=query)
        assert (response.status_code, response.json()["code"]) == (400, "BadRequest")
        assert "NUL" in response.json()["message"]

    def test_in_a_body_and_a_path(self, api: Any) -> None:
        project = make_project(api)
        response = api("PATCH", f"/projects/{project}", json={"name": "a\0"})
        assert (response.status_code, response.json()["code"]) == (400, "BadRequest")
        response = api.predict(f"/{project}/classify/iterations/a%00b/image", content=picture(1))
        assert (response.status_code, response.json()["code"]) == (400, "BadRequest")

    def test_but_a_backslash_is_fine(self, api: Any) -> None:
        project = make_project(api)
        name = chr(92) + "u0000"
        assert api.ok("PATCH", f"/projects/{project}", json={"name": name})["name"] == name
