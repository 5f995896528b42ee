"""The quick test where a camera is missing or refused, and with what is pasted or dropped."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.portal.conftest import DRAWN_CAMERA, LENT_CAMERA, Open, Visit, launched
from tests.portal.steps import CLIPBOARD, drag, paste, project, tag
from tests.support import models, planted
from tests.support.models import CLASSIFIER_TAGS, Trained
from tests.support.pictures import picture
from tests.support.server import Server


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Tells red, green and blue squares apart."""
    return models.made("multiclass compact", tmp_path_factory.mktemp("models"))


@pytest.fixture(params=[("refused", DRAWN_CAMERA), ("none", LENT_CAMERA)], ids=lambda param: param[0])
def without_camera(browser: Browser, request: pytest.FixtureRequest) -> Iterator[tuple[str, Browser]]:
    """A browser that has a camera and may not use it; and one that may, and has none."""
    why, argument = request.param
    other = launched(browser.browser_type, argument)
    yield why, other
    other.close()


SAID = {"refused": "The browser may not use the camera", "none": "There is no camera here"}


def begin(visited: Visit, server: Server, classifier: Trained, name: str) -> Page:
    """Open the quick test of a project with a model."""
    id = project(visited, name)
    tags = [tag(visited, id, each) for each in CLASSIFIER_TAGS]
    planted.trained(server.data, id, tags, model=classifier.bundle.folder)
    return visited.open(f"/projects/{id}/test")


def answer(page: Page, name: str) -> Locator:
    """What is said of a picture."""
    return page.get_by_role("region", name="Result").filter(has_text=name)


class TestCamera:
    def test_without_one_it_says_why_and_files_still_work(
        self, visit: Open, server: Server, classifier: Trained, without_camera: tuple[str, Browser]
    ) -> None:
        why, browser = without_camera
        visited = visit(using=browser)
        page = begin(visited, server, classifier, f"Camera {why}")
        page.get_by_role("button", name="Camera").click()
        dialog = page.get_by_role("dialog", name="Take a photo")
        expect(dialog).to_contain_text(SAID[why])
        expect(dialog.get_by_role("button", name="Take the photo")).to_be_hidden()
        visited.check(f"camera-{why}")
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        page.get_by_label("Choose photos").set_input_files(
            {"name": "green.png", "mimeType": "image/png", "buffer": picture(1, "green")}
        )
        expect(answer(page, "green.png").get_by_role("listitem").first).to_contain_text("green")


class TestPictures:
    def test_are_pasted_and_dropped(self, visit: Open, server: Server, classifier: Trained, tmp_path: Path) -> None:
        visited = visit(permissions=CLIPBOARD)
        page = begin(visited, server, classifier, "Pasted and dropped")
        expect(page.get_by_text("Drop photos here")).to_be_visible()
        paste(page, picture(2, "blue"))
        expect(answer(page, "Pasted picture").get_by_role("listitem").first).to_contain_text("blue")
        (tmp_path / "red.png").write_bytes(picture(3, "red"))
        drag(page, [tmp_path / "red.png"], "dragEnter", "dragOver", "drop")
        expect(answer(page, "red.png").get_by_role("listitem").first).to_contain_text("red")
        pictures = page.get_by_role("list", name="Tested pictures").get_by_role("button")
        expect(pictures).to_have_count(2)
        page.keyboard.press("ArrowLeft")
        expect(answer(page, "Pasted picture")).to_be_visible()
        page.get_by_role("button", name="Clear all").click()
        expect(page.get_by_text("Drop photos here")).to_be_visible()
