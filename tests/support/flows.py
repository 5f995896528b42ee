"""Steps that many tests begin with, through the API."""

import base64
from typing import Any

from tests.support.pictures import picture

DETECTION = "da2e3a8a-40a5-4171-82f4-58522f70fbc1"  # the domain General for object detection


def make_project(api: Any, name: str = "fruit", **query: str) -> str:
    return api.ok("POST", "/projects", params={"name": name, **query})["id"]


def make_tag(api: Any, project: str, name: str, **query: str) -> str:
    return api.ok("POST", f"/projects/{project}/tags", params={"name": name, **query})["id"]


def entry(name: str, data: bytes, *tags: str) -> dict[str, Any]:
    return {"name": name, "contents": base64.b64encode(data).decode(), "tagIds": list(tags)}


def upload(api: Any, project: str, *entries: dict[str, Any], **batch: Any) -> Any:
    return api("POST", f"/projects/{project}/images/files", json={"images": list(entries), **batch})


def fill(api: Any, project: str, colours: tuple[str, ...] = ("red", "blue"), count: int = 5) -> dict[str, str]:
    """Make a tag for each colour, with pictures of it; give the tags' ids by name."""
    tags = {colour: make_tag(api, project, colour) for colour in colours}
    for at, (colour, tag) in enumerate(tags.items()):
        entries = [entry(f"{colour}{n}", picture(100 * at + n, colour), tag) for n in range(count)]
        assert upload(api, project, *entries).status_code == 200
    return tags


def train(api: Any, work: Any, project: str, **query: str) -> Any:
    """Train to the end; give the iteration."""
    iteration = api.ok("POST", f"/projects/{project}/train", params=query)
    assert work() == 1
    return api.ok("GET", f"/projects/{project}/iterations/{iteration['id']}")
