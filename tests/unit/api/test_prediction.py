"""The prediction operations and quick test."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from tests.support.flows import fill, make_project, train
from tests.support.pictures import picture

from foveal.db.tables import Prediction


@pytest.fixture
def project(api: Any, work: Any) -> str:
    project = make_project(api, classificationType="Multiclass")
    fill(api, project)
    iteration = train(api, work, project)["id"]
    query = {"publishName": "My Model", "predictionId": "r"}
    api.ok("POST", f"/projects/{project}/iterations/{iteration}/publish", params=query)
    return project


class TestClassify:
    @pytest.mark.parametrize("route", ["image", "image/nostore"])
    def test_answers_all_tags_the_most_probable_first(self, api: Any, project: str, route: str) -> None:
        path = f"/{project}/classify/iterations/My%20Model/{route}"
        response = api.predict(path, files={"imageData": picture(70, "blue")})
        answer = response.json()
        assert (response.status_code, answer["project"]) == (200, project)
        assert answer["id"] == response.headers["Request-Id"] == response.headers["apim-request-id"]
        assert [row["tagName"] for row in answer["predictions"]] == ["blue", "red"]
        assert sum(row["probability"] for row in answer["predictions"]) == pytest.approx(1, abs=1e-5)
        assert set(answer["predictions"][0]) == {"probability", "tagId", "tagName", "tagType"}
        assert answer["created"].endswith("Z")

    def test_keeps_what_it_is_asked_to_keep(self, api: Any, project: str, session: Any) -> None:
        path = f"/{project}/classify/iterations/My Model"
        api.predict(f"{path}/image/nostore", content=picture(70))
        kept = api.predict(f"{path}/image", content=picture(71), params={"application": "line 7"}).json()
        (row,) = session.scalars(select(Prediction))
        assert (str(row.id), row.application, row.width) == (kept["id"], "line 7", 341)

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "BadRequestImageBatch"),
            (b"no picture", "BadRequestImageFormat"),
            (picture(1, size=(300, 5)), "BadRequestImageAspectRatio"),
            (b"\xff\xd8" + bytes(4 * 1024 * 1024), "BadRequestImageSizeBytes"),
        ],
    )
    def test_refuses_what_is_no_fit_picture(self, api: Any, project: str, content: bytes, code: str) -> None:
        response = api.predict(f"/{project}/classify/iterations/My Model/image", content=content)
        assert (response.status_code, response.json()["code"]) == (400, code)

    def test_an_unknown_name_is_an_invalid_iteration(self, api: Any, project: str) -> None:
        response = api.predict(f"/{project}/classify/iterations/my model/image", content=picture(1))
        assert (response.status_code, response.json()["code"]) == (404, "NotFoundIteration")
        assert "Invalid iteration" in response.json()["message"]

    def test_the_detect_routes_are_for_detectors(self, api: Any, project: str) -> None:
        response = api.predict(f"/{project}/detect/iterations/My Model/image", content=picture(1))
        assert (response.status_code, response.json()["code"]) == (400, "BadRequestNotSupported")

    @pytest.mark.parametrize("route", ["url", "url/nostore"])
    def test_refuses_an_inside_address(self, api: Any, project: str, route: str) -> None:
        body = {"url": "http://localhost:9/secret?sig=abc"}
        response = api.predict(f"/{project}/classify/iterations/My Model/{route}", json=body)
        assert (response.status_code, response.json()["code"]) == (400, "BadRequestImageUrl")
        assert "sig=abc" not in response.text


class TestKeys:
    @pytest.mark.parametrize("headers", [{}, {"Prediction-Key": "x"}, {"Training-Key": "training-key-of-the-tests"}])
    def test_prediction_needs_its_own(self, api: Any, headers: dict[str, str]) -> None:
        path = f"/customvision/v3.1/prediction/{uuid4()}/classify/iterations/m/image"
        response = api.client.post(path, headers=headers)
        assert (response.status_code, response.json()["code"]) == (401, "Unauthorized")

    @pytest.mark.parametrize("headers", [{}, {"Training-Key": "é"}, {"Prediction-Key": "prediction-key-of-the-tests"}])
    def test_training_needs_its_own(self, api: Any, headers: dict[str, str]) -> None:
        given = {name: value.encode() for name, value in headers.items()}
        response = api("GET", "/projects", headers=given)
        assert (response.status_code, response.json()["code"]) == (401, "Unauthorized")

    @pytest.mark.parametrize("name", ["Training-key", "TRAINING-KEY", "Ocp-Apim-Subscription-Key"])
    def test_names_are_compared_without_case(self, api: Any, name: str) -> None:
        assert api("GET", "/projects", headers={name: "training-key-of-the-tests"}).status_code == 200


class TestQuickTest:
    def test_works_on_what_is_not_published(self, api: Any, work: Any, project: str) -> None:
        newest = train(api, work, project, forceTrain="true")["id"]
        path = f"/projects/{project}/quicktest/image"
        named = api.ok("POST", path, params={"iterationId": newest, "store": "false"}, content=picture(70, "blue"))
        unnamed = api.ok("POST", path, content=picture(70, "blue"))
        assert named["iteration"] == unnamed["iteration"] == newest
        assert named["predictions"][0]["tagName"] == "blue"

    def test_needs_a_trained_iteration(self, api: Any) -> None:
        project = make_project(api)
        response = api("POST", f"/projects/{project}/quicktest/image", content=picture(1))
        assert (response.status_code, response.json()["code"]) == (404, "NotFoundProjectDefaultIteration")
