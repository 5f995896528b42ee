"""Stored predictions: put in order, and filtered by tag, by time and by iteration."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.portal.conftest import Open, Visit
from tests.portal.steps import project, tag
from tests.support import planted
from tests.support.server import Server

# How long ago a model was asked, and how probable it found a good and a scratched part.
ANSWERS = {
    timedelta(minutes=5): [0.95, 0.05],
    timedelta(hours=3): [0.55, 0.45],
    timedelta(days=2): [0.02, 0.98],
    timedelta(days=20): [0.7, 0.3],
}
NEWEST = ["good 95 %", "good 55 %", "scratched 98 %", "good 70 %"]


@pytest.fixture
def visited(visit: Open, server: Server) -> Visit:
    """The stored predictions of a project, one more being of another iteration."""
    visited = visit()
    id = project(visited, f"Answers {len(visited.call('GET', '/projects'))}")
    tags = [tag(visited, id, name) for name in ("good", "scratched")]
    asked, other = (planted.trained(server.data, id, tags, name=name) for name in ("Asked", "Other"))
    planted.answered(server.data, id, asked, ANSWERS)
    planted.answered(server.data, id, other, {timedelta(days=25): [0.99, 0.01]})
    visited.open(f"/projects/{id}/predictions?iteration={asked}")
    expect(cards(visited.page)).to_have_count(4)
    return visited


def cards(page: Page) -> Locator:
    return page.get_by_role("list", name="Stored predictions").get_by_role("listitem")


def choose(page: Page, field: str, option: str) -> None:
    page.get_by_role("combobox", name=field, exact=True).select_option(option)


def shows(page: Page, *said: Any) -> None:
    """Wait until the cards say this, in this order."""
    expect(cards(page)).to_have_count(len(said))
    expect(cards(page)).to_contain_text(list(said))


def raise_least(slider: Locator, by: int) -> None:
    for _ in range(by):
        slider.press("ArrowRight")


class TestFilters:
    def test_order_time_and_iteration(self, visited: Visit) -> None:
        page = visited.page
        shows(page, "good 55 %", "good 70 %", "good 95 %", "scratched 98 %")
        choose(page, "Order", "Oldest first")
        shows(page, *reversed(NEWEST))
        page.reload()
        shows(page, *reversed(NEWEST))
        choose(page, "Order", "Newest first")
        for since, count in (("The last week", 3), ("The last day", 2), ("The last hour", 1), ("Any time", 4)):
            choose(page, "Time", since)
            shows(page, *NEWEST[:count])
        choose(page, "Iteration", "Other")
        shows(page, "good 99 %")
        choose(page, "Iteration", "All iterations")
        expect(cards(page)).to_have_count(5)

    def test_by_tag_and_how_probable_it_is(self, visited: Visit) -> None:
        page = visited.page
        choose(page, "Order", "Newest first")
        choose(page, "Tag", "scratched")
        raise_least(page.get_by_role("slider", name="Least probability"), 6)
        expect(page.get_by_text("Probability from 6 % to 100 %")).to_be_visible()
        shows(page, *NEWEST[1:])
        visited.check("predictions-filtered")
        choose(page, "And tag", "good")
        raise_least(page.get_by_role("slider", name="Least probability").last, 3)
        shows(page, "good 55 %", "good 70 %")

    def test_nothing_fits_and_the_way_out_is_offered(self, visited: Visit) -> None:
        page = visited.page
        page.get_by_label("Application").fill("nobody")
        expect(page.get_by_role("heading", name="No prediction fits these filters.")).to_be_visible()
        visited.check("predictions-none-fit")
        page.get_by_role("button", name="Clear the filters").click()
        expect(cards(page)).to_have_count(5)
        expect(page.get_by_label("Application")).to_have_value("")
