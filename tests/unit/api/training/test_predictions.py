"""Stored predictions: finding them, deleting them, making training images of them."""

import base64
import json
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import func, select
from tests.support.flows import fill, make_project, train
from tests.support.pictures import picture

from foveal.db.tables import Prediction
from foveal.engine import evaluate

COUNT = 9


def forged_mark(value: Any) -> str:
    """Write what looks like the end of a page."""
    return base64.b64encode(json.dumps(value).encode()).decode()


FORGED = (
    forged_mark(["2020-01-01T00:00:00+00:00", 5]),
    forged_mark(["0001-01-01T00:00:00+14:00", "0" * 32]),
    forged_mark([1, "0" * 32]),
    base64.b64encode(b"[" * 100_000).decode(),
)


@pytest.fixture
def project(api: Any, work: Any) -> str:
    project = make_project(api, classificationType="Multiclass")
    fill(api, project)
    iteration = train(api, work, project)["id"]
    api.ok(
        "POST", f"/projects/{project}/iterations/{iteration}/publish", params={"publishName": "m", "predictionId": "r"}
    )
    return project


@pytest.fixture
def kept(api: Any, project: str) -> list[Any]:
    """Stored predictions, oldest first: red and blue in turn, and the application in thirds."""
    return [
        api.predict(
            f"/{project}/classify/iterations/m/image",
            content=picture(500 + n, "blue" if n % 2 else "red"),
            params={"application": f"line {n // 3}"},
        ).json()
        for n in range(COUNT)
    ]


def query(api: Any, project: str, **token: Any) -> Any:
    return api.ok("POST", f"/projects/{project}/predictions/query", json=token)


def ids(answer: Any) -> list[str]:
    return [row["id"] for row in answer["results"]]


class TestQuery:
    def test_answers_in_the_shape_of_the_service(self, api: Any, project: str, kept: list[Any]) -> None:
        answer = query(api, project, session=None, continuation=None, maxCount=1)
        token = answer["token"]
        assert (token["orderBy"], token["maxCount"], token["application"]) == ("Newest", 1, "")
        assert token["session"].startswith("1:")
        (row,) = answer["results"]
        assert {key: row[key] for key in ("id", "project", "predictions")} == {
            key: kept[-1][key] for key in ("id", "project", "predictions")
        }
        assert row["domain"] == "ee85a74c-405e-4adc-bb47-ffa8ca0c9f31"
        for link in ("resizedImageUri", "thumbnailUri", "originalImageUri"):
            assert api.client.get(row[link]).content

    @pytest.mark.parametrize("order", ["Newest", "Oldest", "Suggested"])
    def test_pages_hold_each_once_in_order_though_new_ones_come(
        self, api: Any, project: str, kept: list[Any], order: str
    ) -> None:
        found: list[str] = []
        token = {"orderBy": order, "maxCount": 4}
        for page in range(3):
            answer = query(api, project, **token)
            found += ids(answer)
            token = answer["token"]
            assert bool(token["continuation"]) == (page < 2)
            api.predict(f"/{project}/classify/iterations/m/image", content=picture(900 + page))
        expected = [row["id"] for row in kept]
        if order == "Newest":
            expected.reverse()
        if order == "Suggested":
            bits = {row["id"]: uncertainty(row) for row in kept}
            expected.sort(key=bits.__getitem__, reverse=True)
        assert found == expected

    def test_a_tag_in_a_range_of_probability(self, api: Any, project: str, kept: list[Any]) -> None:
        red = next(row["tagId"] for row in kept[0]["predictions"] if row["tagName"] == "red")
        answer = query(api, project, tags=[{"id": red, "minThreshold": 0.5, "maxThreshold": 1}], orderBy="Oldest")
        assert ids(answer) == [row["id"] for row in kept[::2]]
        both = [{"id": row["tagId"], "minThreshold": 0.5, "maxThreshold": 1} for row in kept[0]["predictions"]]
        assert ids(query(api, project, tags=both)) == []
        assert ids(query(api, project, tags=[{"id": str(uuid4()), "minThreshold": 0, "maxThreshold": 1}])) == []

    def test_the_first_moment_of_all_is_given_back_as_it_came(self, api: Any) -> None:
        token = query(api, make_project(api), startTime="0001-01-01T00:00:00Z")["token"]
        assert token["startTime"] == "0001-01-01T00:00:00.000Z"

    def test_by_application_time_and_iteration(self, api: Any, project: str, kept: list[Any]) -> None:
        assert ids(query(api, project, application="line 1", orderBy="Oldest")) == [row["id"] for row in kept[3:6]]
        begun = query(api, project, startTime=kept[4]["created"], orderBy="Oldest")
        assert set(ids(begun)) >= {row["id"] for row in kept[5:]}
        assert not set(ids(begun)) & {row["id"] for row in kept[:3]}
        ended = query(api, project, endTime=kept[0]["created"].replace("Z", ""), orderBy="Oldest")
        assert set(ids(ended)) <= {kept[0]["id"]}
        iteration = kept[0]["iteration"]
        assert len(ids(query(api, project, iterationId=iteration))) == COUNT
        response = api("POST", f"/projects/{project}/predictions/query", json={"iterationId": str(uuid4())})
        assert response.json()["code"] == "NotFoundIteration"

    @pytest.mark.parametrize(
        ("token", "code"),
        [
            ({"tags": [{"id": str(uuid4())}] * 3}, "BadRequestPredictionTagsExceededCount"),
            ({"maxCount": 257}, "BadRequestPredictionResultsExceededCount"),
            (
                {"tags": [{"id": str(uuid4()), "minThreshold": 0.9, "maxThreshold": 0.1}]},
                "BadRequestPredictionInvalidQueryParameters",
            ),
            ({"orderBy": "Sideways"}, "BadRequestPredictionInvalidQueryParameters"),
            ({"continuation": "bm9uZQ=="}, "BadRequestPredictionInvalidQueryParameters"),
            ({"session": "2:77"}, "BadRequestPredictionInvalidQueryParameters"),
            (
                {"startTime": "2026-01-02T00:00:00Z", "endTime": "2026-01-01T00:00:00Z"},
                "BadRequestPredictionInvalidQueryParameters",
            ),
            ({"startTime": "yesterday"}, "BadRequest"),
            ({"startTime": "0001-01-01T00:00:00+14:00"}, "BadRequest"),
            ({"endTime": "9999-12-31T23:59:59-14:00"}, "BadRequest"),
            ({"session": "1:" + "9" * 30}, "BadRequestPredictionInvalidQueryParameters"),
            ({"session": "1:" + "9" * 5000}, "BadRequestPredictionInvalidQueryParameters"),
            *(({"continuation": forged}, "BadRequestPredictionInvalidQueryParameters") for forged in FORGED),
            (
                {"orderBy": "Suggested", "continuation": forged_mark([float("nan"), "0" * 32])},
                "BadRequestPredictionInvalidQueryParameters",
            ),
        ],
    )
    def test_refuses_what_it_cannot_take(self, api: Any, token: dict[str, Any], code: str) -> None:
        response = api("POST", f"/projects/{make_project(api)}/predictions/query", json=token)
        assert (response.status_code, response.json()["code"]) == (400, code)


