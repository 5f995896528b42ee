"""Steps that many visits begin with."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from tests.portal.conftest import Visit

CLASSIFIER = {"classificationType": "Multiclass"}
CLIPBOARD = ["clipboard-read", "clipboard-write"]  # what `paste` needs leave for
COPY = """
async (bytes) => {
  const blob = new Blob([new Uint8Array(bytes)], {type: "image/png"});
  await navigator.clipboard.write([new ClipboardItem({"image/png": blob})]);
}
"""


def project(visited: Visit, name: str, **settings: str) -> str:
    """Make a project, of a classifier unless told otherwise."""
    return visited.call("POST", "/projects", params={"name": name, **(settings or CLASSIFIER)})["id"]


def tag(visited: Visit, project: str, name: str, **settings: str) -> str:
    return visited.call("POST", f"/projects/{project}/tags", params={"name": name, **settings})["id"]


def add(visited: Visit, project: str, pictures: Sequence[bytes], *tags: str) -> list[str]:
    """Add pictures that bear tags; give their ids."""
    entries = [
        {"name": str(at), "contents": base64.b64encode(content).decode(), "tagIds": list(tags)}
        for at, content in enumerate(pictures)
    ]
    answer = visited.call("POST", f"/projects/{project}/images/files", data={"images": entries})
    return [each["image"]["id"] for each in answer["images"]]


def images(visited: Visit, project: str, **query: Any) -> list[Any]:
    return visited.call("GET", f"/projects/{project}/images", params=query)


def paste(page: Page, png: bytes) -> None:
    """Put a picture into the clipboard, and paste it into the page."""
    page.evaluate(COPY, list(png))
    page.keyboard.press("Control+V")


def drag(page: Page, paths: Sequence[Path], *steps: str) -> None:
    """Hold files and folders of this machine over the page, as a file manager does."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for step in steps:
        session.send("Input.dispatchDragEvent", {"type": step, "x": 640, "y": 500, "data": data})
    session.detach()
