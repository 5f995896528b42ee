"""A small web server that answers like Azure's prediction API with the model beside it: `python server.py`."""

import json
import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn

import body
import fetch
import form
from predict import Model, open_image
from refused import LIMIT_BYTES, Refused, too_large

# Programs look for its first five words to know that a model answers here.
WELCOME = "CustomVision.ai model host harness, by Foveal: POST a picture to /image and get predictions.\n"
TIMEOUT_SECONDS = 30.0
DIGITS = 8
# What Azure's paths have before the last word: its API, the project, and the name of a published iteration.
API = r"(?:customvision/v\d[^/]*/prediction/)*"
PUBLISHED = r"(?:(?:classify|detect)/iterations/[^/]+/)?"
PREDICT = re.compile(rf"{API}(?:[^/]+/{PUBLISHED})?(image|url)(?:/nostore)?")
PAGES = ("", "health")
FAULT = Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "ErrorUnknown", "the server has a fault; see its log.")

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back; `hang_up` ends the connection after it."""

    status: HTTPStatus
    content: bytes
    content_type: str
    allow: str = ""
    hang_up: bool = False


class Server(ThreadingHTTPServer):
    """Listens with one model, which takes one picture at a time: the processor's cores all work on it already."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], model: Model) -> None:
        super().__init__(address, Handler)
        self._model = model
        self._one_at_a_time = Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave clients that hang up out of the log."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def predict(self, data: bytes) -> Answer:
        if len(data) > LIMIT_BYTES:
            raise too_large()
        # Decoding waits in line too: many large pictures at once would not fit into a small computer.
        with self._one_at_a_time:
            try:
                image = open_image(data, self._model.size)
            except ValueError as error:
                raise Refused(HTTPStatus.BAD_REQUEST, "BadRequestImageFormat", str(error)) from error
            found = self._model.predict(image)
        return {
            "id": "",
            "project": "",
            "iteration": "",
            "created": _utc(time.time()),
            "predictions": [_prediction(each) for each in found],
        }


class Handler(BaseHTTPRequestHandler):
    """Answers one connection, request by request."""

    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]  # the only one that makes it
    protocol_version = "HTTP/1.1"
    server_version = "Foveal"
    sys_version = ""
    timeout = TIMEOUT_SECONDS
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815  # the names that it looks for

    def _serve(self) -> None:
        try:
            self._send(self._reply())
        except (TimeoutError, ConnectionError):
            # The client is gone, or sends nothing more: there is nobody to tell.
            self.close_connection = True

    def _reply(self) -> Reply:
        """Read the body before anything else, so that a refusal leaves the connection in step."""
        try:
            content = body.read(self.headers, self.rfile)
            return self._page(_route(self.command, self.path), content)
        except Refused as refused:
            return _refusal(refused)
        except (TimeoutError, ConnectionError):
            raise
        except Exception:  # noqa: BLE001  # the outermost place: whatever the fault, the client gets an answer
            traceback.print_exc()
            return _refusal(FAULT)

    def _page(self, page: str, content: bytes) -> Reply:
        if page == "":
            return Reply(HTTPStatus.OK, WELCOME.encode(), "text/plain; charset=utf-8")
        if page == "health":
            return _json(HTTPStatus.OK, {"status": "ok"})
        content_type = self.headers.get("Content-Type", "")
        return _json(HTTPStatus.OK, self.server.predict(SOURCES[page](content_type, content)))

    def _send(self, reply: Reply) -> None:
        self.close_connection = self.close_connection or reply.hang_up
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.content)))
        if reply.allow:
            self.send_header("Allow", reply.allow)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what the library itself could not read, in our words; nothing after it can be trusted."""
        status = HTTPStatus(code)
        self._send(_refusal(Refused(status, "BadRequest", f"{message or explain or status.phrase}.", hang_up=True)))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Leave out the questions of Docker's health check, which would fill the log."""
        if getattr(self, "path", "") != "/health":
            super().log_request(code, size)


def _route(method: str, target: str) -> str:
    """Return which page is asked for: "", "health", "image" or "url"."""
    path = re.sub(r"^https?://[^/?]*", "", target).partition("?")[0].lower()
    path = "/".join(part for part in path.split("/") if part)
    found = PREDICT.fullmatch(path)
    if found is None and path not in PAGES:
        reason = f"there is nothing at {target[:200]}; POST a picture to /image, or its address to /url."
        raise Refused(HTTPStatus.NOT_FOUND, "NotFound", reason)
    methods = ("POST",) if found else ("GET", "HEAD")
    if method not in methods:
        allow = ", ".join(methods)
        reason = f"{method} is not for this path; use {allow}."
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "BadRequestNotSupported", reason, allow=allow)
    return found[1] if found else path


def _posted(content_type: str, content: bytes) -> bytes:
    """Return the picture of a form, or the body itself."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return form.picture(content_type, content)
    if kind and kind != "application/octet-stream" and not kind.startswith("image/"):
        reason = f"Content-Type {kind!r} is not taken: use multipart/form-data or application/octet-stream."
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", reason)
    if not content:
        raise Refused(HTTPStatus.BAD_REQUEST, "BadRequestImageBatch", "the body is empty, expected a picture.")
    return content


def _linked(_content_type: str, content: bytes) -> bytes:
    """Return the picture at the address in {"url": ...}; older clients write Url."""
    try:
        asked = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "BadRequest", f"the body is no JSON: {error}.") from error
    match asked:
        case {"url": str(url)} | {"Url": str(url)}:
            return fetch.picture(url.strip())
        case _:
            reason = 'expected JSON with an address: {"url": "https://..."}.'
            raise Refused(HTTPStatus.BAD_REQUEST, "BadRequestImageUrl", reason)


SOURCES: dict[str, Callable[[str, bytes], bytes]] = {"image": _posted, "url": _linked}


def _refusal(refused: Refused) -> Reply:
    answer = {"code": refused.code, "message": f"Error processing image: {refused.reason}"}
    return _json(refused.status, answer, allow=refused.allow, hang_up=refused.hang_up)


def _json(status: HTTPStatus, answer: Answer, *, allow: str = "", hang_up: bool = False) -> Reply:
    content = json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
    return Reply(status, content, "application/json; charset=utf-8", allow, hang_up)


def _prediction(found: Answer) -> Answer:
    return {
        "probability": round(float(found["probability"]), DIGITS),
        "tagId": "",
        "tagName": found["tagName"],
        "boundingBox": found["boundingBox"],
    }


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _stop(_signal: int, _frame: object) -> NoReturn:
    """Leave at once: an answer takes longer to compute than `docker stop` is worth waiting for."""
    sys.exit(0)


def main() -> None:
    host = os.environ.get("HOST") or "0.0.0.0"  # noqa: S104  # in a container that is its own network
    port = int(os.environ.get("PORT") or 80)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    with Server((host, port), Model(Path(__file__).parent)) as server:
        print(f"Listening on http://{host}:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
