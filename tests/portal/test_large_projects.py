"""A project of as many images as one may hold: it is gone through, and ranges of it are selected."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.portal.conftest import Open
from tests.support import planted
from tests.support.server import Server

COUNT = 100_000
MOST_CELLS = 150
PAGE = 256  # images that the portal reads at once


@pytest.fixture(scope="module")
def large(server: Server) -> str:
    """A project of a hundred thousand images."""
    return planted.project(server.data, "Large", COUNT)


@pytest.fixture
def grid(visit: Open, large: str) -> Iterator[Page]:
    """The images of the large project."""
    visited = visit()
    page = visited.open(f"/projects/{large}/images")
    expect(page.get_by_role("status").filter(has_text="100,000 images")).to_be_visible()
    expect(cell(page, 1)).to_be_visible()
    yield page
    assert page.get_by_role("gridcell").count() < MOST_CELLS


def cell(page: Page, place: int) -> Locator:
    return page.get_by_role("gridcell", name=f"Image {place}, untagged", exact=True)


def seen(page: Page, place: int) -> None:
    """Wait until an image is on the screen with its picture."""
    expect(cell(page, place)).to_be_in_viewport()
    expect(cell(page, place).locator("img")).to_have_js_property("naturalWidth", 64)


def scroll_to(page: Page, place: int) -> None:
    """Turn the wheel at once as far as an image, and wait until it is there."""
    columns = int(page.get_by_role("grid").get_attribute("aria-colcount") or 0)
    above, below = (cell(page, at).bounding_box() for at in (1, 1 + columns))
    assert above
    assert below
    page.mouse.wheel(0, (below["y"] - above["y"]) * ((place - 1) // columns))
    expect(cell(page, place).locator("img")).to_be_in_viewport()


class TestGoing:
    def test_to_the_last_image_and_back(self, grid: Page) -> None:
        cell(grid, 1).focus()
        grid.keyboard.press("End")
        seen(grid, COUNT)
        expect(cell(grid, COUNT)).to_be_focused()
        grid.keyboard.press("ArrowLeft")
        expect(cell(grid, COUNT - 1)).to_be_focused()
        assert grid.get_by_role("gridcell").count() < MOST_CELLS
        grid.keyboard.press("Home")
        seen(grid, 1)
        expect(cell(grid, 1)).to_be_focused()
        cell(grid, 1).hover()
        grid.mouse.wheel(0, 100_000_000)
        seen(grid, COUNT)


class TestRange:
    def test_by_keys_from_the_focus_on_and_across_pages(self, grid: Page) -> None:
        cell(grid, 1).focus()
        for _ in range(3):
            grid.keyboard.press("ArrowRight")
        expect(cell(grid, 4)).to_be_focused()
        grid.keyboard.press("Shift+ArrowRight")
        expect(grid.get_by_text("2 selected")).to_be_visible()
        place = 5
        while place <= PAGE:
            grid.keyboard.press("Shift+PageDown")
            place = self.focused(grid, beyond=place)
        expect(grid.get_by_text(f"{place - 3} selected")).to_be_visible()

    def focused(self, page: Page, beyond: int) -> int:
        """Wait until an image further on has the focus; give its place."""
        found = page.wait_for_function(
            "(beyond) => { const at = Number(document.activeElement?.dataset.place) + 1; return at > beyond && at; }",
            arg=beyond,
        )
        return int(found.json_value())

    def test_by_mouse_over_what_was_never_in_sight(self, grid: Page) -> None:
        cell(grid, 1).locator("[data-mark]").click()
        expect(grid.get_by_text("1 selected")).to_be_visible()
        scroll_to(grid, 600)
        cell(grid, 600).click(modifiers=["Shift"])
        expect(grid.get_by_text("600 selected")).to_be_visible()
