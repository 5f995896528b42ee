"""A newcomer's way to a detector: make a project, add photos, draw boxes, train, and have it find things."""

import base64
import re
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect
from tests.portal.conftest import Open, Visit

from foveal.geometry import overlaps

TRAINED = 900_000  # ms; processors without bfloat16 take minutes
SIDE_PX = 256
PHOTOS, DRAWN = 15, 3
RED = (210, 40, 40)

pytestmark = pytest.mark.xdist_group("detector")


def photo(rng: np.random.Generator) -> tuple[bytes, NDArray[np.float64]]:
    """Grey noise with a red plate somewhere, as PNG; and the plate's corners, relative to the picture."""
    pixels = rng.integers(90, 160, (SIDE_PX // 8, SIDE_PX // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    left, top = rng.uniform(0.05, 0.5, 2)
    width, height = rng.uniform(0.25, 0.4, 2)
    plate = np.array([left, top, left + width, top + height])
    x1, y1, x2, y2 = (plate * SIDE_PX).round().astype(int)
    pixels[y1:y2, x1:x2] = RED
    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue(), plate


def test_from_boxes_to_a_detector_that_finds_them(visit: Open) -> None:
    visited = visit()
    rng = np.random.default_rng(12)
    photos = [photo(rng) for _ in range(PHOTOS)]
    page = visited.open("/")
    makes_a_project(page)
    project = page.url.split("/projects/")[1].split("/")[0]
    adds(page, photos[:DRAWN])
    for _, plate in reversed(photos[:DRAWN]):  # the newest comes first
        draws(page, plate)
        expect(page.get_by_text("Saved", exact=True)).to_be_visible()
        page.keyboard.press("ArrowRight")
    others_draw(visited, project, photos[DRAWN:])
    trains(page)
    assert shown_share(page, "Precision") > 0.8
    assert shown_share(page, "Recall") > 0.8
    visited.check("performance-detector")
    unseen, plate = photo(rng)
    assert overlaps(finds(page, unseen), plate[None])[0, 0] > 0.6
    visited.check("quick-test-plate")


def makes_a_project(page: Page) -> None:
    page.get_by_role("button", name="New project").first.click()
    page.get_by_label("Name").fill("Plates")
    page.get_by_role("radio", name="Find things in images").click()
    page.get_by_role("combobox", name="What kind of images?").select_option("General (compact)")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_text("Plates was made")).to_be_visible()


def adds(page: Page, photos: list[tuple[bytes, Any]]) -> None:
    files: list[FilePayload] = [
        {"name": f"{at}.png", "mimeType": "image/png", "buffer": content} for at, (content, _) in enumerate(photos)
    ]
    page.get_by_label("Choose files").first.set_input_files(files)
    page.get_by_role("dialog").get_by_role("button", name=f"Add {len(photos)} images").click()
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    expect(page.get_by_role("gridcell")).to_have_count(len(photos))
    page.get_by_role("gridcell").first.click()


def draws(page: Page, plate: NDArray[np.float64]) -> None:
    expect(page.get_by_role("heading", name="0 boxes")).to_be_visible()
    ground = page.get_by_test_id("surface").bounding_box()
    assert ground
    sides, corner = [ground["width"], ground["height"]] * 2, [ground["x"], ground["y"]] * 2
    left, top, right, bottom = plate * sides + corner
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(right, bottom, steps=5)
    page.mouse.up()
    field = page.get_by_role("combobox", name="Choose or create a tag")
    field.fill("plate")
    field.press("Enter")
    expect(page.get_by_role("heading", name="1 box")).to_be_visible()


def others_draw(visited: Visit, project: str, photos: list[tuple[bytes, NDArray[np.float64]]]) -> None:
    """The rest is labelled by a colleague's program."""
    (tag,) = visited.call("GET", f"/projects/{project}/tags")
    entries = [
        {
            "name": "theirs",
            "contents": base64.b64encode(content).decode(),
            "regions": [{"tagId": tag["id"], "left": x1, "top": y1, "width": x2 - x1, "height": y2 - y1}],
        }
        for content, (x1, y1, x2, y2) in ((content, plate.tolist()) for content, plate in photos)
    ]
    assert visited.call("POST", f"/projects/{project}/images/files", data={"images": entries})["isBatchSuccessful"]
    visited.page.reload()


def trains(page: Page) -> None:
    page.get_by_role("button", name="Train", exact=True).click()
    dialog = page.get_by_role("dialog", name="Train a model")
    expect(dialog).to_contain_text(f"A model learns from {PHOTOS} images with 1 tag.")
    dialog.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("heading", name="Iteration 1")).to_be_visible()
    expect(page.get_by_role("slider", name="Probability threshold")).to_be_visible(timeout=TRAINED)


def shown_share(page: Page, figure: str) -> float:
    """What a ring says, 0 to 1."""
    label = page.get_by_role("img", name=re.compile(f"^{figure}: ")).get_attribute("aria-label") or ""
    found = re.search(r"[\d.]+", label)
    assert found, label
    return float(found[0]) / 100


def finds(page: Page, content: bytes) -> NDArray[np.float64]:
    """Give the corners of the box that the quick test draws on a photo, relative to the picture, (1, 4)."""
    page.get_by_role("link", name="Quick test").click()
    page.get_by_label("Choose photos").set_input_files(
        {"name": "unseen.png", "mimeType": "image/png", "buffer": content}
    )
    found = page.get_by_role("img", name=re.compile(r"Found: plate \d+ %"))
    expect(found).to_have_count(1)
    drawn = found.locator("rect").first.bounding_box()
    ground = page.get_by_test_id("surface").bounding_box()
    assert drawn
    assert ground
    left, top = (drawn["x"] - ground["x"]) / ground["width"], (drawn["y"] - ground["y"]) / ground["height"]
    width, height = drawn["width"] / ground["width"], drawn["height"] / ground["height"]
    return np.array([[left, top, left + width, top + height]])
