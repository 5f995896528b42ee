"""A published classifier: its pictures are tested, what it answered is reviewed and becomes training images."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.portal.conftest import Open, Visit
from tests.support.server import PREDICTION_KEY

TRAINING_SECONDS = 120
PREDICTION = "/customvision/v3.1/prediction"


@dataclass(frozen=True)
class Published:
    """A classifier that answers to `parts`."""

    visited: Visit
    project: str
    tags: dict[str, str]

    def ask(self, photo: Path, application: str = "line") -> None:
        answer = self.visited.page.request.post(
            f"{self.visited.endpoint}{PREDICTION}/{self.project}/classify/iterations/parts/image?application={application}",
            headers={"Prediction-Key": PREDICTION_KEY, "Content-Type": "application/octet-stream"},
            data=photo.read_bytes(),
        )
        assert answer.ok, answer.text()

    def all_tags(self) -> list[dict[str, Any]]:
        return self.visited.call("GET", f"/projects/{self.project}/tags")

    def images(self, **query: Any) -> list[Any]:
        return self.visited.call("GET", f"/projects/{self.project}/images", params=query)


@pytest.fixture
def published(visit: Open, folders: Path) -> Published:
    """Two tags with six photos each, trained and published."""
    visited = visit()
    project = visited.call("POST", "/projects", params={"name": "Parts", "classificationType": "Multiclass"})["id"]
    tags: dict[str, str] = {}
    for folder in sorted(folders.iterdir()):
        tag = tags[folder.name] = visited.call("POST", f"/projects/{project}/tags", params={"name": folder.name})["id"]
        entries = [
            {"name": photo.name, "contents": base64.b64encode(photo.read_bytes()).decode(), "tagIds": [tag]}
            for photo in sorted(folder.iterdir())[:6]
        ]
        visited.call("POST", f"/projects/{project}/images/files", data={"images": entries})
    iteration = train(visited, project)
    visited.call(
        "POST",
        f"/projects/{project}/iterations/{iteration}/publish",
        params={"publishName": "parts", "predictionId": "foveal"},
    )
    return Published(visited, project, tags)


def train(visited: Visit, project: str) -> str:
    """Train to the end."""
    iteration = visited.call("POST", f"/projects/{project}/train")["id"]
    until = monotonic() + TRAINING_SECONDS
    while (status := visited.call("GET", f"/projects/{project}/iterations/{iteration}")["status"]) == "Training":
        assert monotonic() < until
        sleep(0.2)
    assert status == "Completed"
    return iteration


@pytest.fixture
def web(folders: Path) -> Iterator[str]:
    """The photos on a web server of this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folders))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class TestPredictions:
    def test_are_tested_reviewed_and_saved(self, published: Published, folders: Path, web: str) -> None:
        visited, project = published.visited, published.project
        page = visited.open(f"/projects/{project}/predictions")
        expect(page.get_by_role("heading", name="No predictions yet")).to_be_visible()
        page.get_by_role("link", name="Quick test").click()
        self.quick_test(visited, folders, web)

        for tag, number in (("good", 6), ("good", 7), ("scratched", 7)):
            published.ask(photo(folders, tag, number))
        published.ask(photo(folders, "scratched", 6), application="other")
        page.get_by_role("link", name="Predictions").click()
        cards = page.get_by_role("list", name="Stored predictions").get_by_role("listitem")
        expect(cards).to_have_count(4)
        page.get_by_label("Application").fill("line")
        expect(cards).to_have_count(3)
        cards.first.get_by_role("link").click()
        self.review(published)
        expect(cards).to_have_count(1)
        page.get_by_label("Application").fill("")
        expect(cards).to_have_count(2)
        visited.check("predictions")
        self.save_the_rest(page)
        expect(page.get_by_role("heading", name="No predictions yet")).to_be_visible()
        assert len(published.images(tagIds=published.tags["good"], take=256)) == 8

    def quick_test(self, visited: Visit, folders: Path, web: str) -> None:
        """By files, by camera and by address."""
        page = visited.page
        page.get_by_label("Choose photos").set_input_files([photo(folders, "good", 6), photo(folders, "scratched", 6)])
        pictures = page.get_by_role("list", name="Tested pictures").get_by_role("button")
        expect(pictures).to_have_count(2)
        expect(pictures.nth(1)).to_have_accessible_name(re.compile(r"scratched-6.jpg (good|scratched) \d+ %"))
        result = page.get_by_role("region", name="Result")
        expect(result.get_by_role("listitem")).to_have_count(2)
        visited.check("quick-test")
        page.get_by_role("button", name="Camera").click()
        page.get_by_role("button", name="Take the photo").click()
        expect(result).to_contain_text("Photo 3")
        page.get_by_label("Address of a picture").fill(f"{web}/good/good-7.jpg")
        page.get_by_role("button", name="Test it").click()
        expect(result).to_contain_text("good-7.jpg")
        expect(pictures).to_have_count(4)

    def review(self, published: Published) -> None:
        """Correct a prediction and save it, by keyboard; delete the next; go back to the list."""
        page = published.visited.page
        field = page.get_by_role("combobox", name="Choose or create a tag")
        field.fill("dented")
        field.press("Enter")
        chips = page.get_by_role("region", name="Tags of this image")
        expect(chips).to_contain_text("dented")
        published.visited.check("prediction")
        field.blur()
        page.keyboard.press("s")
        expect(page.get_by_text("1 picture is a training image now")).to_be_visible()
        (dented,) = [each for each in published.all_tags() if each["name"] == "dented"]
        assert dented["imageCount"] == 1
        expect(chips).not_to_contain_text("dented")
        page.get_by_role("button", name="Delete this prediction").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.get_by_text("1 prediction was deleted")).to_be_visible()
        page.get_by_role("link", name="All predictions").click()

    def save_the_rest(self, page: Page) -> None:
        page.get_by_role("button", name="Select all shown").click()
        page.get_by_role("button", name="Save to training images").click()
        dialog = page.get_by_role("dialog", name="Save 2 pictures")
        dialog.get_by_role("combobox", name="Tags").select_option("good")
        dialog.get_by_role("button", name="Save to training images").click()


def photo(folders: Path, tag: str, number: int) -> Path:
    return folders / tag / f"{tag}-{number}.jpg"
