"""A detection project: boxes drawn by mouse and keyboard, saved at once, copied, undone."""

import base64
import re
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect
from tests.portal.conftest import NARROW, Open, Visit
from tests.support import models
from tests.support.models import DETECTOR_TAGS, Scenes, Trained
from tests.support.planted import plant
from tests.support.server import Server

from foveal import samples

PIXEL = 1.5
ALT = "The image that is being edited"


def project(visited: Visit, name: str) -> str:
    """Make a detection project of the compact domain."""
    domains = visited.call("GET", "/domains")
    domain = next(each["id"] for each in domains if each["type"] == "ObjectDetection" and "compact" in each["name"])
    return visited.call("POST", "/projects", params={"name": name, "domainId": domain})["id"]


def upload(
    visited: Visit, project: str, photos: Sequence[bytes], regions: Sequence[list[dict[str, Any]]] = ()
) -> list[str]:
    """Add photos, the first of them first; give their ids."""
    entries = [
        {"name": f"photo-{at}", "contents": base64.b64encode(data).decode(), "regions": regions[at] if regions else []}
        for at, data in enumerate(photos)
    ]
    answer = visited.call("POST", f"/projects/{project}/images/files", data={"images": entries})
    assert answer["isBatchSuccessful"], answer
    return [each["image"]["id"] for each in answer["images"]]


def photos(count: int, seed: int = 5) -> list[bytes]:
    rng = np.random.default_rng(seed)
    return [samples.draw("good", rng, (640, 480)) for _ in range(count)]


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that never trains: its model comes from elsewhere."""
    with Server(tmp_path_factory.mktemp("idle"), arguments=("--no-worker",)) as server:
        yield server


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A detector of red and blue squares, trained for a few steps."""
    return models.made("detection compact", tmp_path_factory.mktemp("models"))


