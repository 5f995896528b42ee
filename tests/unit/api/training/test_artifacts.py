"""Files of a project by path."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.support.flows import entry, make_project, upload
from tests.support.pictures import picture


@pytest.fixture
def project(api: Any) -> str:
    return make_project(api)


@pytest.fixture
def image(api: Any, project: str) -> Any:
    return upload(api, project, entry("a", picture(1))).json()["images"][0]["image"]


def get(api: Any, project: str, path: str) -> Any:
    return api("GET", f"/projects/{project}/artifacts", params={"path": path})


class TestGet:
    def test_by_relative_path(self, api: Any, project: str, image: Any) -> None:
        folder = f"i-{UUID(project).hex}"
        original = get(api, project, f"{folder}/o-{image['id']}")
        assert (original.status_code, original.content) == (200, picture(1))
        assert original.headers["content-type"] == "application/octet-stream"
        shown = get(api, project, f"i-{project}/i-{image['id']}").content
        assert shown == api.client.get(image["resizedImageUri"]).content
        assert get(api, project, f"{folder}/t-{image['id']}").content == api.client.get(image["thumbnailUri"]).content

    def test_by_link(self, api: Any, project: str, image: Any) -> None:
        assert get(api, project, image["originalImageUri"]).content == picture(1)
        forged = image["originalImageUri"].replace("sig=", "sig=0")
        assert (get(api, project, forged).status_code, get(api, project, forged).json()["code"]) == (403, "Forbidden")

    def test_refuses_what_is_no_artifact_of_the_project(self, api: Any, project: str, image: Any) -> None:
        other = make_project(api, "other")
        for path in ("../keys.json", "images/ab/abc", f"i-{other}/i-{image['id']}", f"i-{project}/x-{image['id']}"):
            response = get(api, project, path)
            assert (response.status_code, response.json()["code"]) == (400, "BadRequestInvalidArtifactUri")
        assert get(api, other, f"i-{other}/i-{image['id']}").json()["code"] == "NotFoundImage"
        assert get(api, project, f"i-{project}/i-{uuid4()}").json()["code"] == "NotFoundImage"
        assert get(api, project, "").json()["code"] == "BadRequest"
