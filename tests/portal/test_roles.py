"""Roles: the portal offers what the API allows with the same key, and no more."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.portal.conftest import PORTAL, TRAINING, Open, Visit
from tests.portal.steps import add, project, tag
from tests.support import planted
from tests.support.pictures import picture
from tests.support.server import Server

RESOURCE = "crew"
NAME = "Bolts"
UNTRAINED = "Nuts"
ROLES = ("Reader", "Labeler", "Trainer", "Deployment", "Contributor")
NOBODY = UUID(int=1)
FORBIDDEN = 403


@dataclass(frozen=True)
class Offer:
    """What a page offers, and a call of the API that does such a thing, with no effect where it is allowed."""

    page: str
    role: str
    name: str
    call: str


# Each page, and what everybody sees there.
PAGES = {
    "images": ("gridcell", "Image 1, untagged"),
    "label": ("listitem", "Image 1"),
    "performance": ("heading", "Planted"),
    "test": ("heading", "Quick test"),
    "settings": ("heading", "Settings"),
}
LABEL = "POST /projects/{project}/tags?name="
TRAIN = "POST /projects/{project}/train?trainingType=Never"
OFFERS = (
    Offer("images", "button", "Add images", LABEL),
    Offer("images", "textbox", "New tag", LABEL),
    Offer("images", "button", "Train", TRAIN),
    Offer("label", "button", "bolt", LABEL),
    Offer("performance", "button", "Publish", "POST /projects/{project}/iterations/{nobody}/publish?publishName=a"),
    Offer("test", "button", "Choose photos", "POST /projects/{project}/quicktest/image?iterationId={nobody}"),
    Offer("settings", "button", "Save", "PATCH /projects/{nobody}"),
    Offer("settings", "button", "Make a token", "GET /projects/{nobody}/export"),
    Offer("settings", "textbox", f"Type “{NAME}” to confirm", "DELETE /projects/{nobody}"),
)
CREATE = Offer("", "button", "New project", "POST /projects?name=")


@pytest.fixture(scope="module")
def keys(server: Server) -> dict[str, str]:
    """A key of each role, all of one resource."""
    return {role: planted.key(server.data, RESOURCE, role) for role in ROLES}


@pytest.fixture(scope="module")
def crew(browser: Browser, server: Server, keys: dict[str, str]) -> dict[str, str]:
    """Two projects of the resource, each with two tags and an image without any; one has a model."""
    context = browser.new_context()
    owner = Visit(context.new_page(), server.endpoint)
    owner.sign_in(keys["Contributor"])
    found = {name: project(owner, name) for name in (NAME, UNTRAINED)}
    tags = {name: [tag(owner, id, each) for each in ("bolt", "nut")] for name, id in found.items()}
    for id in found.values():
        add(owner, id, [picture(1)])
    planted.trained(server.data, found[NAME], tags[NAME])
    context.close()
    return found


def arrive(visited: Visit, project: str, name: str) -> Page:
    """Open a page of a project and wait until it is there."""
    page = visited.open(f"/projects/{project}/{name}")
    role, what = PAGES[name]
    expect(page.get_by_role(role, name=what, exact=True)).to_be_visible()  # pyright: ignore[reportArgumentType]
    return page


def offered(page: Page, role: str, name: str) -> bool:
    """Whether something is there to be used."""
    found = page.get_by_role(role, name=name, exact=True, disabled=False)  # pyright: ignore[reportArgumentType]
    return found.count() > 0


def allowed(visited: Visit, call: str, project: str) -> bool:
    """Ask the API, as the same caller."""
    method, path = call.format(project=project, nobody=NOBODY).split()
    url = visited.endpoint + TRAINING + path
    return visited.page.request.fetch(url, method=method, headers=PORTAL).status != FORBIDDEN


class TestOffers:
    @pytest.mark.parametrize("role", ROLES)
    def test_are_what_the_api_allows(self, visit: Open, keys: dict[str, str], crew: dict[str, str], role: str) -> None:
        visited, id = visit(key=keys[role]), crew[NAME]
        found: dict[Offer, bool] = {}
        for name in dict.fromkeys(offer.page for offer in OFFERS):
            page = arrive(visited, crew[UNTRAINED] if name == "label" else id, name)
            found |= {each: offered(page, each.role, each.name) for each in OFFERS if each.page == name}
        page = visited.open("/")
        expect(page.get_by_role("link", name=NAME)).to_be_visible()
        found[CREATE] = offered(page, CREATE.role, CREATE.name)
        assert found == {offer: allowed(visited, offer.call, id) for offer in (*OFFERS, CREATE)}


class TestForbidden:
    def test_is_told_and_shown(self, visit: Open, keys: dict[str, str], crew: dict[str, str]) -> None:
        visited = visit(key=keys["Reader"])
        page = arrive(visited, crew[NAME], "test")
        expect(page.get_by_text("Your role may not test models.")).to_be_visible()
        visited.check("quick-test-reader")
        page = arrive(visited, crew[NAME], "images")
        page.get_by_role("button", name="Train").hover(force=True)
        expect(page.get_by_role("tooltip")).to_contain_text("Your role, Reader, may not train.")
        visited.check("images-reader")
