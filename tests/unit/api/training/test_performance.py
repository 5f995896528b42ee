"""The images behind the figures of an iteration."""

from typing import Any
from uuid import uuid4

import pytest
from tests.support.flows import fill, make_project, train


@pytest.fixture
def project(api: Any) -> str:
    project = make_project(api, classificationType="Multiclass")
    fill(api, project, count=6)
    return project


@pytest.fixture
def path(api: Any, work: Any, project: str) -> str:
    return f"/projects/{project}/iterations/{train(api, work, project)['id']}/performance/images"


class TestImages:
    def test_each_with_its_tags_and_what_was_said_of_it(self, api: Any, path: str) -> None:
        rows = api.ok("GET", path)
        assert len(rows) == api.ok("GET", f"{path}/count") == 12
        for row in rows:
            assert {"predictions", "id", "created", "width", "height", "imageUri", "thumbnailUri", "tags"} == set(row)
            assert sum(each["probability"] for each in row["predictions"]) == pytest.approx(1, abs=1e-5)
            assert row["predictions"][0]["tagId"] == row["tags"][0]["tagId"]
        assert api.client.get(rows[0]["imageUri"]).content

    def test_pages_in_both_orders(self, api: Any, path: str) -> None:
        oldest = [row["id"] for row in api.ok("GET", path, params={"orderBy": "Oldest"})]
        pages = [api.ok("GET", path, params={"orderBy": "oldest", "take": 5, "skip": at}) for at in (0, 5, 10)]
        assert [row["id"] for page in pages for row in page] == oldest
        assert [row["id"] for row in api.ok("GET", path)] == oldest[::-1]

    def test_by_tags(self, api: Any, project: str, path: str) -> None:
        red, blue = (tag["id"] for tag in api.ok("GET", f"/projects/{project}/tags"))
        rows = api.ok("GET", path, params={"tagIds": red})
        assert {tag["tagId"] for row in rows for tag in row["tags"]} == {red}
        assert api.ok("GET", f"{path}/count", params={"tagIds": red}) == len(rows) == 6
        assert api.ok("GET", f"{path}/count", params={"tagIds": f"{red},{blue}"}) == 12

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ({"take": 257}, "BadRequest"),
            ({"skip": -1}, "BadRequest"),
            ({"skip": 2**31}, "BadRequest"),
            ({"orderBy": "Suggested"}, "BadRequest"),
            ({"tagIds": ",".join(str(uuid4()) for _ in range(21))}, "BadRequestExceededBatchSize"),
        ],
    )
    def test_refuses_a_page_out_of_range(self, api: Any, path: str, query: dict[str, Any], code: str) -> None:
        response = api("GET", path, params=query)
        assert (response.status_code, response.json()["code"]) == (400, code)

    def test_the_overlap_threshold_is_taken(self, api: Any, path: str) -> None:
        found = api.ok("GET", path.removesuffix("/images"), params={"threshold": 0.5, "overlapThreshold": 0.3})
        assert found["precision"] == found["recall"] == 1
