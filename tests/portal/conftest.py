"""A real browser on a real server with real trainings; whatever the browser complains of fails the test."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, expect, sync_playwright
from tests.support.server import TRAINING_KEY, Server

from foveal import samples

ROOT = Path(__file__).parents[2]
AXE = ROOT / "portal" / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = ROOT / "runs" / "screenshots"
SERIOUS = {"serious", "critical"}
PORTAL = {"X-Foveal-Portal": "1"}
TRAINING = "/customvision/v3.4-preview/training"
PATIENCE_MS = 30_000  # the machine has other tests to run as well
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 360, "height": 740}
DRAWN_CAMERA = "--use-fake-device-for-media-stream"
LENT_CAMERA = "--use-fake-ui-for-media-stream"
# A browser says so itself of every answer that is no success; those that a test provokes are told by their status.
REFUSED = "Failed to load resource"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test of this folder; leaving it out is a choice, a missing browser is a failure."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.portal)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server with a real worker, which may fetch pictures of this machine."""
    with Server(tmp_path_factory.mktemp("portal"), {"FOVEAL_FETCH_ALLOWED_HOSTS": "127.0.0.1"}) as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, with a camera that shows a drawing and that every page may use."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = launched(playwright.chromium, DRAWN_CAMERA, LENT_CAMERA)
        yield browser
        browser.close()


def launched(chromium: BrowserType, *arguments: str) -> Browser:
    """Start a browser."""
    path = os.environ.get("FOVEAL_CHROMIUM") or shutil.which("chromium")
    assert path, (
        "There is no chromium on the PATH: install it (apt-get install chromium), or name it in FOVEAL_CHROMIUM."
    )
    return chromium.launch(executable_path=path, args=["--no-sandbox", *arguments])


@dataclass
class Visit:
    """A page of the portal in a browser of its own, and what the browser complained of."""

    page: Page
    endpoint: str
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("console", lambda said: self._heard(said.type, said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, place: str) -> Page:
        """Go to a place of the portal, such as `/projects/...`."""
        self.page.goto(f"{self.endpoint}/#{place}")
        return self.page

    def sign_in(self, key: str = TRAINING_KEY) -> None:
        answer = self.page.request.post(f"{self.endpoint}/api/v1/session", data={"key": key}, headers=PORTAL)
        assert answer.ok, answer.text()

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Call the API as the portal does."""
        url = self.endpoint + (path if path.startswith("/api") else TRAINING + path)
        answer = self.page.request.fetch(url, method=method, headers=PORTAL, **options)
        assert answer.ok, answer.text()
        return answer.json() if answer.body() else None

    def check(self, name: str) -> None:
        """Keep a picture of the page, and have axe look for what keeps people with disabilities out."""
        self.picture(name)
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        serious = [each for each in found if each["impact"] in SERIOUS]
        assert not serious, json.dumps(
            [(each["id"], each["help"], [node["html"][:300] for node in each["nodes"]]) for each in serious], indent=1
        )

    def picture(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def _heard(self, kind: str, said: str) -> None:
        if kind in {"error", "warning"} and not said.startswith(REFUSED):
            self.complaints.append(f"{kind}: {said}")


Open = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Open]:
    """Open a browser that nobody else shares: signed in with the server's key, unless told otherwise."""
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def begin(*, key: str | None = TRAINING_KEY, on: str = "", using: Browser | None = None, **options: Any) -> Visit:
        context = (using or browser).new_context(**{"viewport": WIDE, "reduced_motion": "reduce", **options})
        context.set_default_timeout(PATIENCE_MS)
        visit = Visit(context.new_page(), on or server.endpoint)
        visit.listen()
        contexts.append(context)
        visits.append(visit)
        if key is not None:
            visit.sign_in(key)
        return visit

    yield begin
    complaints = [each for visit in visits for each in visit.complaints]
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn photos of parts in a folder for each tag: good and scratched."""
    root = tmp_path_factory.mktemp("photos")
    for tag, photos in samples.dataset(3, 8).items():
        (root / tag).mkdir()
        for at, content in enumerate(photos):
            (root / tag / f"{tag}-{at}.jpg").write_bytes(content)
    return root
