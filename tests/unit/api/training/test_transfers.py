"""A project on its way to another server, and on this one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
import pytest
from tests.support.flows import DETECTION, entry, fill, make_project, make_tag, train, upload
from tests.support.pictures import picture

NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def project(api: Any, work: Any) -> str:
    """A project with two iterations, a published name, a failed training's tag and a deleted image."""
    project = make_project(api, classificationType="Multiclass", description="all of it")
    fill(api, project)
    first = train(api, work, project)
    api.ok("PATCH", f"/projects/{project}/iterations/{first['id']}", json={"name": "the good one"})
    gone = api.ok("GET", f"/projects/{project}/images")[0]["id"]
    api("DELETE", f"/projects/{project}/images", params={"imageIds": gone})
    red = next(tag["id"] for tag in api.ok("GET", f"/projects/{project}/tags") if tag["name"] == "blue")
    upload(api, project, entry("more", picture(800, "blue"), red), metadata={"line": "7"})
    train(api, work, project)
    publish = {"publishName": "live", "predictionId": "r"}
    api.ok("POST", f"/projects/{project}/iterations/{first['id']}/publish", params=publish)
    return project


@contextmanager
def stranger(pieces: dict[str, bytes]) -> Iterator[str]:
    """A server whose answers are given by the ends of their paths; gives its host and port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pieces[self.path.partition(NOWHERE)[2]]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def export(api: Any, project: str) -> Any:
    return api.ok("GET", f"/projects/{project}/export")


def copied(api: Any, work: Any, project: str, **query: str) -> Any:
    begun = api.ok("POST", "/projects/import", params={"token": export(api, project)["token"], **query})
    assert begun["status"] == "Importing"
    assert work() == 1
    return api.ok("GET", f"/projects/{begun['id']}")


class TestExport:
    def test_counts_what_a_copy_would_hold(self, api: Any, project: str) -> None:
        found = export(api, project)
        assert (found["iterationCount"], found["imageCount"], found["tagCount"], found["regionCount"]) == (2, 11, 6, 0)
        assert found["estimatedImportTimeInMS"] == 1000 + 11 * 20 + 2 * 500
        assert "/transfers/" in found["token"]

    def test_waits_for_the_training(self, api: Any, project: str) -> None:
        api.ok("POST", f"/projects/{project}/train", params={"forceTrain": "true"})
        response = api("GET", f"/projects/{project}/export")
        assert (response.status_code, response.json()["code"]) == (400, "BadRequestExportWhileTraining")

    def test_pieces_open_with_their_own_signature_only(self, api: Any, project: str) -> None:
        token = export(api, project)["token"]
        head = api.client.get(token).json()
        assert head["project"]["name"] == "fruit"
        assert len(api.client.get(head["pages"][0]).json()["images"]) == 11
        forged = head["iterations"][0].replace(urlsplit(head["iterations"][0]).path, urlsplit(head["pages"][0]).path)
        assert api.client.get(forged).status_code == 403
        assert api.client.get(urlsplit(token).path).status_code == 403


class TestImport:
    def test_the_copy_is_as_the_original(self, api: Any, work: Any, project: str) -> None:
        copy = copied(api, work, project)
        assert (copy["name"], copy["status"], copy["description"]) == ("fruit (1)", "Succeeded", "all of it")
        assert copy["settings"] == api.ok("GET", f"/projects/{project}")["settings"]
        assert self.told(api, copy["id"]) == self.told(api, project)
        old, new = (api.ok("GET", f"/projects/{id}/iterations") for id in (project, copy["id"]))
        assert [each["name"] for each in new] == [each["name"] for each in old] == ["Iteration 2", "the good one"]
        assert [each["trainedAt"] for each in new] == [each["trainedAt"] for each in old]
        assert {each["publishName"] for each in new} == {None}
        assert not {each["id"] for each in old} & {each["id"] for each in new}
        for was, now in zip(old, new, strict=True):
            self.assert_same_model(api, (project, was["id"]), (copy["id"], now["id"]))

    def told(self, api: Any, project: str) -> Any:
        """What one sees of images and tags, without ids and links."""
        images = [
            (image["created"], image["width"], image.get("metadata"), [tag["tagName"] for tag in image.get("tags", [])])
            for image in api.ok("GET", f"/projects/{project}/images")
        ]
        pictures = [
            api.client.get(image["originalImageUri"]).content for image in api.ok("GET", f"/projects/{project}/images")
        ]
        tags = [(tag["name"], tag["type"], tag["imageCount"]) for tag in api.ok("GET", f"/projects/{project}/tags")]
        return images, pictures, tags

    def assert_same_model(self, api: Any, one: tuple[str, str], other: tuple[str, str]) -> None:
        answers = [
            api.ok(
                "POST",
                f"/projects/{project}/quicktest/image",
                params={"iterationId": iteration, "store": "false"},
                files={"imageData": picture(77, "blue")},
            )["predictions"]
            for project, iteration in (one, other)
        ]
        assert [row["tagName"] for row in answers[0]] == [row["tagName"] for row in answers[1]]
        assert np.allclose(*([row["probability"] for row in rows] for rows in answers), atol=1e-6)
        tags = {tag["id"] for tag in api.ok("GET", f"/projects/{other[0]}/tags")}
        assert {row["tagId"] for row in answers[1]} <= tags
        figures = [
            api.ok("GET", f"/projects/{project}/iterations/{iteration}/performance")
            for project, iteration in (one, other)
        ]
        assert figures[0]["averagePrecision"] == figures[1]["averagePrecision"]
        counts = [
            api.ok("GET", f"/projects/{project}/images/count", params={"iterationId": iteration})
            for project, iteration in (one, other)
        ]
        assert counts[0] == counts[1]

    def test_it_can_be_trained_again_once_something_changed(self, api: Any, work: Any, project: str) -> None:
        copy = copied(api, work, project, name="the copy")
        assert copy["name"] == "the copy"
        response = api("POST", f"/projects/{copy['id']}/train")
        assert response.json()["code"] == "BadRequestTrainingNotNeeded"
        assert train(api, work, copy["id"], forceTrain="true")["name"] == "Iteration 3"

    def test_regions_come_along(self, api: Any, work: Any) -> None:
        project = make_project(api, domainId=DETECTION)
        tag = make_tag(api, project, "fork")
        box = {"tagId": tag, "left": 0.25, "top": 0.5, "width": 0.125, "height": 0.25}
        upload(api, project, {**entry("a", picture(1)), "regions": [box]})
        copy = copied(api, work, project)
        assert copy["settings"]["domainId"] == DETECTION
        (image,) = api.ok("GET", f"/projects/{copy['id']}/images")
        (region,) = image["regions"]
        assert {name: region[name] for name in ("left", "top", "width", "height")} == {
            name: box[name] for name in ("left", "top", "width", "height")
        }
        assert region["tagId"] == image["tags"][0]["tagId"] != tag

    def test_a_name_that_is_taken_is_refused_where_it_was_asked_for(self, api: Any, project: str) -> None:
        response = api("POST", "/projects/import", params={"token": export(api, project)["token"], "name": "Fruit"})
        assert response.json()["code"] == "BadRequestProjectNameNotUnique"

    @pytest.mark.parametrize(
        "token",
        [
            "nonsense",
            "http://127.0.0.1:9/transfers/" + NOWHERE,
            "https://no-such-host.invalid/transfers/" + NOWHERE + "?se=x&sig=y",
            "/transfers/" + NOWHERE + "/../../etc/passwd",
            "http://testserver/files/images/ab/abc",
        ],
    )
    def test_a_token_that_leads_nowhere_is_refused(self, api: Any, token: str) -> None:
        response = api("POST", f"/projects/import?token={quote(token, safe='')}")
        assert (response.status_code, response.json()["code"]) == (400, "BadRequestInvalidImportToken")

    @pytest.mark.parametrize(
        ("pieces", "words"),
        [
            ({"": b"no JSON"}, "is no JSON"),
            ({"": b"[]"}, "is no piece of a project"),
            ({"": b'{"format": 7}'}, "another format than 1"),
            ({"": b'{"format": 1}'}, "cannot be read (KeyError('project'))"),
            ({"": b'{"format": 1, "project": {"name": 7}}'}, "cannot be read"),
        ],
    )
    def test_a_head_that_cannot_be_read_is_refused(self, api: Any, pieces: dict[str, bytes], words: str) -> None:
        with stranger(pieces) as address:
            api.allow(address)
            response = api("POST", "/projects/import", params={"token": f"http://{address}/transfers/{NOWHERE}"})
        assert (response.status_code, response.json()["code"]) == (400, "BadRequestInvalidImportToken")
        assert words in response.json()["message"]

    def test_an_old_token_is_refused(self, api: Any, project: str) -> None:
        token = export(api, project)["token"]
        api.advance(timedelta(hours=25))
        response = api("POST", "/projects/import", params={"token": token})
        assert response.json()["code"] == "BadRequestInvalidImportToken"

    def test_what_was_changed_meanwhile_makes_it_fail_and_nothing_is_half(
        self, api: Any, work: Any, project: str
    ) -> None:
        begun = api.ok("POST", "/projects/import", params={"token": export(api, project)["token"]})
        make_tag(api, begun["id"], "red")
        assert work() == 1
        assert api.ok("GET", f"/projects/{begun['id']}")["status"] == "Failed"
        assert api.ok("GET", f"/projects/{begun['id']}/images") == []
        assert api.ok("GET", f"/projects/{begun['id']}/iterations") == []

    def test_an_original_that_is_gone_makes_it_fail(self, api: Any, work: Any) -> None:
        project = make_project(api)
        begun = api.ok("POST", "/projects/import", params={"token": export(api, project)["token"]})
        api("DELETE", f"/projects/{project}")
        assert work() == 1
        assert api.ok("GET", f"/projects/{begun['id']}")["status"] == "Failed"

    def test_what_this_server_may_not_hold_is_refused(self, api: Any, project: str) -> None:
        token = export(api, project)["token"]
        for limit, code in (
            ({"images": 10}, "BadRequestImageExceededCount"),
            ({"tags": 1}, "BadRequestExceedTagPerProjectLimit"),
            ({"iterations": 1}, "BadRequestExceedIterationPerProjectLimit"),
            ({"projects": 1}, "BadRequestExceedProjectLimit"),
        ):
            api.limit(**limit)
            assert api("POST", "/projects/import", params={"token": token}).json()["code"] == code
