"""Training a model, judging it, publishing and exporting it."""

import base64
import re
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx2
import pytest
from playwright.sync_api import Page, expect
from tests.portal.conftest import NARROW, Open, Visit
from tests.support.server import PREDICTION_KEY

TRAINED = 60_000  # ms


def fill(visited: Visit, folders: Path, name: str) -> str:
    """Make a project with the photos, one scratched part of which bears the wrong tag."""
    project: str = visited.call("POST", f"/projects?name={name}&classificationType=Multiclass")["id"]
    tags = {
        folder.name: visited.call("POST", f"/projects/{project}/tags?name={folder.name}")["id"]
        for folder in sorted(folders.iterdir())
    }
    entries = [
        {
            "name": photo.name,
            "contents": base64.b64encode(photo.read_bytes()).decode(),
            "tagIds": [tags["good" if photo.name == "scratched-0.jpg" else photo.parent.name]],
        }
        for photo in sorted(folders.glob("*/*.jpg"))
    ]
    visited.call("POST", f"/projects/{project}/images/files", data={"images": entries})
    return project


def shares(page: Page) -> str:
    """What the ring of precision says."""
    return page.get_by_role("img", name=re.compile("^Precision: ")).get_attribute("aria-label") or ""


class TestPerformance:
    def test_from_training_to_a_program_that_asks(self, visit: Open, folders: Path) -> None:
        visited = visit()
        project = fill(visited, folders, "Performance")
        page = visited.open(f"/projects/{project}/performance")
        expect(page.get_by_role("heading", name="No model yet")).to_be_visible()
        self.trains(visited)
        self.moves_the_slider(visited)
        self.opens_a_cell(visited)
        self.looks_at_the_rest(visited)
        self.publishes(visited, project, folders)
        self.exports(visited)
        self.trains_again(visited)
        self.is_not_deleted_while_published(visited)
        self.cancels(visited, project)

    def trains(self, visited: Visit) -> None:
        page = visited.page
        page.get_by_role("button", name="Train", exact=True).click()
        dialog = page.get_by_role("dialog", name="Train a model")
        expect(dialog).to_contain_text("A model learns from 16 images with 2 tags.")
        visited.check("train")
        dialog.get_by_role("button", name="Start training").click()
        expect(page.get_by_role("button", name=re.compile("Training, "))).to_be_visible()
        expect(page.get_by_role("heading", name="Iteration 1")).to_be_visible()
        visited.check("training")
        expect(page.get_by_role("slider", name="Probability threshold")).to_be_visible(timeout=TRAINED)
        expect(page.get_by_text("Iteration 1 is trained")).to_be_visible()

    def moves_the_slider(self, visited: Visit) -> None:
        page = visited.page
        slider = page.get_by_role("slider", name="Probability threshold")
        before = shares(page)
        visited.check("performance")
        slider.press("End")
        expect(page.get_by_role("img", name=re.compile("^Precision: 0.0 %, between 0 and 100 %"))).to_be_visible()
        assert shares(page) != before
        page.get_by_role("button", name=re.compile("Best balance")).click()
        expect(slider).not_to_have_attribute("aria-valuenow", "100")
        page.get_by_role("button", name="Images", exact=True).click()
        page.get_by_label("As a table").check()
        expect(page.get_by_role("columnheader", name="Threshold")).to_be_visible()

    def opens_a_cell(self, visited: Visit) -> None:
        page = visited.page
        page.get_by_role("tab", name="Confusion").click()
        visited.check("confusion")
        page.get_by_role("button", name=re.compile("of good, taken for scratched")).click()
        expect(page.get_by_role("status").filter(has_text="of good, taken for scratched")).to_be_visible()
        expect(page.get_by_role("img", name="Image of good, said scratched").first).to_be_visible()
        page.get_by_role("button", name="Image of good, said scratched").first.click()
        dialog = page.get_by_role("dialog", name="Image of good, said scratched")
        expect(dialog.get_by_role("link", name="Open in the editor")).to_be_visible()
        visited.check("cell")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Show all mistakes").click()
        expect(page.get_by_role("status").filter(has_text="with mistakes")).to_be_visible()

    def looks_at_the_rest(self, visited: Visit) -> None:
        page = visited.page
        page.get_by_role("tab", name="Trust").click()
        expect(page.get_by_text("Luck alone would bring")).to_be_visible()
        visited.check("trust")
        page.get_by_role("tab", name="Improve").click()
        expect(page.get_by_role("heading", name="Images whose tag may be wrong")).to_be_visible()
        expect(page.get_by_text("too few to know").first).to_be_visible()
        visited.check("improve")

    def publishes(self, visited: Visit, project: str, folders: Path) -> None:
        page = visited.page
        page.get_by_role("button", name="Publish", exact=True).click()
        page.get_by_role("textbox", name="Name", exact=True).fill("line 7")
        visited.check("publish")
        page.get_by_role("dialog").get_by_role("button", name="Publish").click()
        expect(page.get_by_text("It answers as “line 7” now")).to_be_visible()
        page.get_by_role("button", name="Prediction URL").click()
        code = page.get_by_label("Code for curl", exact=True)
        expect(code).to_contain_text(PREDICTION_KEY)
        visited.check("prediction-url")
        told = code.inner_text()
        page.keyboard.press("Escape")
        answer = asked(told, (folders / "good" / "good-1.jpg").read_bytes())
        assert {each["tagName"] for each in answer["predictions"]} == {"good", "scratched"}
        assert answer["project"] == project

    def exports(self, visited: Visit) -> None:
        page = visited.page
        page.get_by_role("button", name="Export", exact=True).click()
        page.get_by_role("button", name=re.compile("Windows and most programming languages")).click()
        page.get_by_role("button", name="Export as ONNX", exact=True).click()
        expect(page.get_by_text("of the answers are the same")).to_be_visible(timeout=TRAINED)
        visited.check("exports")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download ONNX").click()
        assert "model.onnx" in ZipFile(BytesIO(download.value.path().read_bytes())).namelist()
        page.keyboard.press("Escape")

    def trains_again(self, visited: Visit) -> None:
        page = visited.page
        page.get_by_role("button", name="Train", exact=True).click()
        dialog = page.get_by_role("dialog", name="Train a model")
        dialog.get_by_role("button", name="Start training").click()
        expect(dialog.get_by_role("alert")).to_contain_text("Nothing changed since last training")
        dialog.get_by_label("Train even if nothing changed").check()
        dialog.get_by_role("button", name="Start training").click()
        page.get_by_role("button", name=re.compile("Training, ")).click()
        visited.check("progress")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="More actions: Iteration 2").click()
        page.get_by_role("menuitem", name="Rename").click()
        page.get_by_role("textbox", name="Name").fill("Second")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="Second")).to_be_visible()
        expect(page.get_by_role("slider", name="Probability threshold")).to_be_visible(timeout=TRAINED)
        page.get_by_role("button", name="More actions: Second").click()
        page.get_by_role("menuitem", name="Compare with").click()
        page.get_by_role("menuitem", name="Iteration 1").click()
        expect(page.get_by_role("heading", name="Second and Iteration 1")).to_be_visible()
        expect(page.get_by_role("row", name="Over all")).to_be_visible()
        visited.check("compare")
        page.get_by_role("button", name="More actions: Second").click()
        page.get_by_role("menuitem", name="Delete").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.get_by_text("Second was deleted")).to_be_visible(timeout=TRAINED)
        expect(page.get_by_role("heading", name="Iteration 1")).to_be_visible()

    def is_not_deleted_while_published(self, visited: Visit) -> None:
        page = visited.page
        page.get_by_role("button", name="More actions: Iteration 1").click()
        page.get_by_role("menuitem", name="Delete").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Delete").click()
        expect(dialog.get_by_role("alert")).to_contain_text("unpublish it first")
        page.keyboard.press("Escape")

    def cancels(self, visited: Visit, project: str) -> None:
        page = visited.page
        visited.call("POST", f"/projects/{project}/train?trainingType=Advanced&reservedBudgetInHours=1")
        page.reload()
        page.get_by_role("link", name="Iteration 3").click()
        page.get_by_role("button", name="Cancel training").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel training").click()
        expect(page.get_by_text("The training was cancelled.").first).to_be_visible()
        expect(page.get_by_text("This training failed")).to_be_visible()


