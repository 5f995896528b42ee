"""Help for labelling in the browser: the assistant that learns with each tag, and the Smart Labeler."""

import base64
import json
from typing import Any

from playwright.sync_api import expect
from tests.portal.conftest import Open

from foveal import samples


def parts(visited: Any, name: str, per_tag: int = 12) -> str:
    """A project with untagged photos of parts, and its two tags."""
    project = visited.call("POST", "/projects", params={"name": name, "classificationType": "Multiclass"})["id"]
    photos = samples.dataset(5, per_tag)
    entries = [
        {"name": f"{tag}-{at}.jpg", "contents": base64.b64encode(content).decode()}
        for at in range(per_tag)
        for tag, content in ((tag, photos[tag][at]) for tag in samples.TAGS)
    ]
    visited.call("POST", f"/projects/{project}/images/files", data=json.dumps({"images": entries}))
    for tag in samples.TAGS:
        visited.call("POST", f"/projects/{project}/tags", params={"name": tag})
    return project


def tagged(visited: Any, project: str) -> int:
    return visited.call("GET", f"/projects/{project}/images/tagged/count")


class TestAssistant:
    def test_suggestions_begin_with_four_tags_and_change_with_each(self, visit: Open) -> None:
        visited = visit()
        project = parts(visited, "Assisted")
        page = visited.open(f"/projects/{project}/label")
        expect(page.get_by_role("heading", name="Tag these first")).to_be_visible()
        card = page.get_by_role("listitem", name="Image 1", exact=True)
        for tag in ("good", "good", "scratched", "scratched"):
            before = tagged(visited, project)
            card.get_by_role("button", name=tag).click()
            expect(page.get_by_text("1 image tagged").first).to_be_visible()
            while tagged(visited, project) == before:
                page.wait_for_timeout(50)
            page.reload()
        expect(page.get_by_text("Learned from 4 tagged images. 20 untagged.")).to_be_visible()
        visited.check("assistant")
        page.get_by_role("listitem").first.get_by_role("button", name="good").click()
        expect(page.get_by_text("Learned from 5 tagged images. 19 untagged.")).to_be_visible()
        group = page.get_by_role("button", name="Confirm").first
        page.get_by_role("checkbox", name="Tick image").first.check()
        group.click()
        expect(page.get_by_text("confirmed as").first).to_be_visible()
        assert tagged(visited, project) > 5


class TestSmartLabeler:
    def test_the_queue_is_reviewed_and_confirmed_in_one_go(self, visit: Open) -> None:
        visited = visit()
        project = parts(visited, "Queued")
        tags = {tag["name"]: tag["id"] for tag in visited.call("GET", f"/projects/{project}/tags")}
        images = visited.call("GET", f"/projects/{project}/images", params={"orderBy": "Oldest"})
        pairs = [
            {"imageId": image["id"], "tagId": tags[samples.TAGS[at % 2]]} for at, image in enumerate(images) if at < 12
        ]
        visited.call("POST", f"/projects/{project}/images/tags", data=json.dumps({"tags": pairs}))
        page = visited.open(f"/projects/{project}/label?kind=smart")
        expect(page.get_by_role("heading", name="Train first")).to_be_visible()
        visited.call("POST", f"/projects/{project}/train")
        while visited.call("GET", f"/projects/{project}/iterations")[0]["status"] == "Training":
            page.wait_for_timeout(200)
        page.reload()
        expect(page.get_by_text("12 are untagged and not looked at yet.")).to_be_visible()
        page.get_by_role("textbox", name="How many images").fill("8")
        page.get_by_role("button", name="Get suggestions").click()
        expect(page.get_by_role("listitem", name="Image 8")).to_be_visible()
        visited.check("smart-labeler")
        page.get_by_role("button", name="Tick all").click()
        page.get_by_role("button", name="Confirm 8").click()
        expect(page.get_by_text("8 images confirmed")).to_be_visible()
        assert tagged(visited, project) == 20
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("Undone")).to_be_visible()
        assert tagged(visited, project) == 12
