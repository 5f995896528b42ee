"""The region operations."""

from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image, ImageDraw
from tests.support.flows import DETECTION, entry, make_project, make_tag, upload
from tests.support.pictures import picture

NAN = float("nan")


@pytest.fixture
def project(api: Any) -> str:
    return make_project(api, domainId=DETECTION)


@pytest.fixture
def tag(api: Any, project: str) -> str:
    return make_tag(api, project, "fork")


@pytest.fixture
def image(api: Any, project: str) -> str:
    return upload(api, project, entry("a", picture(1))).json()["images"][0]["image"]["id"]


def box(tag: str, left: float = 0.1, **more: Any) -> dict[str, Any]:
    return {"tagId": tag, "left": left, "top": 0.2, "width": 0.3, "height": 0.4, **more}


def draw(api: Any, project: str, *regions: dict[str, Any]) -> Any:
    return api("POST", f"/projects/{project}/images/regions", json={"regions": list(regions)})


def only_image(api: Any, project: str) -> Any:
    (image,) = api.ok("GET", f"/projects/{project}/images")
    return image


class TestCreate:
    def test_the_image_bears_the_tag_of_its_region(self, api: Any, project: str, tag: str, image: str) -> None:
        response = draw(api, project, box(tag, imageId=image))
        summary = response.json()
        assert (response.status_code, summary["duplicated"], summary["exceeded"]) == (200, [], [])
        (made,) = summary["created"]
        assert (made["imageId"], made["tagName"], made["left"], made["height"]) == (image, None, 0.1, 0.4)
        read = only_image(api, project)
        assert [each["tagName"] for each in read["tags"]] == ["fork"]
        (region,) = read["regions"]
        assert (region["regionId"], region["tagName"], region["width"]) == (made["regionId"], "fork", 0.3)
        assert api.ok("GET", f"/projects/{project}/tags")[0]["imageCount"] == 1

    def test_a_box_that_is_there_is_duplicated_and_the_others_are_drawn(
        self, api: Any, project: str, tag: str, image: str
    ) -> None:
        draw(api, project, box(tag, imageId=image))
        response = draw(api, project, box(tag, imageId=image), box(tag, 0.5, imageId=image))
        assert response.status_code == 207
        assert [len(response.json()[key]) for key in ("created", "duplicated", "exceeded")] == [1, 1, 0]
        assert response.json()["duplicated"][0]["left"] == 0.1

    def test_an_image_has_at_most_300(self, api: Any, project: str, tag: str, image: str) -> None:
        for start in range(0, 320, 64):
            regions = [box(tag, n / 1000, imageId=image, width=0.01) for n in range(start, start + 64)]
            answer = draw(api, project, *regions).json()
        assert (len(answer["created"]), len(answer["exceeded"])) == (44, 20)
        assert len(only_image(api, project)["regions"]) == 300

    def test_what_sticks_out_by_a_rounding_is_cut(self, api: Any, project: str, tag: str, image: str) -> None:
        draw(api, project, box(tag, 0.7000004, imageId=image))
        (region,) = only_image(api, project)["regions"]
        assert region["left"] + region["width"] == 1

    @pytest.mark.parametrize(
        "edges",
        [
            {"left": -0.1},
            {"left": 0.8},
            {"width": 0},
            {"height": -1},
            {"top": 0.9},
            {"height": 1e400},
            {"left": float("nan")},
        ],
    )
    def test_a_box_outside_its_image_is_refused_with_all(
        self, api: Any, project: str, tag: str, image: str, edges: dict[str, float]
    ) -> None:
        wrong = {**box(tag, imageId=image), **edges}
        body = (
            str({"regions": [box(tag, imageId=image), wrong]})
            .replace("'", '"')
            .replace("inf", "1e400")
            .replace("nan", "NaN")
        )
        response = api("POST", f"/projects/{project}/images/regions", content=body)
        assert (response.status_code, response.json()["code"]) == (400, "BadRequestImageRegions")
        assert "regions" not in only_image(api, project)

    def test_refuses_unknown_ids_none_too_many_and_a_classifier(
        self, api: Any, project: str, tag: str, image: str
    ) -> None:
        stranger = str(uuid4())
        assert draw(api, project, box(tag, imageId=stranger)).json()["code"] == "BadRequestInvalidIds"
        assert draw(api, project, box(stranger, imageId=image)).json()["code"] == "BadRequestInvalidIds"
        assert draw(api, project).json()["code"] == "BadRequestImageRegions"
        many = [box(tag, n / 100, imageId=image) for n in range(65)]
        assert draw(api, project, *many).json()["code"] == "BadRequestExceededBatchSize"
        classifier = make_project(api, "classifier")
        assert draw(api, classifier, box(tag, imageId=image)).json()["code"] == "BadRequestNotSupported"

    def test_a_batch_of_pictures_brings_its_regions(self, api: Any, project: str, tag: str) -> None:
        summary = upload(api, project, {**entry("a", picture(1)), "regions": [box(tag), box(tag, 0.6)]}).json()
        (created,) = summary["images"]
        assert (created["status"], len(created["image"]["regions"]), len(created["image"]["tags"])) == ("OK", 2, 1)
        again = upload(api, project, {**entry("a", picture(1)), "regions": [box(tag), box(tag, 0.3)]}).json()
        assert again["images"][0]["status"] == "OKDuplicate"
        assert len(only_image(api, project)["regions"]) == 3

    def test_a_picture_with_too_many_or_strange_regions_is_told_in_its_place(
        self, api: Any, project: str, tag: str
    ) -> None:
        many = [box(tag, n / 1000, width=0.01) for n in range(301)]
        summary = upload(
            api,
            project,
            {**entry("many", picture(1)), "regions": many},
            {**entry("strange", picture(2)), "regions": [box(str(uuid4()))]},
            {**entry("good", picture(3)), "regions": [box(tag)]},
        ).json()
        assert [each["status"] for each in summary["images"]] == ["ErrorRegionLimitExceed", "ErrorInvalidTag", "OK"]


