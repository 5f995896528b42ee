"""Settings, keys and roles."""

import json
import subprocess
import sys

from playwright.sync_api import expect
from tests.portal.conftest import Open
from tests.support.server import PREDICTION_KEY, TRAINING_KEY, Server


def made_key(server: Server, resource: str, role: str) -> str:
    """A key of a role, made as the one who runs the server makes it."""
    data = ("--data", str(server.data))
    foveal = [sys.executable, "-m", "foveal"]
    subprocess.run([*foveal, "resources", "create", resource, "--kind", "combined", *data], check=True)
    adding = [*foveal, "keys", "add", "--resource", resource, "--name", "mine", "--role", role, "--json", *data]
    return json.loads(subprocess.run(adding, check=True, capture_output=True, text=True).stdout)["mine"]


class TestSettings:
    def test_a_project_is_changed_and_deleted(self, visit: Open) -> None:
        visited = visit()
        project = visited.call("POST", "/projects", params={"name": "Before", "classificationType": "Multiclass"})["id"]
        page = visited.open(f"/projects/{project}/settings")
        page.get_by_role("textbox", name="Name", exact=True).fill("After")
        page.get_by_role("combobox", name="Tags per image").select_option("Any number")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Saved", exact=True)).to_be_visible()
        kept = visited.call("GET", f"/projects/{project}")
        assert (kept["name"], kept["settings"]["classificationType"]) == ("After", "Multilabel")
        expect(page.get_by_label("Training key", exact=True)).to_have_value(TRAINING_KEY)
        visited.check("settings")
        page.get_by_role("button", name="Make a token").click()
        expect(page.get_by_text("The copy will hold 0 images")).to_be_visible()
        delete = page.get_by_role("button", name="Delete the project")
        expect(delete).to_be_disabled()
        page.get_by_role("textbox", name="Type “After” to confirm").fill("After")
        delete.click()
        expect(page.get_by_text("After was deleted")).to_be_visible()
        assert project not in [each["id"] for each in visited.call("GET", "/projects")]

    def test_a_queue_that_takes_nothing_is_not_kept(self, visit: Open) -> None:
        visited = visit()
        project = visited.call("POST", "/projects", params={"name": "Told of trainings"})["id"]
        page = visited.open(f"/projects/{project}/settings")
        queue = page.get_by_role("textbox", name="Queue")
        queue.fill("http://127.0.0.1:1/queue?sig=secret")
        page.get_by_role("button", name="Try and save").click()
        expect(page.get_by_role("alert")).to_contain_text("BadRequestInvalidUri")
        assert not visited.call("GET", f"/projects/{project}")["settings"].get("notificationQueueUri")
        queue.fill("")
        page.get_by_role("button", name="Try and save").click()
        expect(page.get_by_text("Saved", exact=True)).to_be_visible()


class TestAccount:
    def test_the_keys_and_the_limits_are_shown(self, visit: Open) -> None:
        visited = visit(color_scheme="dark")
        page = visited.open("/account")
        expect(page.get_by_label("Prediction key", exact=True)).to_have_value(PREDICTION_KEY)
        expect(page.get_by_text("of at most 10,000")).to_be_visible()
        visited.check("account-dark")


class TestRoles:
    def test_a_reader_sees_and_changes_nothing(self, visit: Open, server: Server) -> None:
        key = made_key(server, "readers", "Reader")
        visited = visit(key=key)
        page = visited.open("/")
        expect(page.get_by_role("heading", name="Projects")).to_be_visible()
        expect(page.get_by_role("button", name="New project")).to_be_hidden()
        page.get_by_role("button", name="More actions").click()
        expect(page.get_by_text("readers · Reader")).to_be_visible()
        page.get_by_role("menuitem", name="Server, keys and resources").click()
        expect(page.get_by_text("You are signed in as Reader of readers.")).to_be_visible()
        expect(page.get_by_role("heading", name="Keys of the server")).to_be_hidden()
        expect(page.get_by_role("cell", name="readers")).to_be_visible()
        visited.check("account-reader")
