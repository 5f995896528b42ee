"""Other ways to bring images than choosing them: dropped, pasted, too large, there already, stopped, not sent."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from tests.portal.conftest import Open, Visit
from tests.portal.steps import CLIPBOARD, add, drag, images, paste, project, tag
from tests.support import planted
from tests.support.pictures import picture
from tests.support.server import Server

ORIENTATION = 0x0112
TURNED = 6  # the camera was held upright
MOST_BYTES = 6_000_000
SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 20_000}


def arrive(visited: Visit, name: str) -> tuple[str, Page]:
    """Open the images of a new project that has none."""
    id = project(visited, name)
    page = visited.open(f"/projects/{id}/images")
    expect(page.get_by_role("heading", name="Add the first images")).to_be_visible()
    return id, page


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Add images")


class TestDropping:
    def test_folders_within_folders_become_tags(self, visit: Open, tmp_path: Path) -> None:
        visited = visit()
        id, page = arrive(visited, "Dropped folders")
        for at, name in enumerate(("red", "parts/blue", "parts/blue")):
            (tmp_path / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / name / f"{at}.png").write_bytes(picture(at))
        (tmp_path / "loose.png").write_bytes(picture(9))
        (tmp_path / "parts" / "notes.txt").write_text("no picture")
        paths = [tmp_path / name for name in ("red", "parts", "loose.png")]
        drag(page, paths, "dragEnter", "dragOver")
        expect(page.get_by_text("Drop images or folders here")).to_be_visible()
        visited.check("images-dropping")
        drag(page, paths, "drop")
        expect(page.get_by_text("Drop images or folders here")).to_be_hidden()
        expect(page.get_by_label("Tag for folder blue")).to_have_value("blue")
        page.get_by_label("Tag for folder red").fill("")
        page.get_by_role("button", name="Add 4 images").click()
        expect(page.get_by_text("4 added")).to_be_visible()
        counts = {each["name"]: each["imageCount"] for each in visited.call("GET", f"/projects/{id}/tags")}
        assert counts == {"blue": 2}

    def test_who_may_only_read_is_asked_nothing(self, visit: Open, server: Server, folders: Path) -> None:
        owner = visit(key=planted.key(server.data, "watchers", "Contributor"))
        id = project(owner, "Watched")
        visited = visit(key=planted.key(server.data, "watchers", "Reader"))
        page = visited.open(f"/projects/{id}/images")
        expect(page.get_by_role("heading", name="Add the first images")).to_be_visible()
        drag(page, [folders / "good" / "good-0.jpg"], "dragEnter", "dragOver", "drop")
        page.get_by_role("link", name="Settings").click()
        expect(page.get_by_role("heading", name="Settings")).to_be_visible()


class TestPasting:
    def test_a_picture_of_the_clipboard_is_offered(self, visit: Open) -> None:
        visited = visit(permissions=CLIPBOARD)
        id, page = arrive(visited, "Pasted")
        paste(page, picture(1))
        dialog(page).get_by_role("button", name="Add 1 image").click()
        expect(page.get_by_text("1 added")).to_be_visible()
        assert visited.call("GET", f"/projects/{id}/images/count") == 1


class TestTooLarge:
    def test_a_large_photo_is_made_smaller_and_stays_upright(self, visit: Open, tmp_path: Path) -> None:
        visited = visit()
        id, page = arrive(visited, "Large")
        photo = tmp_path / "phone.jpg"
        photo.write_bytes(large((5000, 1200)))
        assert photo.stat().st_size > MOST_BYTES
        page.get_by_label("Choose files").first.set_input_files(photo)
        page.get_by_role("button", name="Add 1 image").click()
        expect(page.get_by_text("1 added")).to_be_visible()
        expect(dialog(page)).to_contain_text("larger than 6 MB")
        visited.check("upload-shrunk")
        (image,) = images(visited, id)
        assert image["height"] > image["width"]
        stored = page.request.get(image["originalImageUri"]).body()
        assert len(stored) <= MOST_BYTES
        assert Image.open(BytesIO(stored)).size == (983, 4096)


def large(size: tuple[int, int]) -> bytes:
    """A photo as a phone writes it that was held upright: of much noise, its pixels lying on the side."""
    noise = np.random.default_rng(0).normal(128, 25, (size[1], size[0], 3))
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED
    out = BytesIO()
    Image.fromarray(noise.astype(np.uint8)).save(out, "JPEG", quality=100, subsampling=0, exif=exif)
    return out.getvalue()


class TestOutcome:
    def test_each_file_that_was_not_added_says_why(self, visit: Open, tmp_path: Path) -> None:
        visited = visit()
        id = project(visited, "Told")
        cat = tag(visited, id, "cat")
        add(visited, id, [picture(1)])
        page = visited.open(f"/projects/{id}/images")
        files = {
            "same.png": picture(1),
            "new.png": picture(2),
            "thin.png": picture(3, size=(2000, 20)),
            "bad.jpg": b"?",
        }
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        page.get_by_label("Choose files").first.set_input_files(sorted(tmp_path.iterdir()))
        page.get_by_role("combobox", name="Tags for all of them").click()
        page.get_by_role("option", name="cat").click()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Add 4 images").click()
        said = {"same.png": "in this project already", "thin.png": "25 times as long", "bad.jpg": "no picture"}
        for name, why in said.items():
            expect(page.get_by_role("row", name=name)).to_contain_text(why)
        expect(page.get_by_text("1 added")).to_be_visible()
        expect(page.get_by_text("2 refused")).to_be_visible()
        visited.check("upload-told")
        assert len(images(visited, id, tagIds=cat)) == 2

    def test_what_was_not_sent_is_sent_again(self, visit: Open, folders: Path) -> None:
        visited = visit()
        id, page = arrive(visited, "Not sent")
        page.get_by_label("Choose files").first.set_input_files(sorted((folders / "good").glob("good-*.jpg")))
        page.context.set_offline(True)
        page.get_by_role("button", name="Add 8 images").click()
        expect(page.get_by_text("8 not sent")).to_be_visible()
        expect(dialog(page).get_by_role("row").first).to_contain_text("The server does not answer.")
        visited.check("upload-not-sent")
        page.context.set_offline(False)
        page.get_by_role("button", name="Try 8 again").click()
        expect(page.get_by_text("8 added")).to_be_visible()
        expect(page.get_by_text("8 not sent")).to_be_hidden()
        assert visited.call("GET", f"/projects/{id}/images/count") == 8

    def test_it_goes_on_behind_other_pages_until_it_is_stopped(self, visit: Open, tmp_path: Path) -> None:
        visited = visit()
        id, page = arrive(visited, "Stopped")
        for at in range(40):
            (tmp_path / f"{at}.png").write_bytes(picture(at))
        page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
        page.get_by_label("Choose files").first.set_input_files(sorted(tmp_path.iterdir()))
        page.get_by_role("button", name="Add 40 images").click()
        page.get_by_role("button", name="Go on in the background").click()
        page.get_by_role("link", name="Settings").click()
        expect(page.get_by_role("heading", name="Settings")).to_be_visible()
        page.get_by_role("link", name="Images").click()
        page.get_by_role("button", name="Show the upload").click()
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_text("Stopped. What was added stays.")).to_be_visible()
        page.get_by_role("button", name="Close").last.click()
        expect(page.get_by_role("button", name="Show the upload")).to_be_hidden()
        assert visited.call("GET", f"/projects/{id}/images/count") < 40