def boxes(visited: Visit, project: str, image: str) -> list[dict[str, Any]]:
    """What the server holds, once the page says that all is saved."""
    expect(visited.page.get_by_text("Saved", exact=True)).to_be_visible()
    return visited.call("GET", f"/projects/{project}/images/id", params={"imageIds": image})[0].get("regions") or []


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag over the picture between two places, as fractions of its sides."""
    ground = page.get_by_role("img", name=ALT).bounding_box()
    assert ground
    at = [(ground["x"] + x * ground["width"], ground["y"] + y * ground["height"]) for x, y in (start, end)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=6)
    page.mouse.up()


def close(page: Page, box: dict[str, Any], expected: tuple[float, float, float, float]) -> None:
    """Check a box against left, top, width and height, to a pixel on the screen."""
    ground = page.get_by_role("img", name=ALT).bounding_box()
    assert ground
    sides = (ground["width"], ground["height"]) * 2
    found = [box[edge] for edge in ("left", "top", "width", "height")]
    assert all(abs(a - b) * side <= PIXEL for a, b, side in zip(found, expected, sides, strict=True)), (found, expected)


def saved(visited: Visit, project: str, image: str, count: int) -> list[dict[str, Any]]:
    expect(visited.page.get_by_role("heading", name=f"{count} box")).to_be_visible()
    return boxes(visited, project, image)


class TestEditor:
    def test_boxes_are_drawn_corrected_and_undone(self, visit: Open) -> None:
        visited = visit()
        id = project(visited, "Screws by hand")
        first, second = upload(visited, id, photos(2))
        page = visited.open(f"/projects/{id}/images/{second}")
        screw, nut = self.draw(visited, id, second)
        nut = self.correct(visited, id, second, nut)
        self.name(page)
        page.keyboard.press("Delete")
        saved(visited, id, second, 1)
        page.keyboard.press("Control+z")
        restored = saved(visited, id, second, 2)[1]
        assert restored["top"] == pytest.approx(nut["top"])

        page.get_by_role("button", name="Next image").click()
        expect(page.get_by_text("2 of 2")).to_be_visible()
        saved(visited, id, first, 0)
        page.keyboard.press("c")
        assert {each["tagId"] for each in saved(visited, id, first, 2)} == {screw["tagId"], nut["tagId"]}
        page.keyboard.press("Control+z")
        assert saved(visited, id, first, 0) == []

    def draw(self, visited: Visit, project: str, image: str) -> list[dict[str, Any]]:
        """Draw two boxes by mouse and make their tags by keyboard."""
        page = visited.page
        field = page.get_by_role("combobox", name="Choose or create a tag")
        drag(page, (0.25, 0.2), (0.75, 0.6))
        visited.check("editor-which-tag")
        field.fill("screw")
        field.press("Enter")
        (screw,) = saved(visited, project, image, 1)
        close(page, screw, (0.25, 0.2, 0.5, 0.4))
        drag(page, (0.1, 0.65), (0.3, 0.9))
        field.fill("nut")
        field.press("Enter")
        expect(page.get_by_role("button", name="Box 2: nut", exact=True)).to_be_visible()
        nut = saved(visited, project, image, 2)[1]
        close(page, nut, (0.1, 0.65, 0.2, 0.25))
        visited.check("editor-boxes")
        return [screw, nut]

    def correct(self, visited: Visit, project: str, image: str, nut: dict[str, Any]) -> dict[str, Any]:
        """Resize a box past the edge, move it, and nudge it by a pixel of the picture."""
        page = visited.page
        drag(page, (0.3, 0.9), (1.4, 1.3))
        nut = moved(visited, project, image, nut)
        close(page, nut, (0.1, 0.65, 0.9, 0.35))
        drag(page, (0.2, 0.8), (0.2, 0.7))
        nut = moved(visited, project, image, nut)
        close(page, nut, (0.1, 0.55, 0.9, 0.35))
        page.keyboard.press("ArrowDown")
        nudged = moved(visited, project, image, nut)
        assert nudged["top"] == pytest.approx(nut["top"] + 1 / 480, abs=1e-6)
        return nudged

    def name(self, page: Page) -> None:
        """Give a box the other tag by its number, and take that back."""
        page.keyboard.press("2")
        expect(page.get_by_role("button", name="Box 2: screw", exact=True)).to_be_visible()
        page.keyboard.press("Control+z")
        expect(page.get_by_role("button", name="Box 2: nut", exact=True)).to_be_visible()

    def test_a_failed_save_stays_on_the_screen_until_it_is_tried_again(self, visit: Open) -> None:
        visited = visit()
        id = project(visited, "A bad line")
        (image,) = upload(visited, id, photos(1, seed=6))
        visited.call("POST", f"/projects/{id}/tags", params={"name": "screw"})
        page = visited.open(f"/projects/{id}/images/{image}")
        expect(page.get_by_role("heading", name="0 boxes")).to_be_visible()
        page.context.set_offline(True)
        drag(page, (0.2, 0.2), (0.5, 0.5))
        page.get_by_role("combobox").press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Not saved: The server does not answer.")
        page.get_by_role("link", name="All images").click()
        dialog = page.get_by_role("dialog", name="Leave without saving?")
        dialog.get_by_role("button", name="Cancel").click()
        page.context.set_offline(False)
        page.get_by_role("button", name="Try again").click()
        assert len(saved(visited, id, image, 1)) == 1


def moved(visited: Visit, project: str, image: str, before: dict[str, Any]) -> dict[str, Any]:
    """Wait until a box has a place other than before on the server; give it."""
    for _ in range(100):
        found = [each for each in boxes(visited, project, image) if each["tagId"] == before["tagId"]]
        if [each for each in found if each["regionId"] != before["regionId"]] == found:
            return found[0]
    raise AssertionError("The box stays where it was.")


class TestDetector:
    def test_what_it_finds_is_drawn_and_suggested(self, visit: Open, idle: Server, detector: Trained) -> None:
        visited = visit(on=idle.endpoint)
        id = project(visited, "Squares")
        red, blue = (
            visited.call("POST", f"/projects/{id}/tags", params={"name": name})["id"] for name in DETECTOR_TAGS
        )
        scenes = Scenes(34)
        photos = [png(pixels) for pixels in scenes.pixels(256)]
        regions = [
            [{"tagId": (red, blue)[tag], **placed(box)} for box, tag in zip(truth.boxes, truth.tags, strict=True)]
            for truth in scenes.truth
        ]
        upload(visited, id, photos[:33], regions[:33])
        (untagged,) = upload(visited, id, photos[33:])
        iteration = visited.call("POST", f"/projects/{id}/train")["id"]
        plant(idle.data, iteration, detector.bundle.graph.parent)

        page = visited.open(f"/projects/{id}/test")
        page.get_by_label("Choose photos").set_input_files(
            {"name": "squares.png", "mimeType": "image/png", "buffer": photos[3]}
        )
        slider = page.get_by_role("slider", name="Least probability of boxes")
        found = page.get_by_role("img", name=re.compile(r"Found: (red|blue) \d+ %"))
        slider.press("Home")
        expect(found.first).to_be_visible()
        visited.check("quick-test-detector")
        slider.press("End")
        expect(found).to_have_count(0)
        expect(page.get_by_text("No box at this probability.")).to_be_visible()

        page = visited.open(f"/projects/{id}/images/{untagged}")
        page.get_by_role("slider", name="Least probability of suggestions").press("Home")
        suggested = page.get_by_role("img", name=re.compile(r"Suggestion: (red|blue) \d+ %"))
        expect(suggested.first).to_be_visible()
        visited.check("editor-suggestions")
        page.get_by_role("button", name=re.compile("Accept (red|blue)")).first.click()
        (box,) = saved(visited, id, untagged, 1)
        assert box["tagId"] in {red, blue}


def placed(box: Sequence[float]) -> dict[str, float]:
    left, top, right, bottom = (float(edge) for edge in box)
    return {"left": left, "top": top, "width": right - left, "height": bottom - top}


def png(pixels: NDArray[np.uint8]) -> bytes:
    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


class TestMany:
    def test_three_hundred_boxes_stay_fluid(self, visit: Open) -> None:
        visited = visit(color_scheme="dark")
        id = project(visited, "Crowded")
        tags = [visited.call("POST", f"/projects/{id}/tags", params={"name": f"part {at}"})["id"] for at in range(9)]
        places = [(at % 20 / 20 + 0.005, at // 20 / 15 + 0.01) for at in range(300)]
        regions = [
            {"tagId": tags[at % 9], "left": x, "top": y, "width": 0.03, "height": 0.04}
            for at, (x, y) in enumerate(places)
        ]
        (image,) = upload(visited, id, photos(1, seed=7), [regions])
        page = visited.open(f"/projects/{id}/images/{image}")
        expect(page.get_by_role("heading", name="300 boxes")).to_be_visible()
        x, y = places[0]
        drag(page, (x + 0.015, y + 0.02), (x + 0.04, y + 0.035))
        expect(page.get_by_role("button", pressed=True)).to_have_accessible_name(re.compile(r"Box \d+: part 0"))
        held = boxes(visited, id, image)
        assert len(held) == 300
        visited.check("editor-300-dark")
        page.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
        visited.check("editor-300-narrow")
