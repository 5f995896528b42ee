"""The Docker export's server on the wire: connections, addresses of pictures, its end, and Microsoft's SDK."""

import json
import signal
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from azure.cognitiveservices.vision.customvision.prediction import CustomVisionPredictionClient
from azure.cognitiveservices.vision.customvision.prediction.models import CustomVisionErrorException
from msrest.authentication import ApiKeyCredentials
from tests.support.docker_server import (
    APP,
    BLUE,
    HOST,
    LIMIT,
    PUBLISHED,
    RED,
    Program,
    connected,
    on,
    post,
    raw,
    running,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with running(tmp_path_factory.mktemp("docker") / "app") as program:
        yield program


class Album(BaseHTTPRequestHandler):
    """A web server with pictures and with what is none."""

    def do_GET(self) -> None:
        found = {"/red.png": RED, "/text": b"text", "/large": bytes(LIMIT + 1), "/edge": RED + bytes(LIMIT - len(RED))}
        moved = {"/moved": "/red.png", "/file": "file:///etc/hostname", "/ftp": "ftp://127.0.0.1:1/a", "/loop": "/loop"}
        if self.path == "/slow":
            time.sleep(1)
        if self.path in moved:
            self.send_response(302)
            self.send_header("Location", moved[self.path])
        else:
            self.send_response(200 if self.path in found else 404)
        with suppress(ConnectionError):  # who waits no longer has hung up
            self.end_headers()
            self.wfile.write(found.get(self.path, b""))

    def log_message(self, format: str, *arguments: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="module")
def album() -> Iterator[str]:
    with ThreadingHTTPServer((HOST, 0), Album) as httpd:
        thread = Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://{HOST}:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


class TestConnection:
    @pytest.mark.parametrize(
        ("path", "body", "kind"),
        [
            ("/nowhere", RED, "image/png"),
            ("/", RED, "image/png"),
            ("/image", b"text", "image/png"),
            ("/image", RED, "text/plain"),
            ("/image", RED, "multipart/form-data"),
            ("/url", b"{", "application/json"),
            ("/image", bytes(LIMIT + 1), "image/png"),
        ],
    )
    def test_stays_in_step_after_a_refusal(self, server: Program, path: str, body: bytes, kind: str) -> None:
        with connected(server) as connection:
            assert on(connection, "POST", path, body, kind).status >= 400
            kept = connection.sock
            assert kept is not None
            assert on(connection, "POST", "/image", RED, "image/png").best == "red"
            assert connection.sock is kept

    def test_ends_after_what_is_far_too_much(self, server: Program) -> None:
        with connected(server) as connection:
            assert on(connection, "POST", "/image", bytes(LIMIT + 100_000)).headers["Connection"] == "close"
            assert on(connection, "POST", "/image", RED).best == "red"

    @pytest.mark.parametrize(
        "head",
        [
            b"Content-Length: -5",
            b"Content-Length: five",
            b"Content-Length: 5\r\nContent-Length: 6",
            b"Content-Length: 5\r\nTransfer-Encoding: chunked",
            b"Transfer-Encoding: gzip, chunked",
            b"Transfer-Encoding: chunked\r\n\r\nzz",
            b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0",
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"More: 1\r\n" * 200,
            b"Content-Length: 500",
        ],
    )
    def test_ends_where_the_next_request_cannot_be_told(self, server: Program, head: bytes) -> None:
        answers = raw(server, b"POST /image HTTP/1.1\r\n" + head + b"\r\n\r\nGET /health HTTP/1.1\r\n\r\n")
        assert answers.startswith(b"HTTP/1.1 400 ")
        assert answers.count(b"HTTP/1.1") == 1
        assert b"\r\nConnection: close\r\n" in answers

    def test_speaks_json_about_what_is_no_http(self, server: Program) -> None:
        assert b'"code": "BadRequest"' in raw(server, b"hello there, you server\r\n\r\n")
        assert b"HTTP/1.1 431" in raw(server, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n")
        assert raw(server, b"") == b""

    def test_of_old_clients_ends(self, server: Program) -> None:
        answers = raw(server, b"POST /image HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(RED) + RED)
        assert b" 200 OK\r\n" in answers


class TestUrl:
    @pytest.mark.parametrize("path", ["/url", "/p/URL/nostore", f"/customvision/v3.1/prediction/{PUBLISHED}/url"])
    @pytest.mark.parametrize("key", ["url", "Url"])
    def test_fetches(self, server: Program, album: str, path: str, key: str) -> None:
        assert post(server, json.dumps({key: f" {album}/red.png"}), "application/json", path).best == "red"

    @pytest.mark.parametrize("name", ["/moved", "/edge"])
    def test_follows_and_takes_what_fits(self, server: Program, album: str, name: str) -> None:
        assert post(server, json.dumps({"url": album + name}), "", "/url").best == "red"

    @pytest.mark.parametrize(
        ("name", "status", "code"),
        [
            ("/gone", 400, "BadRequestImageUrl"),
            ("/file", 400, "BadRequestImageUrl"),
            ("/ftp", 400, "BadRequestImageUrl"),
            ("/loop", 400, "BadRequestImageUrl"),
            ("/a b", 400, "BadRequestImageUrl"),
            ("/ü", 400, "BadRequestImageUrl"),
            ("/text", 400, "BadRequestImageFormat"),
            ("/large", 413, "BadRequestImageSizeBytes"),
        ],
    )
    def test_refuses_what_is_no_picture(self, server: Program, album: str, name: str, status: int, code: str) -> None:
        reply = post(server, json.dumps({"url": album + name}), "application/json", "/url")
        assert (reply.status, reply.json["code"]) == (status, code)

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            (b"", "BadRequest"),
            (b"{", "BadRequest"),
            (b"\xff\xff", "BadRequest"),
            (b"[" * 100_000, "BadRequest"),
            (b"[]", "BadRequestImageUrl"),
            (b"{}", "BadRequestImageUrl"),
            (b'{"url": 5}', "BadRequestImageUrl"),
            (b'{"url": "file:///etc/hostname"}', "BadRequestImageUrl"),
            (b'{"url": "camera/still.jpg"}', "BadRequestImageUrl"),
            (b'{"url": "http://127.0.0.1:1/"}', "BadRequestImageUrl"),
            (b'{"url": "http://[::1"}', "BadRequestImageUrl"),
            (b'{"url": "http://a:port/"}', "BadRequestImageUrl"),
            (b'{"url": "http://a\\ud800/"}', "BadRequestImageUrl"),
        ],
    )
    def test_refuses_what_is_no_address(self, server: Program, asked: bytes, code: str) -> None:
        reply = post(server, asked, "application/json", "/url")
        assert (reply.status, reply.json["code"]) == (400, code)

    def test_does_not_wait_for_ever(self, tmp_path: Path, album: str) -> None:
        hurried = (
            "import sys; sys.path.insert(0, 'app'); import fetch, server; fetch.TIMEOUT_SECONDS = 0.2; server.main()"
        )
        with running(tmp_path / "app", "-c", hurried) as program:
            reply = post(program, json.dumps({"url": f"{album}/slow"}), "application/json", "/url")
        assert (reply.status, reply.json["code"]) == (400, "BadRequestImageUrl")


class TestStop:
    @pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
    def test_ends_at_once(self, tmp_path: Path, by: signal.Signals) -> None:
        with running(tmp_path / "app") as program, connected(program) as idle:
            assert on(idle, "GET", "/health").status == 200
            program.process.send_signal(by)
            assert program.process.wait(timeout=5) == 0
            assert "Traceback" not in program.log

    def test_says_nothing_of_clients_that_hang_up(self, tmp_path: Path) -> None:
        with running(tmp_path / "app") as program:
            for sent in (b"", b"GET", b"POST /image HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"):
                with socket.create_connection((HOST, program.port)) as wire:
                    wire.sendall(sent)
                    # No time to linger: the connection is reset instead of closed.
                    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            assert post(program, RED).best == "red"
        assert "Traceback" not in program.log

    def test_leaves_nothing_on_disk(self, tmp_path: Path) -> None:
        with running(tmp_path / "app") as program:
            assert post(program, RED).best == "red"
            found = {path.name for path in (tmp_path / "app").rglob("*")}
        assert found == {path.name for path in APP.iterdir() if path.name != "__pycache__"} | {"predict.py", "log"}


@pytest.fixture(params=["", "/customvision/v3.1/prediction"])
def client(server: Program, request: pytest.FixtureRequest) -> Iterator[Any]:
    key = ApiKeyCredentials(in_headers={"Prediction-key": "any"})
    with CustomVisionPredictionClient(f"http://{HOST}:{server.port}{request.param}", key) as client:
        yield client


class TestMicrosoftsSdk:
    @pytest.mark.parametrize("kind", ["classify", "detect"])
    def test_predicts(self, client: Any, album: str, kind: str) -> None:
        of_image, of_url = getattr(client, f"{kind}_image"), getattr(client, f"{kind}_image_url")
        assert of_image("p", "live", BytesIO(BLUE)).predictions[0].bounding_box.width == 0.5
        assert of_image("p", "live", BLUE, application="a").predictions[0].tag_name == "blü"
        assert of_url("p", "live", url=f"{album}/red.png").predictions[0].tag_name == "red"
        silent = getattr(client, f"{kind}_image_with_no_store"), getattr(client, f"{kind}_image_url_with_no_store")
        assert silent[0]("p", "live", BytesIO(RED)).created.tzinfo is not None
        assert silent[1]("p", "live", url=f"{album}/red.png").predictions[1].probability < 0.5

    def test_takes_a_file(self, client: Any, tmp_path: Path) -> None:
        (tmp_path / "röt.png").write_bytes(RED)
        with (tmp_path / "röt.png").open("rb") as file:
            assert client.classify_image("p", "live", file).predictions[0].tag_name == "red"

    def test_tells_why_not(self, client: Any) -> None:
        with pytest.raises(CustomVisionErrorException, match="Error processing image: this is no picture") as refused:
            client.classify_image("p", "live", b"text")
        assert refused.value.error.code == "BadRequestImageFormat"