class TestDelete:
    def test_the_tag_goes_with_its_last_region(self, api: Any, project: str, tag: str, image: str) -> None:
        created = draw(api, project, box(tag, imageId=image), box(tag, 0.5, imageId=image)).json()["created"]
        for region, left in zip(created, (["fork"], []), strict=True):
            params = {"regionIds": region["regionId"]}
            assert api("DELETE", f"/projects/{project}/images/regions", params=params).status_code == 204
            assert [each["tagName"] for each in only_image(api, project).get("tags", [])] == left

    def test_untagging_takes_the_regions_and_so_does_deleting_the_tag(
        self, api: Any, project: str, tag: str, image: str
    ) -> None:
        draw(api, project, box(tag, imageId=image))
        api("DELETE", f"/projects/{project}/images/tags", params={"imageIds": image, "tagIds": tag})
        assert "regions" not in only_image(api, project)
        draw(api, project, box(tag, imageId=image))
        api("DELETE", f"/projects/{project}/tags/{tag}")
        assert not {"regions", "tags"} & set(only_image(api, project))

    def test_another_project_cannot_delete_it_and_none_is_refused(
        self, api: Any, project: str, tag: str, image: str
    ) -> None:
        region = draw(api, project, box(tag, imageId=image)).json()["created"][0]["regionId"]
        other = make_project(api, "other", domainId=DETECTION)
        assert api("DELETE", f"/projects/{other}/images/regions", params={"regionIds": region}).status_code == 204
        assert len(only_image(api, project)["regions"]) == 1
        response = api("DELETE", f"/projects/{project}/images/regions")
        assert response.json()["code"] == "BadRequestRequiredParamIsNull"
        ids = ",".join(str(uuid4()) for _ in range(65))
        response = api("DELETE", f"/projects/{project}/images/regions", params={"regionIds": ids})
        assert response.json()["code"] == "BadRequestExceededBatchSize"


class TestIteration:
    def test_remembers_the_regions_that_it_was_started_on(
        self, api: Any, project: str, tag: str, image: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Detectors are not trained yet: the refusal is taken away, what is remembered is real."""
        draw(api, project, box(tag, imageId=image), box(tag, 0.5, imageId=image))
        monkeypatch.setattr("foveal.services.training_sets.check", lambda *_: None)
        scope = {"iterationId": api.ok("POST", f"/projects/{project}/train")["id"]}
        before = only_image(api, project)
        for region in before["regions"]:
            api("DELETE", f"/projects/{project}/images/regions", params={"regionIds": region["regionId"]})
        assert "regions" not in only_image(api, project)
        (remembered,) = api.ok("GET", f"/projects/{project}/images", params=scope)
        edges = ("regionId", "tagId", "tagName", "left", "top", "width", "height")
        assert sorted([each[edge] for edge in edges] for each in remembered["regions"]) == sorted(
            [each[edge] for edge in edges] for each in before["regions"]
        )
        assert [each["tagName"] for each in remembered["tags"]] == ["fork"]


class TestPropose:
    def test_a_bright_square_on_grey_is_proposed(self, api: Any, project: str) -> None:
        data = square()
        image = upload(api, project, entry("square", data)).json()["images"][0]["image"]["id"]
        answer = api.ok("POST", f"/projects/{project}/images/{image}/regionproposals")
        assert (answer["projectId"], answer["imageId"]) == (project, image)
        assert all(0 <= each["confidence"] <= 1 for each in answer["proposals"])
        best = answer["proposals"][0]["boundingBox"]
        assert overlap(best, {"left": 0.25, "top": 0.25, "width": 0.4, "height": 0.4}) > 0.5

    def test_an_unknown_image_is_not_found(self, api: Any, project: str) -> None:
        response = api("POST", f"/projects/{project}/images/{uuid4()}/regionproposals")
        assert (response.status_code, response.json()["code"]) == (404, "NotFoundImage")


def square() -> bytes:
    """Draw a bright square on grey, from a quarter to 0.65 of each side."""
    canvas = Image.new("RGB", (400, 400), (120, 120, 120))
    ImageDraw.Draw(canvas).rectangle((100, 100, 260, 260), fill=(250, 210, 20), outline=(30, 30, 30), width=6)
    out = BytesIO()
    canvas.save(out, "PNG")
    return out.getvalue()


def overlap(a: dict[str, float], b: dict[str, float]) -> float:
    """Intersection over union of two boxes."""
    width = min(a["left"] + a["width"], b["left"] + b["width"]) - max(a["left"], b["left"])
    height = min(a["top"] + a["height"], b["top"] + b["height"]) - max(a["top"], b["top"])
    shared = max(width, 0) * max(height, 0)
    return shared / (a["width"] * a["height"] + b["width"] * b["height"] - shared)
