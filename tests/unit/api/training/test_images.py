"""The image operations."""

from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from tests.support.flows import entry, fill, make_project, make_tag, train, upload
from tests.support.pictures import picture

BOUNDARY = "da4502bc4c8b9c3c36695b6c56ff0e6c"
REGION = {"tagId": str(uuid4()), "left": 0, "top": 0, "width": 1, "height": 1}
MULTIPART = {
    "Training-Key": "training-key-of-the-tests",
    "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
}


def multipart(*pictures: bytes) -> bytes:
    """Write the parts as Microsoft's SDK does for bytes: neither file name nor content type."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="imageData"\r\n\r\n'.encode()
    return b"".join(head + data + b"\r\n" for data in pictures) + f"--{BOUNDARY}--\r\n".encode()


class TestCreateFromFiles:
    def test_answers_in_the_shape_of_the_service(self, api: Any) -> None:
        project = make_project(api)
        tag = make_tag(api, project, "red")
        response = upload(api, project, entry("a.png", picture(1), tag), metadata={"line": "7"})
        assert response.status_code == 200
        summary = response.json()
        assert summary["isBatchSuccessful"] is True
        (result,) = summary["images"]
        assert (result["sourceUrl"], result["status"]) == ("a.png", "OK")
        image = result["image"]
        assert (image["width"], image["height"], image["metadata"]) == (341, 256, {"line": "7"})
        assert image["tags"] == [{"tagId": tag, "tagName": None, "created": image["tags"][0]["created"]}]
        assert len(image["created"].split(".")[1]) == 7
        assert "regions" not in image

    def test_omits_empty_keys(self, api: Any) -> None:
        project = make_project(api)
        image = upload(api, project, entry("a", picture(1))).json()["images"][0]["image"]
        assert not {"tags", "regions", "metadata"} & set(image)

    def test_adds_the_tags_of_the_batch_to_those_of_the_entry(self, api: Any) -> None:
        project = make_project(api)
        both = [make_tag(api, project, name) for name in ("a", "b")]
        upload(api, project, entry("x", picture(1), both[0]), tagIds=[both[1], both[0]])
        (image,) = api.ok("GET", f"/projects/{project}/images")
        assert {tag["tagId"] for tag in image["tags"]} == set(both)
        assert {tag["tagName"] for tag in image["tags"]} == {"a", "b"}

    def test_reports_each_entry_in_its_place(self, api: Any) -> None:
        project = make_project(api)
        tag = make_tag(api, project, "t")
        response = upload(
            api,
            project,
            entry("good", picture(1), tag),
            entry("text", b"this is no picture"),
            {"name": "base", "contents": "%%%"},
            entry("wide", picture(2, size=(520, 20))),
            entry("unknown tag", picture(3), str(uuid4())),
            entry("large", picture(4, size=(1600, 1500), format="BMP")),
            entry("again", picture(1)),
        )
        assert response.status_code == 207
        assert [(result["sourceUrl"], result["status"]) for result in response.json()["images"]] == [
            ("good", "OK"),
            ("text", "ErrorImageFormat"),
            ("base", "ErrorImageFormat"),
            ("wide", "ErrorImageDimensions"),
            ("unknown tag", "ErrorInvalidTag"),
            ("large", "ErrorImageSize"),
            ("again", "OKDuplicate"),
        ]
        assert response.json()["isBatchSuccessful"] is False
        assert response.json()["images"][1]["image"] is None
        assert api.ok("GET", f"/projects/{project}/images/count") == 1

    @pytest.mark.parametrize("version", ["v3.0", "v3.1", "v3.2"])
    def test_older_clients_get_200_where_newer_get_207(self, api: Any, version: str) -> None:
        project = make_project(api)
        response = api.client.post(
            f"/customvision/{version}/training/projects/{project}/images/files",
            headers={"Training-Key": "training-key-of-the-tests"},
            json={"images": [entry("a", b"no picture")]},
        )
        assert (response.status_code, response.json()["isBatchSuccessful"]) == (200, False)

    def test_a_duplicate_is_answered_with_the_image_there_and_gets_the_new_tags(self, api: Any) -> None:
        project = make_project(api)
        one, two = (make_tag(api, project, name) for name in ("one", "two"))
        first = upload(api, project, entry("a", picture(1), one)).json()["images"][0]
        response = upload(api, project, entry("b", picture(1), two))
        assert response.status_code == 207
        (second,) = response.json()["images"]
        assert (second["status"], second["image"]["id"]) == ("OKDuplicate", first["image"]["id"])
        assert [tag["tagId"] for tag in second["image"]["tags"]] == [one, two]

    def test_a_duplicate_keeps_its_tag_in_a_multiclass_project(self, api: Any) -> None:
        project = make_project(api, classificationType="Multiclass")
        one, two = (make_tag(api, project, name) for name in ("one", "two"))
        upload(api, project, entry("a", picture(1), one))
        again = upload(api, project, entry("a", picture(1), two)).json()["images"][0]
        assert [tag["tagId"] for tag in again["image"]["tags"]] == [one]

    def test_a_negative_tag_stands_alone(self, api: Any) -> None:
        project = make_project(api)
        regular, negative = make_tag(api, project, "r"), make_tag(api, project, "n", type="Negative")
        upload(api, project, entry("b", picture(2), regular))
        response = upload(api, project, entry("a", picture(1), regular, negative), entry("b", picture(2), negative))
        statuses = {result["status"] for result in response.json()["images"]}
        assert statuses == {"ErrorNegativeAndRegularTagOnSameImage"}

    @pytest.mark.parametrize(
        ("batch", "code"),
        [
            ({}, "BadRequestImageBatch"),
            ({"images": []}, "BadRequestImageBatch"),
            ({"images": [{"name": "x", "contents": ""}] * 65}, "BadRequestExceededBatchSize"),
            ({"images": [{}], "tagIds": [str(uuid4()) for _ in range(21)]}, "BadRequestExceededBatchSize"),
            ({"images": [{}], "metadata": {str(n): "" for n in range(11)}}, "BadRequestImageMetadataKey"),
            ({"images": [{}], "metadata": {"k" * 129: ""}}, "BadRequestImageMetadataKey"),
            ({"images": [{}], "metadata": {"k": "v" * 257}}, "BadRequestImageMetadataValue"),
            ({"images": [{"regions": [{"left": 0}]}]}, "BadRequestRequiredParamIsNull"),
            ({"images": [{"regions": [REGION]}]}, "BadRequestNotSupported"),
            ({"images": [{"tagIds": ["no id"]}]}, "BadRequest"),
            ({"images": 7}, "BadRequest"),
        ],
    )
    def test_refuses_a_batch_as_a_whole(self, api: Any, batch: dict[str, Any], code: str) -> None:
        response = api("POST", f"/projects/{make_project(api)}/images/files", json=batch)
        assert (response.status_code, response.json()["code"]) == (400, code)

    def test_refuses_two_tags_in_a_multiclass_project(self, api: Any) -> None:
        project = make_project(api, classificationType="Multiclass")
        tags = [make_tag(api, project, name) for name in ("a", "b")]
        response = upload(api, project, entry("x", picture(1), *tags))
        assert (response.status_code, response.json()["code"]) == (400, "BadRequestImageTags")
        assert api.ok("GET", f"/projects/{project}/images/count") == 0

    def test_refuses_a_body_that_is_no_json(self, api: Any) -> None:
        response = api("POST", f"/projects/{make_project(api)}/images/files", content=b"{")
        assert (response.status_code, response.json()["code"]) == (400, "BadRequest")


class TestCreateFromData:
    def test_takes_parts_without_a_file_name(self, api: Any) -> None:
        project = make_project(api)
        tags = [make_tag(api, project, name) for name in ("a", "b")]
        summary = api.ok(
            "POST",
            f"/projects/{project}/images",
            params={"tagIds": ",".join(tags)},
            headers=MULTIPART,
            content=multipart(picture(1), picture(2)),
        )
        assert [result["sourceUrl"] for result in summary["images"]] == ["", ""]
        assert {tag["tagId"] for tag in summary["images"][1]["image"]["tags"]} == set(tags)

    def test_takes_files(self, api: Any) -> None:
        project = make_project(api)
        files = {"imageData": ("my photo.png", picture(1))}
        summary = api.ok("POST", f"/projects/{project}/images", files=files)
        assert summary["images"][0]["sourceUrl"] == "my photo.png"

    @pytest.mark.parametrize("kind", ["application/octet-stream", "image/png", ""])
    def test_takes_the_raw_bytes(self, api: Any, kind: str) -> None:
        headers = {"Training-Key": "training-key-of-the-tests", **({"Content-Type": kind} if kind else {})}
        project = make_project(api)
        assert api("POST", f"/projects/{project}/images", headers=headers, content=picture(1)).status_code == 200

    @pytest.mark.parametrize(
        ("headers", "content", "status", "code"),
        [
            ({"Content-Type": "application/octet-stream"}, b"", 400, "BadRequestImageBatch"),
            (MULTIPART, multipart(), 400, "BadRequestImageBatch"),
            (MULTIPART, multipart(b"x")[:-40], 400, "BadRequestImageStream"),
            ({"Content-Type": "application/json"}, b"{}", 415, "UnsupportedMediaType"),
        ],
    )
    def test_refuses_other_bodies(
        self, api: Any, headers: dict[str, str], content: bytes, status: int, code: str
    ) -> None:
        headers = {"Training-Key": "training-key-of-the-tests", **headers}
        response = api("POST", f"/projects/{make_project(api)}/images", headers=headers, content=content)
        assert (response.status_code, response.json()["code"]) == (status, code)

    def test_refuses_ids_that_are_none(self, api: Any) -> None:
        project = make_project(api)
        response = api("POST", f"/projects/{project}/images", params={"tagIds": "x,y"}, files={"imageData": b"x"})
        assert (response.status_code, response.json()["code"]) == (400, "BadRequestInvalidIds")


class TestCreateFromUrls:
    def test_an_inside_address_is_a_source_error(self, api: Any) -> None:
        project = make_project(api)
        urls = ["http://127.0.0.1:1/a.png", "http://169.254.169.254/latest", "file:///etc/passwd", "ftp://x/y"]
        response = api("POST", f"/projects/{project}/images/urls", json={"images": [{"url": url} for url in urls]})
        assert response.status_code == 207
        found = [(result["sourceUrl"], result["status"]) for result in response.json()["images"]]
        assert found == [(url, "ErrorSource") for url in urls]


class TestLinks:
    def test_open_without_a_key(self, api: Any) -> None:
        project = make_project(api)
        image = upload(api, project, entry("a", picture(1))).json()["images"][0]["image"]
        assert api.client.get(image["originalImageUri"]).content == picture(1)
        assert api.client.get(image["resizedImageUri"]).headers["content-type"] == "image/jpeg"
        assert api.client.get(image["thumbnailUri"]).headers["content-type"] == "image/jpeg"

    def test_do_not_open_other_blobs(self, api: Any) -> None:
        project = make_project(api)
        image = upload(api, project, entry("a", picture(1))).json()["images"][0]["image"]
        parts = urlsplit(image["thumbnailUri"])
        for path in (parts.path.replace("thumbnails", "images"), parts.path + "0"):
            response = api.client.get(f"{path}?{parts.query}")
            assert (response.status_code, response.json()["code"]) == (403, "Forbidden")
        assert api.client.get(parts.path).status_code == 403


class TestFind:
    @pytest.fixture
    def project(self, api: Any) -> str:
        project = make_project(api)
        fill(api, project, ("red", "blue"), 5)
        upload(api, project, entry("bare", picture(999)))
        return project

    def test_pages_newest_first(self, api: Any, project: str) -> None:
        everything = api.ok("GET", f"/projects/{project}/images")
        created = [image["created"] for image in everything]
        assert len(everything) == 11
        assert created == sorted(set(created), reverse=True)
        pages = [
            api.ok("GET", f"/projects/{project}/images", params={"take": 4, "skip": skip}) for skip in range(0, 12, 4)
        ]
        assert [image["id"] for page in pages for image in page] == [image["id"] for image in everything]
        oldest = api.ok("GET", f"/projects/{project}/images", params={"orderBy": "Oldest"})
        assert [image["id"] for image in oldest] == [image["id"] for image in everything][::-1]

    @pytest.mark.parametrize(
        ("path", "count"),
        [
            ("/images/count", 11),
            ("/images/count?taggingStatus=Tagged", 10),
            ("/images/count?taggingStatus=Untagged", 1),
            ("/images/tagged/count", 10),
            ("/images/untagged/count", 1),
        ],
    )
    def test_counts(self, api: Any, project: str, path: str, count: int) -> None:
        assert api.ok("GET", f"/projects/{project}{path}") == count

    def test_several_tags_mean_any_of_them(self, api: Any, project: str) -> None:
        tags = [tag["id"] for tag in api.ok("GET", f"/projects/{project}/tags")]
        for ids, count in ((tags[:1], 5), (tags, 10), ([str(uuid4())], 0)):
            query = {"tagIds": ",".join(ids)}
            assert len(api.ok("GET", f"/projects/{project}/images/tagged", params=query)) == count
            assert len(api.ok("GET", f"/projects/{project}/images", params=query)) == count
            assert api.ok("GET", f"/projects/{project}/images/tagged/count", params=query) == count

    def test_by_ids_gives_those_found_in_the_order_asked(self, api: Any, project: str) -> None:
        ids = [image["id"] for image in api.ok("GET", f"/projects/{project}/images", params={"take": 3})]
        query = {"imageIds": ",".join([ids[2], str(uuid4()), ids[0]])}
        found = api.ok("GET", f"/projects/{project}/images/id", params=query)
        assert [image["id"] for image in found] == [ids[2], ids[0]]
        assert api.ok("GET", f"/projects/{project}/images/id") == []

    @pytest.mark.parametrize("query", [{"take": 257}, {"take": -1}, {"skip": -1}, {"orderBy": "Best"}, {"take": "x"}])
    def test_refuses_a_page_out_of_range(self, api: Any, project: str, query: dict[str, Any]) -> None:
        response = api("GET", f"/projects/{project}/images", params=query)
        assert (response.status_code, response.json()["code"]) == (400, "BadRequest")


class TestDelete:
    def test_by_ids(self, api: Any) -> None:
        project = make_project(api)
        fill(api, project)
        ids = [image["id"] for image in api.ok("GET", f"/projects/{project}/images", params={"take": 2})]
        response = api("DELETE", f"/projects/{project}/images", params={"imageIds": ",".join(ids)})
        assert (response.status_code, response.content) == (204, b"")
        assert api.ok("GET", f"/projects/{project}/images/count") == 8

    def test_all_of_them(self, api: Any) -> None:
        project = make_project(api)
        fill(api, project)
        response = api("DELETE", f"/projects/{project}/images", params={"allImages": "true", "allIterations": "false"})
        assert (response.status_code, response.content) == (202, b"")
        assert api.ok("GET", f"/projects/{project}/images/count") == 0

    def test_trained_iterations_keep_theirs_unless_told_otherwise(self, api: Any, work: Any) -> None:
        project = make_project(api)
        fill(api, project)
        in_iteration = {"iterationId": train(api, work, project)["id"]}
        api("DELETE", f"/projects/{project}/images", params={"allImages": "true"})
        kept = api.ok("GET", f"/projects/{project}/images", params=in_iteration)
        assert len(kept) == 10
        assert {tag["tagName"] for image in kept for tag in image["tags"]} == {"red", "blue"}
        query = {"allImages": "true", "allIterations": "true"}
        assert api("DELETE", f"/projects/{project}/images", params=query).status_code == 202
        assert api.ok("GET", f"/projects/{project}/images/count", params=in_iteration) == 0

    def test_a_deleted_picture_may_come_again(self, api: Any) -> None:
        project = make_project(api)
        first = upload(api, project, entry("a", picture(1))).json()["images"][0]["image"]["id"]
        api("DELETE", f"/projects/{project}/images", params={"imageIds": first})
        again = upload(api, project, entry("a", picture(1))).json()["images"][0]
        assert again["status"] == "OK"
        assert again["image"]["id"] != first

    def test_names_are_needed(self, api: Any) -> None:
        response = api("DELETE", f"/projects/{make_project(api)}/images")
        assert (response.status_code, response.json()["code"]) == (400, "BadRequestRequiredParamIsNull")


class TestTags:
    def test_are_made_told_apart_and_taken_away(self, api: Any) -> None:
        project = make_project(api, classificationType="Multiclass")
        one, two = (make_tag(api, project, name) for name in ("one", "two"))
        images = [upload(api, project, entry(str(n), picture(n))).json()["images"][0]["image"]["id"] for n in range(2)]
        pairs = [{"imageId": images[0], "tagId": one}, {"imageId": images[1], "tagId": two}]
        made = api.ok("POST", f"/projects/{project}/images/tags", json={"tags": pairs})
        assert made == {"created": pairs, "duplicated": [], "exceeded": []}
        more = [pairs[0], {"imageId": images[0], "tagId": two}]
        made = api.ok("POST", f"/projects/{project}/images/tags", json={"tags": more})
        assert made == {"created": [], "duplicated": [more[0]], "exceeded": [more[1]]}
        query = {"imageIds": ",".join(images), "tagIds": one}
        assert api("DELETE", f"/projects/{project}/images/tags", params=query).status_code == 204
        assert api.ok("GET", f"/projects/{project}/images/tagged/count") == 1

    def test_unknown_ids_change_nothing(self, api: Any) -> None:
        project = make_project(api)
        tag = make_tag(api, project, "t")
        image = upload(api, project, entry("a", picture(1))).json()["images"][0]["image"]["id"]
        for pair in ({"imageId": image, "tagId": str(uuid4())}, {"imageId": str(uuid4()), "tagId": tag}):
            pairs = [{"imageId": image, "tagId": tag}, pair]
            response = api("POST", f"/projects/{project}/images/tags", json={"tags": pairs})
            assert (response.status_code, response.json()["code"]) == (400, "BadRequestInvalidIds")
        assert api.ok("GET", f"/projects/{project}/images/tagged/count") == 0

    @pytest.mark.parametrize(
        ("tags", "code"),
        [
            ([{"imageId": str(uuid4()), "tagId": str(uuid4())}] * 129, "BadRequestExceededBatchSize"),
            ([], "BadRequestImageTags"),
        ],
    )
    def test_refuses_too_many_and_none(self, api: Any, tags: list[Any], code: str) -> None:
        response = api("POST", f"/projects/{make_project(api)}/images/tags", json={"tags": tags})
        assert (response.status_code, response.json()["code"]) == (400, code)


class TestLimit:
    def test_a_full_project_takes_duplicates_only(self, api: Any) -> None:
        project = make_project(api)
        upload(api, project, entry("a", picture(1)))
        api.limit(images=2)
        batch = [entry("again", picture(1)), entry("last", picture(2)), entry("more", picture(3))]
        summary = upload(api, project, *batch).json()
        assert [result["status"] for result in summary["images"]] == ["OKDuplicate", "OK", "ErrorLimitExceed"]
