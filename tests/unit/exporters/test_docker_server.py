"""The pages of the Docker export's server: pictures in every form, refusals, the limit."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from tests.support.docker_server import (
    BARE_PART,
    BLUE,
    FILE_PART,
    HOST,
    LIMIT,
    OTHER_PART,
    PUBLISHED,
    RED,
    Program,
    ask,
    form,
    post,
    raw,
    running,
)
from tests.support.pictures import picture

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with running(tmp_path_factory.mktemp("docker") / "app") as program:
        yield program


class TestPages:
    def test_welcomes_with_the_words_that_programs_look_for(self, server: Program) -> None:
        reply = ask(server, "GET", "/")
        assert reply.status == 200
        assert reply.body.startswith(b"CustomVision.ai model host harness")
        assert reply.headers["Content-Type"].startswith("text/plain")

    def test_is_well(self, server: Program) -> None:
        assert ask(server, "GET", "/Health?now").json == {"status": "ok"}

    @pytest.mark.parametrize("path", ["/", "/health"])
    def test_answers_head_without_a_body(self, server: Program, path: str) -> None:
        reply = ask(server, "HEAD", path)
        assert (reply.status, reply.body) == (200, b"")
        assert int(reply.headers["Content-Length"]) > 0

    def test_tells_docker(self, server: Program) -> None:
        command = [sys.executable, str(server.folder / "health.py")]
        for host, port, code in ((HOST, server.port, 0), ("", server.port, 0), ("0.0.0.0", 1, 1)):
            variables = {**os.environ, "HOST": host, "PORT": str(port)}
            assert subprocess.run(command, env=variables, check=False).returncode == code
        assert "/health" not in server.log.replace("health?", "")


class TestImage:
    @pytest.mark.parametrize("ending", ["image", "image/nostore"])
    @pytest.mark.parametrize(
        "before",
        [
            "/",
            "/project-1/",
            f"/{PUBLISHED}/",
            "/project-1/detect/iterations/live/",
            f"/customvision/v3.1/prediction/{PUBLISHED}/",
            f"/CustomVision/V3.0/Prediction//{PUBLISHED}/",
            f"/customvision/v3.1/prediction/customvision/v3.1/prediction/{PUBLISHED}/",
        ],
    )
    def test_at_every_address(self, server: Program, before: str, ending: str) -> None:
        assert post(server, RED, path=before + ending + "?application=a/b").best == "red"
        assert post(server, BLUE, path=(before + ending).upper().replace("/", "//")).best == "blü"

    def test_answers_as_azure_does(self, server: Program) -> None:
        reply = post(server, BLUE)
        created = reply.json.pop("created")
        assert created.endswith("Z")
        assert abs(datetime.fromisoformat(created) - datetime.now(UTC)) < timedelta(minutes=1)
        first, second = reply.json["predictions"]
        assert {key: value for key, value in reply.json.items() if key not in {"created", "predictions"}} == {
            "id": "",
            "project": "",
            "iteration": "",
        }
        assert list(first) == ["probability", "tagId", "tagName", "boundingBox"]
        assert (first["tagName"], first["tagId"], first["boundingBox"]["width"]) == ("blü", "", 0.5)
        assert second["boundingBox"] is None
        assert first["probability"] == round(first["probability"], 8)
        assert reply.headers["Content-Type"] == "application/json; charset=utf-8"

    @pytest.mark.parametrize("kind", ["application/octet-stream", "image/png", "", "Image/JPEG; q=1"])
    def test_as_the_body(self, server: Program, kind: str) -> None:
        assert post(server, RED, kind).best == "red"

    @pytest.mark.parametrize(
        "parts", [[FILE_PART], [BARE_PART], [OTHER_PART, BARE_PART], [("X: y\r\n" + FILE_PART[0], RED), OTHER_PART]]
    )
    def test_in_a_form(self, server: Program, parts: list[tuple[str, bytes]]) -> None:
        assert post(server, *form(*parts)).best == "red"

    def test_in_forms_of_careless_senders(self, server: Program) -> None:
        body, kind = form(BARE_PART, end=b"--")
        assert post(
            server, b"\r\nThis is a form.\r\n" + body, kind.replace('"', "").upper().replace("EDGE", "edge")
        ).best
        assert post(server, *form(BARE_PART, end=b"--\n", break_=b"\n")).best == "red"
        assert post(server, *form(("content-disposition: form-data; name=IMAGEDATA", RED))).best == "red"

    def test_in_chunks(self, server: Program) -> None:
        chunks = iter([RED[:100], RED[100:1000], RED[1000:]])
        reply = ask(server, "POST", "/image", chunks, "application/octet-stream", encode_chunked=True)
        assert reply.best == "red"
        text = b"POST /image HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%X;a=b\r\n%s\r\n0\r\nMore: 1\r\n\r\n"
        answers = raw(server, text % (len(RED), RED) + b"GET /health HTTP/1.1\r\n\r\n")
        assert answers.count(b"HTTP/1.1 200") == 2

    def test_after_being_told_to_go_on(self, server: Program) -> None:
        head = b"POST /image HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(RED)
        assert b"100 Continue\r\n\r\nHTTP/1.1 200" in raw(server, head + RED)

    def test_by_address_of_a_whole_url(self, server: Program) -> None:
        head = b"POST http://camera/image?x HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(RED)
        assert b"HTTP/1.1 200" in raw(server, head + RED)

    def test_from_many_at_once(self, server: Program) -> None:
        replies: list[str] = []
        threads = [Thread(target=lambda: replies.append(post(server, RED).best)) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert replies == ["red"] * 12


class TestRefusals:
    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/nowhere", 404, "NotFound"),
            ("POST", "/a/b/image", 404, "NotFound"),
            ("POST", "/p/train/iterations/x/image", 404, "NotFound"),
            ("POST", "/image/store", 404, "NotFound"),
            ("OPTIONS", "*", 404, "NotFound"),
            ("GET", "/image", 405, "BadRequestNotSupported"),
            ("PUT", "/url", 405, "BadRequestNotSupported"),
            ("POST", "/", 405, "BadRequestNotSupported"),
            ("DELETE", "/health", 405, "BadRequestNotSupported"),
            ("BREW", "/image", 501, "BadRequest"),
        ],
    )
    def test_of_wrong_addresses_and_methods(
        self, server: Program, method: str, path: str, status: int, code: str
    ) -> None:
        reply = ask(server, method, path)
        assert (reply.status, reply.json["code"]) == (status, code)
        assert ("Allow" in reply.headers) == (status == 405)

    @pytest.mark.parametrize(
        ("body", "kind", "status", "code", "reason"),
        [
            (b"", "", 400, "BadRequestImageBatch", "empty"),
            (b"text", "", 400, "BadRequestImageFormat", "no picture"),
            (RED[:200], "image/png", 400, "BadRequestImageFormat", "no picture"),
            (RED, "application/x-www-form-urlencoded", 415, "UnsupportedMediaType", "application/octet-stream"),
            (b"{}", "application/json", 415, "UnsupportedMediaType", "multipart"),
            (RED, "multipart/form-data", 400, "BadRequestImageStream", "boundary"),
            (RED, "multipart/form-data; boundary=edge", 400, "BadRequestImageStream", "boundary"),
            (*form(OTHER_PART), 400, "BadRequestImageBatch", "got 0"),
            (*form(BARE_PART, FILE_PART), 400, "BadRequestImageBatch", "got 2"),
            (*form(BARE_PART, end=b""), 400, "BadRequestImageStream", "cut short"),
            (*form(BARE_PART, end=b"\r\n"), 400, "BadRequestImageStream", "cut short"),
            (*form(*[OTHER_PART] * 101), 400, "BadRequestImageStream", "100 parts"),
            (
                b"--edge\r\nno empty line\r\n--edge--",
                "multipart/form-data; boundary=edge",
                400,
                "BadRequestImageStream",
                "",
            ),
            (*form(("", RED)), 400, "BadRequestImageBatch", "got 0"),
        ],
    )
    def test_of_bodies(self, server: Program, body: bytes, kind: str, status: int, code: str, reason: str) -> None:
        reply = post(server, body, kind)
        assert (reply.status, reply.json["code"]) == (status, code)
        assert reply.json["message"].startswith("Error processing image: ")
        assert reason in reply.json["message"]

    def test_tells_faults_of_ours_from_those_of_the_picture(self, server: Program) -> None:
        reply = post(server, picture(3, size=(13, 13)))
        assert (reply.status, reply.json["code"]) == (500, "ErrorUnknown")
        assert "A fault of ours" not in reply.json["message"]
        assert "RuntimeError: A fault of ours." in server.log


class TestLimit:
    def padded(self, length: int) -> bytes:
        """A BMP may have anything behind its pixels."""
        whole = picture(4, "red", format="BMP")
        return whole + bytes(length - len(whole))

    def test_takes_four_megabytes(self, server: Program) -> None:
        assert post(server, self.padded(LIMIT)).best == "red"
        assert post(server, *form((BARE_PART[0], self.padded(LIMIT)))).best == "red"

    @pytest.mark.parametrize("extra", [1, 100_000, 20_000_000])
    def test_refuses_more(self, server: Program, extra: int) -> None:
        for body in (self.padded(LIMIT + extra), iter([bytes(LIMIT), bytes(extra)])):
            reply = ask(server, "POST", "/image", body, "image/bmp", encode_chunked=True)
            assert (reply.status, reply.json["code"]) == (413, "BadRequestImageSizeBytes")

    def test_refuses_a_form_with_more(self, server: Program) -> None:
        assert post(server, *form((BARE_PART[0], self.padded(LIMIT + 1)))).status == 413

    def test_does_not_wait_for_what_is_far_too_much(self, server: Program) -> None:
        head = b"POST /image HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"
        assert b"HTTP/1.1 413" in raw(server, head)
        assert b"HTTP/1.1 413" in raw(
            server, b"POST /image HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFF\r\n"
        )
