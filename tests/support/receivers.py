"""Those who are told: a mail server that keeps what it takes, and a web server that keeps what is posted."""

import socket
import ssl
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

HOST = "127.0.0.1"
PATIENCE_SECONDS = 30


@dataclass
class Mailbox:
    """What a mail server took."""

    port: int
    refuses: bool = False
    mails: list[EmailMessage] = field(default_factory=list[EmailMessage])
    recipients: list[str] = field(default_factory=list[str])

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.refuses:
            return "550 We take nothing."
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        content = cast("bytes", envelope.content)
        self.mails.append(message_from_bytes(content, policy=policy.default))  # pyright: ignore[reportArgumentType]
        self.recipients += envelope.rcpt_tos
        return "250 OK"


@contextmanager
def mail_server(*, tls: ssl.SSLContext | None = None, password: str = "") -> Generator[Mailbox]:
    """Listen on a free port; with `tls` for STARTTLS, with a password for the user `foveal`."""

    def authenticate(*about: Any) -> AuthResult:
        login: LoginPassword = about[-1]
        good = (login.login, login.password) == (b"foveal", password.encode())
        return AuthResult(success=good, handled=False)

    mailbox = Mailbox(_free_port())
    login: dict[str, Any] = {"authenticator": authenticate, "auth_require_tls": False}
    options: dict[str, Any] = {**(login if password else {}), **({"tls_context": tls} if tls else {})}
    controller = Controller(mailbox, hostname=HOST, port=mailbox.port, **options)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


@dataclass(frozen=True)
class Request:
    """What was sent to the web server."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Site:
    """A web server that keeps what it is sent."""

    url: str
    status: int = 200
    stumbles: int = 0
    """How many requests are answered with 503 before the others."""
    requests: list[Request] = field(default_factory=list[Request])

    def about(self, text: str, *, count: int) -> list[Request]:
        """Wait until so many requests with the text in their bodies have come."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(found := [request for request in self.requests if text.encode() in request.body]) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count} requests about {text} came"
            time.sleep(0.02)
        return found


@contextmanager
def web_server() -> Generator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.take()

        def do_PUT(self) -> None:
            self.take()

        def take(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            site.requests.append(Request(self.command, self.path, dict(self.headers.items()), body))
            self.send_response(503 if len(site.requests) <= site.stumbles else site.status)
            self.send_header("Content-Length", "0")
            self.send_header("ETag", "etag")
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Stay silent."""

    with ThreadingHTTPServer((HOST, 0), Handler) as httpd:
        site = Site(f"http://{HOST}:{httpd.server_port}")
        thread = Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        yield site
        httpd.shutdown()
        thread.join()


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return listener.getsockname()[1]
