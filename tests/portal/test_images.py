"""Bringing images into a classification project and tagging them."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.portal.conftest import NARROW, Open
from tests.portal.steps import project
from tests.support.pictures import picture


def choose(page: Page, label: str, files: list[Any]) -> None:
    page.get_by_label(label).first.set_input_files(files)


class TestAdding:
    def test_folders_become_tags_and_each_file_tells_what_became_of_it(self, visit: Open, folders: Path) -> None:
        visited = visit()
        id = project(visited, "Folders")
        page = visited.open(f"/projects/{id}/images")
        expect(page.get_by_role("heading", name="Add the first images")).to_be_visible()
        visited.check("images-empty")
        (folders / "good" / "notes.jpg").write_text("no picture")
        choose(page, "Choose a folder", [str(folders)])
        expect(page.get_by_label("Tag for folder good")).to_have_value("good")
        page.get_by_label("Tag for folder scratched").fill("damaged")
        visited.check("upload-plan")
        page.get_by_role("button", name="Add 17 images").click()
        expect(page.get_by_text("16 added")).to_be_visible()
        expect(page.get_by_text("1 refused")).to_be_visible()
        expect(page.get_by_text("This is no picture that can be read")).to_be_visible()
        visited.check("upload-done")
        page.get_by_role("button", name="Close").last.click()
        expect(page.get_by_role("checkbox", name="damaged (8)")).to_be_visible()
        expect(page.get_by_role("gridcell")).to_have_count(16)
        counts = {tag["name"]: tag["imageCount"] for tag in visited.call("GET", f"/projects/{id}/tags")}
        assert counts == {"good": 8, "damaged": 8}
        visited.check("images")

    def test_a_narrow_screen_has_all_of_it(self, visit: Open) -> None:
        visited = visit(viewport=NARROW, color_scheme="dark")
        id = project(visited, "Narrow")
        page = visited.open(f"/projects/{id}/images")
        expect(page.get_by_role("heading", name="Add the first images")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        visited.check("images-narrow")


@pytest.fixture
def filled(visit: Open) -> tuple[Any, str]:
    visited = visit()
    id = project(visited, f"Grid {len(visited.call('GET', '/projects'))}")
    images = [{"name": f"{n}.png", "contents": base64.b64encode(picture(n, "blue")).decode()} for n in range(20)]
    visited.call("POST", f"/projects/{id}/images/files", data=json.dumps({"images": images}))
    for name in ("cat", "dog"):
        visited.call("POST", f"/projects/{id}/tags", params={"name": name})
    return visited, id


class TestGrid:
    def test_tagging_by_mouse_and_keys_and_taking_it_back(self, filled: tuple[Any, str]) -> None:
        visited, id = filled
        page = visited.open(f"/projects/{id}/images")
        cells = page.get_by_role("gridcell")
        expect(cells).to_have_count(20)
        cells.first.focus()
        page.keyboard.press("Space")
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Shift+ArrowRight")
        expect(page.get_by_text("3 selected")).to_be_visible()
        page.keyboard.press("1")
        expect(page.get_by_text("3 images tagged “cat”")).to_be_visible()
        expect(page.get_by_role("checkbox", name="cat (3)")).to_be_visible()
        visited.check("images-selected")
        page.get_by_role("combobox", name="Find or create a tag").fill("bird")
        page.keyboard.press("Enter")
        expect(page.get_by_role("checkbox", name="bird (3)")).to_be_visible()
        expect(page.get_by_role("checkbox", name="cat (0)")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("checkbox", name="cat (3)")).to_be_visible()
        page.get_by_role("checkbox", name="cat (3)").click()
        expect(cells).to_have_count(3)
        page.get_by_role("button", name="Select all").click()
        expect(page.get_by_text("3 selected")).to_be_visible()
        page.get_by_role("button", name="Delete").click()
        expect(page.get_by_text("3 images will be deleted")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        assert visited.call("GET", f"/projects/{id}/images/count") == 20

    def test_tags_are_renamed_made_negative_and_deleted(self, filled: tuple[Any, str]) -> None:
        visited, id = filled
        page = visited.open(f"/projects/{id}/images")
        page.get_by_role("button", name="Actions for cat").click()
        page.get_by_role("menuitem", name="Rename").click()
        page.get_by_role("textbox", name="Rename").fill("dog")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("dog")
        page.get_by_role("textbox", name="Rename").fill("lion")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Actions for lion").click()
        page.get_by_role("menuitem", name="Make it the negative tag").click()
        expect(page.get_by_text("negative", exact=True)).to_be_visible()
        page.get_by_role("button", name="Actions for dog").click()
        page.get_by_role("menuitem", name="Delete the tag").click()
        page.get_by_role("button", name="Delete the tag").click()
        expect(page.get_by_role("checkbox", name="dog (0)")).to_be_hidden()
        assert [tag["type"] for tag in visited.call("GET", f"/projects/{id}/tags")] == ["Negative"]
