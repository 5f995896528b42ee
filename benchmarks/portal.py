"""How fast the portal is: what the first page weighs, when a large project can be used, how drawing feels.

    python -m benchmarks.portal [--images 10000] [--boxes 300] [--runs 5]

A real server on this machine, Chromium without a screen. Ready means: the visible pictures are drawn and the main
thread is free. Latency of drawing is from a move of the pointer to the end of the frame that shows it, without the
screen's own.
"""

import argparse
import math
import shutil
import statistics
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import insert
from tests.support import planted
from tests.support.pictures import picture
from tests.support.server import TRAINING_KEY, Server

from foveal import domains
from foveal.blobs import Blobs, image_key, thumbnail_key
from foveal.db.tables import Image, Project, Region, Tag
from foveal.settings import Settings

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SIDE_PX = 256
MOVES = 150
READY = """
(() => {
  const ready = () => {
    const cells = [...document.querySelectorAll('[role=gridcell]')]
      .filter((cell) => cell.getBoundingClientRect().top < innerHeight);
    const pictures = cells.map((cell) => cell.querySelector('img'));
    if (cells.length > 0 && pictures.every((each) => each?.complete && each.naturalWidth)) {
      requestIdleCallback(() => { window.readyAt = performance.now(); });
    } else requestAnimationFrame(ready);
  };
  requestAnimationFrame(ready);
})();
"""
LISTEN = """
() => {
  window.latencies = [];
  addEventListener('pointermove', (event) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => window.latencies.push(performance.now() - event.timeStamp);
    requestAnimationFrame(() => channel.port2.postMessage(0));
  }, {capture: true});
}
"""
WEIGHT = """
() => performance.getEntries()
  .filter((each) => each.entryType === 'navigation' || /assets/.test(each.name))
  .reduce((sum, each) => sum + each.encodedBodySize, 0)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000, help="images of the large project")
    parser.add_argument("--boxes", type=int, default=300, help="boxes on the image that is drawn on")
    parser.add_argument("--runs", type=int, default=5, help="times that the first page is opened")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = Path(folder)
        large, small, image = _fill(data, given.images, given.boxes)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with Server(data) as server:
            opened = [_opened(browser, server.endpoint, large) for _ in range(given.runs)]
            moved = _moved(browser, server.endpoint, f"/projects/{small}/images/{image}")
    print(f"first page, gzipped: {opened[0][0] / 1024:.0f} KiB")
    print(f"ready with {given.images:,} images: {_spread([seconds for _, seconds in opened])} s")
    print(f"drawing with {given.boxes} boxes: {_spread(moved)} ms")


def _opened(browser: Browser, endpoint: str, project: str) -> tuple[int, float]:
    """Open the images of a project with nothing cached; give the bytes of the portal's files and the seconds."""
    page = _signed_in(browser, endpoint)
    page.add_init_script(READY)
    page.goto(f"{endpoint}/#/projects/{project}/images")
    page.wait_for_function("() => window.readyAt > 0")
    found = page.evaluate(WEIGHT), page.evaluate("() => window.readyAt") / 1000
    page.context.close()
    return found


def _moved(browser: Browser, endpoint: str, place: str) -> list[float]:
    """Draw a box on an image that has many; give the milliseconds of each move."""
    page = _signed_in(browser, endpoint)
    page.goto(f"{endpoint}/#{place}")
    boxes = page.get_by_role("group", name="Boxes", exact=True)
    boxes.get_by_role("button").first.wait_for()
    frame = boxes.bounding_box()
    assert frame is not None
    left, top = frame["x"] + frame["width"] * 0.02, frame["y"] + frame["height"] * 0.96
    page.mouse.move(left, top)
    page.mouse.down()
    page.evaluate(LISTEN)
    for step in range(MOVES):
        page.mouse.move(left + frame["width"] * 0.9 * step / MOVES, top - frame["height"] * 0.5 * step / MOVES)
    found: list[float] = page.evaluate("() => window.latencies")
    page.context.close()
    return found


def _signed_in(browser: Browser, endpoint: str) -> Page:
    page = browser.new_context(bypass_csp=True, viewport={"width": 1280, "height": 800}).new_page()
    headers = {"X-Foveal-Portal": "1"}
    assert page.request.post(f"{endpoint}/api/v1/session", data={"key": TRAINING_KEY}, headers=headers).ok
    return page


def _spread(values: Sequence[float]) -> str:
    ordered = sorted(values)
    return f"{statistics.median(ordered):.2f} in the median, {ordered[math.ceil(0.95 * len(ordered)) - 1]:.2f} at 95 %"


def _fill(data: Path, images: int, boxes: int) -> tuple[str, UUID, UUID]:
    """Write a large project of classification and an image with boxes straight into the database and the blobs."""
    thumbnail, blobs = picture(1, size=(SIDE_PX, SIDE_PX), format="JPEG"), Blobs(Settings(data=data).blobs)
    large = planted.project(data, "large", images, thumbnail=thumbnail)
    small, tag, image, digest = uuid4(), uuid4(), uuid4(), "f" * 64
    moments = {"created_at": NOW, "last_modified_at": NOW, "workspace_created_at": NOW}
    detection = next(each for each in domains.DOMAINS if each.type == domains.OBJECT_DETECTION)
    blobs.put(thumbnail_key(digest), thumbnail)
    blobs.put(image_key(digest), picture(2, size=(1024, 768)))
    pixels = {"width": 1024, "height": 768, "rendered": False, "attributes": {}}
    with planted.writing(data) as session:
        session.execute(
            insert(Project).values(id=small, name="small", name_key="small", domain_id=detection.id, **moments)
        )
        session.execute(insert(Tag).values(id=tag, project_id=small, name="thing", name_key="thing", created_at=NOW))
        session.execute(insert(Image).values(id=image, project_id=small, digest=digest, created_at=NOW, **pixels))
        session.execute(insert(Region), [_region(at, image, tag) for at in range(boxes)])
    return large, small, image


def _region(at: int, image: UUID, tag: UUID) -> dict[str, Any]:
    place = {"left": at % 20 / 20 + 0.005, "top": at // 20 / 20 + 0.01, "width": 0.03, "height": 0.03}
    return {"id": uuid4(), "image_id": image, "tag_id": tag, "created_at": NOW, **place}


if __name__ == "__main__":
    main()
