"""Requests that want the same thing at the same time: one gets it, nobody meets a failure of ours."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from tests.support.flows import entry, fill, make_project, make_tag, upload
from tests.support.pictures import picture

CALLERS = 6


def together(call: Callable[[], Any]) -> Counter[int]:
    """Make one call from several threads at once; count the answers by status."""
    start = Barrier(CALLERS)

    def run(_: int) -> int:
        start.wait()
        return call().status_code

    with ThreadPoolExecutor(CALLERS) as pool:
        return Counter(pool.map(run, range(CALLERS)))


class TestTogether:
    def test_one_project_of_a_name(self, api: Any) -> None:
        statuses = together(lambda: api("POST", "/projects", params={"name": "one"}))
        assert statuses == {200: 1, 400: CALLERS - 1}

    def test_one_tag_of_a_name(self, api: Any) -> None:
        project = make_project(api)
        statuses = together(lambda: api("POST", f"/projects/{project}/tags", params={"name": "one"}))
        assert statuses == {200: 1, 400: CALLERS - 1}

    def test_one_image_of_a_picture(self, api: Any) -> None:
        project = make_project(api)
        statuses = together(lambda: upload(api, project, entry("a", picture(1))))
        assert statuses == {200: 1, 207: CALLERS - 1}
        assert api.ok("GET", f"/projects/{project}/images/count") == 1

    def test_a_tag_is_borne_once(self, api: Any) -> None:
        project = make_project(api)
        tag = make_tag(api, project, "t")
        image = upload(api, project, entry("a", picture(1))).json()["images"][0]["image"]["id"]
        body = {"tags": [{"imageId": image, "tagId": tag}]}
        statuses = together(lambda: api("POST", f"/projects/{project}/images/tags", json=body))
        assert set(statuses) <= {200, 409}
        assert api.ok("GET", f"/projects/{project}/tags/{tag}")["imageCount"] == 1

    def test_one_training(self, api: Any) -> None:
        project = make_project(api)
        fill(api, project)
        assert together(lambda: api("POST", f"/projects/{project}/train")) == {200: 1, 400: CALLERS - 1}
