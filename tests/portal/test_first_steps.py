"""Signing in and making a project."""

from playwright.sync_api import expect
from tests.portal.conftest import Open
from tests.support.server import TRAINING_KEY


class TestSignIn:
    def test_a_key_opens_the_portal_and_signing_out_closes_it(self, visit: Open) -> None:
        visited = visit(key=None)
        page = visited.open("/")
        expect(page.get_by_role("heading", name="Sign in to Foveal")).to_be_visible()
        visited.check("sign-in")
        page.get_by_label("Key", exact=True).fill("no-such-key")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("This is no key for training of this server.")
        page.get_by_label("Key", exact=True).fill(TRAINING_KEY)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Projects")).to_be_visible()
        page.get_by_role("button", name="More actions").click()
        page.get_by_role("menuitem", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in to Foveal")).to_be_visible()

    def test_a_menu_gives_the_keyboard_back_to_its_button(self, visit: Open) -> None:
        page = visit().open("/")
        button = page.get_by_role("button", name="More actions")
        for _ in range(2):  # it is loaded with the first opening
            button.press("Enter")
            expect(page.get_by_role("menuitem", name="Sign out")).to_be_visible()
            page.keyboard.press("Escape")
            expect(page.get_by_role("menu")).to_have_count(0)
            expect(button).to_be_focused()


class TestProjects:
    def test_a_newcomer_makes_a_project(self, visit: Open) -> None:
        visited = visit()
        page = visited.open("/")
        page.get_by_role("button", name="New project").first.click()
        page.get_by_label("Name").fill("Metal parts")
        page.get_by_role("radio", name="Any number").click()
        visited.check("new-project")
        page.get_by_role("button", name="Create").click()
        expect(page.get_by_text("Metal parts was made")).to_be_visible()
        page.get_by_role("link", name="Foveal: all projects").click()
        card = page.get_by_role("link", name="Metal parts")
        expect(card).to_contain_text("Classification · several tags per image · General")
        visited.check("projects")

    def test_a_computer_that_lost_its_network_still_reaches_the_server_on_it(self, visit: Open) -> None:
        visited = visit()
        id = visited.call("POST", "/projects", params={"name": "Offline", "classificationType": "Multiclass"})["id"]
        page = visited.open("/")
        expect(page.get_by_role("link", name="Offline")).to_be_visible()
        page.evaluate("dispatchEvent(new Event('offline'))")  # what a browser tells when the last network goes
        visited.open(f"/projects/{id}/performance")
        expect(page.get_by_role("heading", name="No model yet")).to_be_visible()
