"""The Smart Labeler."""

from math import log2
from typing import Any
from uuid import uuid4

import pytest
from tests.support.flows import entry, fill, make_project, make_tag, train, upload
from tests.support.pictures import picture

COLOURS = ("red", "blue", "red", "red", "blue")


@pytest.fixture
def project(api: Any) -> str:
    project = make_project(api, classificationType="Multilabel")
    fill(api, project)
    return project


@pytest.fixture
def iteration(api: Any, work: Any, project: str) -> str:
    return train(api, work, project)["id"]


@pytest.fixture
def untagged(api: Any, project: str) -> list[str]:
    entries = [entry(str(n), picture(700 + n, colour)) for n, colour in enumerate(COLOURS)]
    return [each["image"]["id"] for each in upload(api, project, *entries).json()["images"]]


def suggest(api: Any, project: str, iteration: str, images: list[str]) -> Any:
    query = {"iterationId": iteration, "imageIds": ",".join(images)}
    return api("POST", f"/projects/{project}/tagsandregions/suggestions", params=query)


def query(api: Any, project: str, iteration: str, **token: Any) -> Any:
    return api("POST", f"/projects/{project}/images/suggested", params={"iterationId": iteration}, json=token)


def count(api: Any, project: str, iteration: str, **filter: Any) -> Any:
    return api("POST", f"/projects/{project}/images/suggested/count", params={"iterationId": iteration}, json=filter)


class TestSuggest:
    def test_tells_tags_and_uncertainty_in_bits(
        self, api: Any, project: str, iteration: str, untagged: list[str]
    ) -> None:
        rows = suggest(api, project, iteration, untagged).json()
        assert [row["id"] for row in rows] == untagged
        assert [row["predictions"][0]["tagName"] for row in rows] == list(COLOURS)
        for row in rows:
            values = [each["probability"] for each in row["predictions"]]
            bits = [-p * log2(p) - (1 - p) * log2(1 - p) for p in values]
            assert row["predictionUncertainty"] == pytest.approx(sum(bits) / len(bits), abs=1e-5)
            assert (row["project"], row["iteration"]) == (project, iteration)

    def test_refuses_strangers_none_too_many_and_the_untrained(
        self, api: Any, project: str, iteration: str, untagged: list[str]
    ) -> None:
        assert suggest(api, project, iteration, [str(uuid4())]).json()["code"] == "BadRequestInvalidIds"
        assert suggest(api, project, iteration, []).json()["code"] == "BadRequestRequiredParamIsNull"
        many = [str(uuid4()) for _ in range(65)]
        assert suggest(api, project, iteration, many).json()["code"] == "BadRequestExceededBatchSize"
        training = api.ok("POST", f"/projects/{project}/train", params={"forceTrain": "true"})["id"]
        assert suggest(api, project, training, untagged).json()["code"] == "BadRequestIterationIsNotTrained"


class TestQuery:
    def test_pages_by_uncertainty_both_ways(self, api: Any, project: str, iteration: str, untagged: list[str]) -> None:
        rows = suggest(api, project, iteration, untagged).json()
        order = [row["id"] for row in sorted(rows, key=lambda row: row["predictionUncertainty"])]
        first = query(api, project, iteration, maxCount=3).json()
        assert first["token"]["sortBy"] == "UncertaintyAscending"
        rest = query(api, project, iteration, **first["token"]).json()
        assert [row["id"] for page in (first, rest) for row in page["results"]] == order
        assert rest["token"]["continuation"] == ""
        down = query(api, project, iteration, sortBy="UncertaintyDescending").json()
        assert [row["id"] for row in down["results"]] == order[::-1]
        row = first["results"][0]
        assert (row["width"], row["height"], row["domain"]) == (341, 256, "ee85a74c-405e-4adc-bb47-ffa8ca0c9f31")
        assert api.client.get(row["thumbnailUri"]).content[:2] == b"\xff\xd8"

    def test_by_tag_and_threshold_and_what_is_tagged_leaves(
        self, api: Any, project: str, iteration: str, untagged: list[str]
    ) -> None:
        suggest(api, project, iteration, untagged)
        tags = {tag["name"]: tag["id"] for tag in api.ok("GET", f"/projects/{project}/tags")}
        found = query(api, project, iteration, tagIds=[tags["blue"]], threshold=0.5).json()["results"]
        assert {row["id"] for row in found} == {untagged[1], untagged[4]}
        assert count(api, project, iteration, tagIds=list(tags.values()), threshold=0.5).json() == {
            tags["red"]: 3,
            tags["blue"]: 2,
        }
        pair = {"imageId": untagged[1], "tagId": tags["blue"]}
        api.ok("POST", f"/projects/{project}/images/tags", json={"tags": [pair]})
        api("DELETE", f"/projects/{project}/images", params={"imageIds": untagged[0]})
        found = query(api, project, iteration, threshold=0.5).json()["results"]
        assert {row["id"] for row in found} == set(untagged[2:])
        assert count(api, project, iteration, tagIds=[tags["blue"]], threshold=0.5).json() == {tags["blue"]: 1}

    def test_suggesting_again_replaces(self, api: Any, project: str, iteration: str, untagged: list[str]) -> None:
        for _ in range(2):
            suggest(api, project, iteration, untagged)
        assert len(query(api, project, iteration).json()["results"]) == len(untagged)

    def test_is_empty_before_anything_was_suggested(
        self, api: Any, project: str, iteration: str, untagged: list[str]
    ) -> None:
        del untagged
        assert query(api, project, iteration).json()["results"] == []
        assert set(count(api, project, iteration).json().values()) == {0}

    @pytest.mark.parametrize(
        ("token", "code"),
        [
            ({"sortBy": "Loudest"}, "BadRequest"),
            ({"maxCount": 257}, "BadRequestPredictionResultsExceededCount"),
            ({"tagIds": [str(uuid4())]}, "BadRequestInvalidIds"),
            ({"threshold": 1.1}, "BadRequest"),
            ({"continuation": "x"}, "BadRequestPredictionInvalidQueryParameters"),
        ],
    )
    def test_refuses_what_it_cannot_take(
        self, api: Any, project: str, iteration: str, token: dict[str, Any], code: str
    ) -> None:
        response = query(api, project, iteration, **token)
        assert (response.status_code, response.json()["code"]) == (400, code)

    def test_a_tag_made_after_the_training_is_refused(self, api: Any, project: str, iteration: str) -> None:
        late = make_tag(api, project, "late")
        assert count(api, project, iteration, tagIds=[late]).json()["code"] == "BadRequestInvalidIds"