class TestDelete:
    def test_deletes_those_named_of_this_project(self, api: Any, project: str, kept: list[Any]) -> None:
        other = make_project(api, "other")
        params = {"ids": f"{kept[0]['id']},{kept[1]['id']},{uuid4()}"}
        assert api("DELETE", f"/projects/{other}/predictions", params=params).status_code == 204
        assert len(ids(query(api, project))) == COUNT
        assert api("DELETE", f"/projects/{project}/predictions", params=params).status_code == 204
        assert set(ids(query(api, project))) == {row["id"] for row in kept[2:]}

    def test_refuses_none_and_too_many(self, api: Any) -> None:
        path = f"/projects/{make_project(api)}/predictions"
        assert api("DELETE", path).json()["code"] == "BadRequestPredictionIdsMissing"
        many = ",".join(str(uuid4()) for _ in range(65))
        response = api("DELETE", path, params={"ids": many})
        assert response.json()["code"] == "BadRequestPredictionIdsExceededCount"


class TestCreateImages:
    def test_the_pictures_become_training_images_and_leave_the_list(
        self, api: Any, project: str, kept: list[Any], session: Any
    ) -> None:
        red = next(row["tagId"] for row in kept[0]["predictions"] if row["tagName"] == "red")
        stranger = str(uuid4())
        body = {
            "images": [{"id": kept[0]["id"], "tagIds": [red]}, {"id": stranger}, {"id": kept[1]["id"]}],
            "metadata": {"from": "line 0"},
        }
        response = api("POST", f"/projects/{project}/images/predictions", json=body)
        assert response.status_code == 207
        results = response.json()["images"]
        assert [each["status"] for each in results] == ["OK", "ErrorSource", "OK"]
        assert [each["sourceUrl"] for each in results] == [kept[0]["id"], stranger, kept[1]["id"]]
        image = results[0]["image"]
        assert image["id"] != kept[0]["id"]
        assert (image["metadata"], [tag["tagId"] for tag in image["tags"]]) == ({"from": "line 0"}, [red])
        assert api.client.get(image["originalImageUri"]).content == picture(500, "red")
        assert session.scalar(select(func.count()).select_from(Prediction)) == COUNT - 2

    def test_refuses_none_and_too_many(self, api: Any) -> None:
        path = f"/projects/{make_project(api)}/images/predictions"
        assert api("POST", path, json={}).json()["code"] == "BadRequestPredictionIdsMissing"
        many = {"images": [{"id": str(uuid4())}] * 65}
        assert api("POST", path, json=many).json()["code"] == "BadRequestPredictionIdsExceededCount"


def uncertainty(row: Any) -> float:
    values = np.array([[each["probability"] for each in row["predictions"]]], np.float32)
    return float(evaluate.uncertainty(values)[0])
