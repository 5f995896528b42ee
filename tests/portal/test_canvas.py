"""The picture of the editor: boxes that are proposed, boxes made by keyboard alone, zoom and pushing."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect
from tests.portal.conftest import Open, Visit
from tests.portal.steps import add, project, tag
from tests.support.flows import DETECTION

from foveal import samples

SIZE = (640, 480)
ALT = "The image that is being edited"
BOX = {"left": 0.25, "top": 0.25, "width": 0.25, "height": 0.25}


def begin(visited: Visit, name: str, *boxes: dict[str, float]) -> tuple[str, str]:
    """Open the editor of a photo of a detection project with the tags bolt and nut; boxes are bolts."""
    id = project(visited, name, domainId=DETECTION)
    bolt, _ = (tag(visited, id, each) for each in ("bolt", "nut"))
    (image,) = add(visited, id, [samples.draw("good", np.random.default_rng(3), SIZE)])
    regions = [{"imageId": image, "tagId": bolt, **box} for box in boxes]
    if regions:
        visited.call("POST", f"/projects/{id}/images/regions", data={"regions": regions})
    visited.open(f"/projects/{id}/images/{image}")
    expect(visited.page.get_by_role("img", name=ALT)).to_be_visible()
    return id, image


def kept(visited: Visit, project: str, image: str) -> list[dict[str, Any]]:
    """The boxes that the server holds, once the page says that all is saved."""
    expect(visited.page.get_by_text("Saved", exact=True)).to_be_visible()
    return visited.call("GET", f"/projects/{project}/images/id", params={"imageIds": image})[0].get("regions") or []


def edges(box: dict[str, Any]) -> list[float]:
    return [box[edge] for edge in ("left", "top", "width", "height")]


def ground(page: Page) -> dict[str, float]:
    """Where the picture is on the screen."""
    found = page.get_by_role("img", name=ALT).bounding_box()
    assert found
    return dict(found)


def point(page: Page, x: float, y: float) -> tuple[float, float]:
    """The place on the screen of fractions of the picture's sides."""
    at = ground(page)
    return at["x"] + x * at["width"], at["y"] + y * at["height"]


def shape(page: Page, number: int, name: str) -> Locator:
    return page.get_by_role("button", name=f"Box {number}: {name}", exact=True)


class TestProposals:
    def test_what_stands_out_is_taken_by_a_click(self, visit: Open) -> None:
        visited = visit()
        id, image = begin(visited, "Proposed")
        page = visited.page
        proposals = visited.call("POST", f"/projects/{id}/images/{image}/regionproposals")["proposals"]
        smallest = min((each["boundingBox"] for each in proposals), key=lambda box: box["width"] * box["height"])
        middle = smallest["left"] + smallest["width"] / 2, smallest["top"] + smallest["height"] / 2
        offered = page.locator("svg[aria-hidden=true] rect[class*=proposal]")
        with page.expect_response("**/regionproposals"):
            page.reload()
        page.mouse.move(*point(page, *middle))
        expect(offered).to_be_visible()
        visited.picture("editor-proposal")
        page.mouse.click(*point(page, *middle))
        page.get_by_role("dialog", name="Which tag?").get_by_role("combobox").press("Enter")
        expect(shape(page, 1, "bolt")).to_be_visible()
        (box,) = kept(visited, id, image)
        assert edges(box) == pytest.approx(edges(smallest), abs=1e-4)


