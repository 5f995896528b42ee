"""One image of a classifier: tagged by keyboard, in the order of the grid, set aside, deleted."""

import base64
from typing import Any

import numpy as np
from playwright.sync_api import Page, expect
from tests.portal.conftest import NARROW, Open, Visit

from foveal import samples


def project(visited: Visit, kind: str, count: int) -> tuple[str, list[str]]:
    """A project with photos that bear no tag; its id and theirs, in the order of the grid."""
    id = visited.call("POST", "/projects", params={"name": f"Parts, {kind}", "classificationType": kind})["id"]
    rng = np.random.default_rng(11)
    entries = [
        {"name": str(at), "contents": base64.b64encode(samples.draw("good", rng)).decode()} for at in range(count)
    ]
    visited.call("POST", f"/projects/{id}/images/files", data={"images": entries})
    return id, [each["id"] for each in visited.call("GET", f"/projects/{id}/images")]


def tags_of(visited: Visit, project: str, image: str) -> list[str]:
    """What the server holds, once the page says that all is saved."""
    expect(visited.page.get_by_text("Saved", exact=True)).to_be_visible()
    found = visited.call("GET", f"/projects/{project}/images/id", params={"imageIds": image})[0]
    tags: list[dict[str, Any]] = found.get("tags") or []
    return [each["tagName"] for each in tags]


class TestTags:
    def test_an_image_is_tagged_by_keyboard_and_the_next_follows(self, visit: Open) -> None:
        visited = visit()
        id, (first, second, third) = project(visited, "Multiclass", 3)
        page = visited.open(f"/projects/{id}/images/{first}?status=untagged")
        chips = page.get_by_role("region", name="Tags of this image")
        expect(page.get_by_text("1 of 3")).to_be_visible()
        self.create(page)
        assert tags_of(visited, id, first) == ["bad"]
        page.keyboard.press("2")
        expect(chips).to_contain_text("good")
        page.keyboard.press("Control+z")
        expect(chips).to_contain_text("bad")
        assert tags_of(visited, id, first) == ["bad"]
        aside = page.get_by_role("switch", name="Set aside for testing")
        aside.click()
        expect(aside).to_be_checked()
        visited.check("editor-tags")

        page.keyboard.press("ArrowRight")
        expect(page.get_by_text("2 of 3")).to_be_visible()
        assert f"{second}?status=untagged" in page.url
        page.keyboard.press("1")
        expect(chips).to_contain_text("bad")
        assert tags_of(visited, id, second) == ["bad"]
        page.get_by_role("button", name="Delete this image").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.get_by_text("2 of 2")).to_be_visible()
        assert third in page.url
        page.get_by_role("button", name="Previous image").click()
        expect(chips).to_contain_text("bad")
        expect(aside).to_be_checked()
        assert visited.call("GET", f"/api/v1/projects/{id}/test-set")["imageIds"] == [first]

    def create(self, page: Page) -> None:
        """Make two tags; the second takes the place of the first."""
        field = page.get_by_role("combobox", name="Choose or create a tag")
        for name in ("good", "bad"):
            field.fill(name)
            field.press("Enter")
            expect(page.get_by_role("button", name=f"Remove {name}")).to_be_visible()
        field.blur()

    def test_no_tag_stands_beside_a_negative_one_on_a_phone(self, visit: Open) -> None:
        visited = visit(viewport=NARROW, has_touch=True, color_scheme="dark")
        id, (image,) = project(visited, "Multilabel", 1)
        for name, kind in (("round", "Regular"), ("shiny", "Regular"), ("nothing", "Negative")):
            visited.call("POST", f"/projects/{id}/tags", params={"name": name, "type": kind})
        page = visited.open(f"/projects/{id}/images/{image}")
        toggles = page.get_by_role("region", name="All tags").get_by_role("button")
        toggles.nth(0).tap()
        toggles.nth(1).tap()
        assert tags_of(visited, id, image) == ["round", "shiny"]
        visited.check("editor-tags-narrow-dark")
        toggles.nth(2).tap()
        assert tags_of(visited, id, image) == ["nothing"]
        page.get_by_role("button", name="Remove nothing").tap()
        assert tags_of(visited, id, image) == []
