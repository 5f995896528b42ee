"""Metadata: setting it, and the expressions that filter by it."""

from typing import Any
from uuid import uuid4

import pytest
from tests.support.flows import entry, make_project, upload
from tests.support.pictures import picture

PAIRS = {
    "a": {"line": "7", "shift": "night"},
    "b": {"line": "7", "shift": "day"},
    "c": {"line": "8", "shift": "day", "note": "it's odd", 'the "key"': "x y"},
    "d": {},
}


@pytest.fixture
def project(api: Any) -> str:
    return make_project(api)


@pytest.fixture
def ids(api: Any, project: str) -> dict[str, str]:
    """Images by name, with the pairs of the table above."""
    found: dict[str, str] = {}
    for seed, (name, pairs) in enumerate(PAIRS.items()):
        found[name] = upload(api, project, entry(name, picture(seed)), metadata=pairs).json()["images"][0]["image"][
            "id"
        ]
    return found


class TestFilter:
    @pytest.mark.parametrize(
        ("expression", "names"),
        [
            ("line eq '7'", "ab"),
            ("line ne '7'", "cd"),
            ("line eq 7", "ab"),
            ("line eq '7' and shift eq 'day'", "b"),
            ("line eq '8' or shift eq 'night'", "ac"),
            ("shift eq 'night' or line eq '7' and shift eq 'day'", "ab"),
            ("(shift eq 'night' or line eq '8') and shift ne 'day'", "a"),
            ("metadata=line eq '7' and shift ne 'day'", "a"),
            ("LINE eq '7'", ""),
            ("line EQ '7' AND shift Eq 'day'", "b"),
            ("note eq 'it''s odd'", "c"),
            ("'the \"key\"' eq 'x y'", "c"),
            ("nothing ne 'x'", "abcd"),
            ("eq eq 'x'", ""),
        ],
    )
    def test_finds_and_counts(self, api: Any, project: str, ids: dict[str, str], expression: str, names: str) -> None:
        wanted = {ids[name] for name in names}
        found = api.ok("GET", f"/projects/{project}/images", params={"$filter": expression})
        assert {image["id"] for image in found} == wanted
        assert api.ok("GET", f"/projects/{project}/images/count", params={"$filter": expression}) == len(wanted)

    @pytest.mark.parametrize(
        ("expression", "words"),
        [
            ("line", "character 5: expected eq or ne, found its end"),
            ("line gt '7'", "expected eq or ne, found \"gt '7'\""),
            ("line eq", "expected a value, found its end"),
            ("line eq 'open", "expected a value"),
            ("line eq '7' shift eq 'day'", "expected and, or, or the end"),
            ("(line eq '7'", "a closing parenthesis"),
            ("line eq '7' and", "expected a key"),
            ("(" * 70, "at most 64"),
            ("x" * 5000, "at most 4096"),
        ],
    )
    def test_tells_where_it_cannot_be_read(self, api: Any, project: str, expression: str, words: str) -> None:
        response = api("GET", f"/projects/{project}/images", params={"$filter": expression})
        assert (response.status_code, response.json()["code"]) == (400, "BadRequest")
        assert words in response.json()["message"]


class TestUpdate:
    def call(self, api: Any, project: str, ids: list[str], pairs: dict[str, Any]) -> Any:
        return api("POST", f"/projects/{project}/images/metadata", params={"imageIds": ",".join(ids)}, json=pairs)

    def test_sets_pairs_beside_the_others_and_null_takes_one_away(
        self, api: Any, project: str, ids: dict[str, str]
    ) -> None:
        response = self.call(api, project, [ids["a"], ids["d"]], {"line": "9", "shift": None})
        assert response.status_code == 200
        assert response.json() == {
            "isBatchSuccessful": True,
            "images": [
                {"imageId": ids["a"], "status": "OK", "metadata": {"line": "9"}},
                {"imageId": ids["d"], "status": "OK", "metadata": {"line": "9"}},
            ],
        }
        found = api.ok("GET", f"/projects/{project}/images", params={"$filter": "line eq '9'"})
        assert {image["id"]: image["metadata"] for image in found} == {
            ids["a"]: {"line": "9"},
            ids["d"]: {"line": "9"},
        }

    def test_tells_of_each_image_what_failed(self, api: Any, project: str, ids: dict[str, str]) -> None:
        stranger = str(uuid4())
        pairs = {f"k{n}": "v" for n in range(9)}
        response = self.call(api, project, [ids["a"], stranger, ids["d"]], pairs)
        assert response.status_code == 207
        statuses = [each["status"] for each in response.json()["images"]]
        assert statuses == ["ErrorLimitExceed", "ErrorImageNotFound", "OK"]
        (unchanged,) = api.ok("GET", f"/projects/{project}/images/id", params={"imageIds": ids["a"]})
        assert unchanged["metadata"] == PAIRS["a"]

    @pytest.mark.parametrize(
        ("pairs", "code"),
        [
            ({str(n): "" for n in range(11)}, "BadRequestImageMetadataKey"),
            ({"": "v"}, "BadRequestImageMetadataKey"),
            ({"k": "v" * 257}, "BadRequestImageMetadataValue"),
            ({"k": ["v"]}, "BadRequest"),
            ({"k": "v\0"}, "BadRequest"),
            ({"k\0": "v"}, "BadRequest"),
        ],
    )
    def test_refuses_pairs_over_a_limit(self, api: Any, project: str, pairs: dict[str, Any], code: str) -> None:
        response = self.call(api, project, [str(uuid4())], pairs)
        assert (response.status_code, response.json()["code"]) == (400, code)

    def test_refuses_none_and_too_many(self, api: Any, project: str) -> None:
        assert self.call(api, project, [], {"k": "v"}).json()["code"] == "BadRequestRequiredParamIsNull"
        many = [str(uuid4()) for _ in range(257)]
        assert self.call(api, project, many, {"k": "v"}).json()["code"] == "BadRequestExceededBatchSize"