class TestKeyboard:
    def test_a_box_is_moved_resized_named_and_deleted(self, visit: Open) -> None:
        visited = visit()
        id, image = begin(visited, "By keyboard", BOX)
        page = visited.page
        page.get_by_role("group", name="Picture", exact=True).focus()
        page.keyboard.press("Tab")
        expect(shape(page, 1, "bolt")).to_be_focused()
        for key in ("Shift+ArrowRight", "ArrowUp", "Control+Shift+ArrowDown", "Alt+ArrowLeft", "2"):
            page.keyboard.press(key)
        expect(shape(page, 1, "nut")).to_be_visible()
        (box,) = kept(visited, id, image)
        expected = [0.25 + 10 / 640, 0.25 - 1 / 480, 0.25 - 1 / 640, 0.25 + 10 / 480]
        assert edges(box) == pytest.approx(expected, abs=1e-4)
        page.keyboard.press("Enter")
        page.get_by_role("dialog", name="Which tag?").get_by_role("combobox").fill("washer")
        page.keyboard.press("Enter")
        expect(shape(page, 1, "washer")).to_be_visible()
        shape(page, 1, "washer").focus()
        page.keyboard.press("Backspace")
        expect(page.get_by_role("heading", name="0 boxes")).to_be_visible()
        assert kept(visited, id, image) == []

    def test_a_box_is_made(self, visit: Open) -> None:
        visited = visit()
        id, image = begin(visited, "Made by keyboard")
        page = visited.page
        page.get_by_role("group", name="Picture", exact=True).focus()
        page.keyboard.press("n")
        page.get_by_role("dialog", name="Which tag?").get_by_role("combobox").press("Enter")
        expect(shape(page, 1, "bolt")).to_be_visible()
        (box,) = kept(visited, id, image)
        with page.expect_response("**/images/regions?*"):  # the old box goes when the new one is there
            page.keyboard.press("ArrowLeft")
        assert kept(visited, id, image)[0]["left"] < box["left"]


class TestZoom:
    def test_by_keys_and_buttons(self, visit: Open) -> None:
        visited = visit()
        begin(visited, "Zoomed by keys")
        page = visited.page
        fitted = ground(page)
        page.get_by_role("button", name="Zoom in").click()
        grown(page, fitted, 1.25)
        page.keyboard.press("-")
        grown(page, fitted, 1)
        for at, key in enumerate(("=", "+", "Shift+Equal")):  # with and without Shift, as keyboards differ
            page.keyboard.press(key)
            grown(page, fitted, 1.25 ** (at + 1))
        page.keyboard.press("0")
        grown(page, fitted, 1)

    def test_by_wheel_and_what_is_drawn_stays_true(self, visit: Open) -> None:
        visited = visit()
        id, image = begin(visited, "Zoomed by wheel")
        page = visited.page
        fitted = ground(page)
        place = point(page, 0.7, 0.6)
        page.mouse.move(*place)
        page.keyboard.down("Control")
        page.mouse.wheel(0, -400)
        page.keyboard.up("Control")
        grown(page, fitted, 2.718)
        assert point(page, 0.7, 0.6) == pytest.approx(place, abs=3)
        visited.check("editor-zoomed")

        page.mouse.move(*point(page, 0.6, 0.5))
        page.mouse.down()
        page.mouse.move(*point(page, 0.75, 0.65), steps=4)
        page.mouse.up()
        page.get_by_role("dialog", name="Which tag?").get_by_role("combobox").press("Enter")
        expect(shape(page, 1, "bolt")).to_be_visible()
        (box,) = kept(visited, id, image)
        assert edges(box) == pytest.approx([0.6, 0.5, 0.15, 0.15], abs=0.002)

    def test_a_large_picture_is_pushed(self, visit: Open) -> None:
        visited = visit()
        id, image = begin(visited, "Pushed", BOX)
        page = visited.page
        fitted = ground(page)
        for _ in range(6):
            page.keyboard.press("=")
        grown(page, fitted, 1.25**6)
        grown_at = point(page, 0.5, 0.5)
        page.mouse.move(*grown_at)
        page.keyboard.down("Space")
        push(page, grown_at, "left")
        page.keyboard.up("Space")
        assert point(page, 0.5, 0.5) == pytest.approx((grown_at[0] - 80, grown_at[1] - 60), abs=1)
        push(page, grown_at, "middle")
        assert point(page, 0.5, 0.5) == pytest.approx((grown_at[0] - 160, grown_at[1] - 120), abs=1)
        expect(page.get_by_role("heading", name="1 box")).to_be_visible()
        assert edges(kept(visited, id, image)[0]) == pytest.approx(edges(BOX), abs=1e-4)


def push(page: Page, start: tuple[float, float], button: Any) -> None:
    page.mouse.move(*start)
    page.mouse.down(button=button)
    page.mouse.move(start[0] - 80, start[1] - 60, steps=4)
    page.mouse.up(button=button)


def grown(page: Page, fitted: dict[str, float], factor: float) -> None:
    """Wait until the picture is so many times as wide as it was."""
    picture = page.get_by_role("img", name=ALT)
    width = round(fitted["width"] * factor)
    page.wait_for_function(
        "([image, width]) => Math.abs(image.getBoundingClientRect().width - width) <= 2",
        arg=[picture.element_handle(), width],
    )