@pytest.mark.parametrize("size", [NARROW])
def test_fits_a_phone_in_the_dark(visit: Open, folders: Path, size: dict[str, int]) -> None:
    visited = visit(viewport=size, color_scheme="dark")
    project = fill(visited, folders, "Small")
    visited.call("POST", f"/projects/{project}/train")
    page = visited.open(f"/projects/{project}/performance")
    expect(page.get_by_role("slider", name="Probability threshold")).to_be_visible(timeout=TRAINED)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    visited.check("performance-small-dark")
    page.get_by_role("tab", name="Mistakes").click()
    expect(page.get_by_role("status").filter(has_text="with mistakes")).to_be_visible()
    visited.check("mistakes-small-dark")
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_role("button", name=re.compile("Android phones")).click()
    expect(page.get_by_role("button", name="Export as TensorFlow Lite", exact=True)).to_be_visible()
    visited.check("exports-small-dark")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("radio", name=re.compile("^Advanced")).click()
    page.get_by_role("button", name="Choose tags").click()
    page.get_by_label("scratched (7 images)").uncheck()
    expect(page.get_by_text("One more tag is needed.")).to_be_visible()
    visited.check("train-small-dark")


def asked(curl: str, photo: bytes) -> Any:
    """Do what the line says."""
    address = re.search(r"-X POST '([^']+)'", curl)
    headers = dict(re.findall(r"-H '([^:]+): ([^']+)'", curl))
    assert address
    answer = httpx2.post(address[1], headers=headers, content=photo, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()
