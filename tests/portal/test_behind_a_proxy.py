"""The portal below a path of another site, as a reverse proxy serves it that knows nothing of what it passes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from playwright.sync_api import expect
from tests.portal.conftest import Open
from tests.support.server import Server

PREFIX = "/vision"


@contextmanager
def proxy(endpoint: str) -> Iterator[str]:
    """Serve what the endpoint serves below `/vision`; nothing is at the root."""
    host = urlsplit(endpoint).netloc

    class Passing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            if not self.path.startswith(f"{PREFIX}/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            backend = HTTPConnection(host)
            backend.request(self.command, self.path.removeprefix(PREFIX), body, dict(self.headers.items()))
            answer = backend.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"content-length", "transfer-encoding", "connection", "date", "server"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            backend.close()

        do_GET = do_POST = do_DELETE = do_PATCH = do_PUT = handle_any  # noqa: N815  # names of the base class

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Passing) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
        server.shutdown()
        thread.join()


def test_everything_is_found_below_a_path(visit: Open, server: Server, folders: Path) -> None:
    with proxy(server.endpoint) as address:
        visited = visit(key=None, on=address)
        visited.page.goto(server.link.replace(server.endpoint, address))
        page = visited.page
        expect(page.get_by_role("heading", name="Projects")).to_be_visible()
        project = visited.call("POST", "/projects", params={"name": "Below", "classificationType": "Multiclass"})["id"]
        visited.open(f"/projects/{project}/images")
        page.get_by_label("Choose files").first.set_input_files(folders / "good" / "good-0.jpg")
        page.get_by_role("button", name="Add 1 image").click()
        expect(page.get_by_text("1 added")).to_be_visible()
        page.get_by_role("button", name="Close").last.click()
        picture = page.get_by_role("gridcell").locator("img")
        expect(picture).to_be_visible()
        assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
        page.get_by_role("gridcell").click()
        expect(page.get_by_text("Saved")).to_be_visible()
