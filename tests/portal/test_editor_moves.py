"""The editor of boxes under two fingers, and what becomes of changes when one leaves it."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect
from tests.portal.conftest import NARROW, Open, Visit
from tests.portal.steps import add, project
from tests.support.flows import DETECTION

from foveal import samples

REGIONS = "**/images/regions*"


def image(visited: Visit, name: str) -> tuple[str, str]:
    """A detection project with one photo without boxes; the ids of both."""
    id = project(visited, name, domainId=DETECTION)
    (photo,) = add(visited, id, [samples.draw("good", np.random.default_rng(3), (640, 480))])
    return id, photo


def place(page: Page) -> dict[str, float]:
    """Where the picture is on the screen."""
    ground = page.get_by_test_id("surface").bounding_box()
    assert ground
    return {**ground}


def draw(page: Page) -> None:
    ground = place(page)
    page.mouse.move(ground["x"] + 0.2 * ground["width"], ground["y"] + 0.2 * ground["height"])
    page.mouse.down()
    page.mouse.move(ground["x"] + 0.6 * ground["width"], ground["y"] + 0.7 * ground["height"], steps=4)
    page.mouse.up()
    field = page.get_by_role("combobox", name="Choose or create a tag")
    field.fill("part")
    field.press("Enter")


def test_two_fingers_zoom_about_their_middle_and_draw_nothing(visit: Open) -> None:
    visited = visit(viewport=NARROW, has_touch=True)
    id, photo = image(visited, "Two fingers")
    page = visited.open(f"/projects/{id}/images/{photo}")
    expect(page.get_by_test_id("surface")).to_be_visible()
    before = place(page)
    x, y = before["x"] + before["width"] / 2, before["y"] + before["height"] / 2
    hand = page.context.new_cdp_session(page)

    def touch(kind: str, *apart: float) -> None:
        points = [{"x": x + side, "y": y, "id": at} for at, side in enumerate(apart)]
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", -20)
    touch("touchMove", -26)
    touch("touchStart", -26, 26)
    for apart in (39, 52):
        touch("touchMove", -apart, apart)
    touch("touchEnd")
    expect(page.get_by_role("button", name="Box 1")).to_have_count(0)
    after = place(page)
    assert after["width"] / before["width"] == pytest.approx(2, abs=0.1)
    assert after["x"] + after["width"] / 2 == pytest.approx(x, abs=3)


def test_the_browsers_back_waits_for_changes_that_cannot_be_saved(visit: Open) -> None:
    visited = visit()
    id, photo = image(visited, "No way back")
    page = visited.open(f"/projects/{id}/images")
    page.get_by_role("gridcell").first.click()
    expect(page.get_by_test_id("surface")).to_be_visible()
    editor = page.url
    page.route(REGIONS, refuse)
    draw(page)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.go_back()
    dialog = page.get_by_role("dialog", name="Leave without saving?")
    expect(dialog).to_be_visible()
    visited.check("editor-leave")
    dialog.get_by_role("button", name="Cancel").click()
    assert page.url == editor
    page.unroute(REGIONS)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    kept: list[Any] = visited.call("GET", f"/projects/{id}/images/id", params={"imageIds": photo})[0]["regions"]
    assert [each["tagName"] for each in kept] == ["part"]
    page.go_back()
    expect(page.get_by_role("gridcell").first).to_be_visible()


def test_who_is_sure_leaves_and_loses_the_change(visit: Open) -> None:
    visited = visit()
    id, photo = image(visited, "Sure to leave")
    page = visited.open(f"/projects/{id}/images/{photo}")
    expect(page.get_by_test_id("surface")).to_be_visible()
    page.route(REGIONS, refuse)
    draw(page)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave and lose them").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    assert not visited.call("GET", f"/projects/{id}/images/id", params={"imageIds": photo})[0].get("regions")


def refuse(route: Route) -> None:
    """Answer as a server that cannot write."""
    body = {"code": "ServiceUnavailable", "message": "The disk is full."}
    route.fulfill(status=503, json=body)
