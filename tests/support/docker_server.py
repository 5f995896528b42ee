"""The server of the Docker export in a process of its own, with a model that only looks at colours."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from tests.support.pictures import picture

from foveal import exporters

APP = Path(exporters.__file__).parent / "templates/docker/app"
HOST = "127.0.0.1"
LIMIT = 4 * 1024 * 1024
SEAM = """
from io import BytesIO
from PIL import Image

class Model:
    size = 224

    def __init__(self, folder):
        assert (folder / "server.py").is_file()

    def predict(self, image):
        if image.size == (13, 13):
            raise RuntimeError("A fault of ours.")
        red, _, blue = image.resize((1, 1)).getpixel((0, 0))
        box = {"left": 0.25, "top": 0.0, "width": 0.5, "height": 1.0}
        found = [("red", red, None), ("blü", blue, box)]
        made = [{"tagName": name, "probability": each / 256 + 1e-12, "boundingBox": box} for name, each, box in found]
        return sorted(made, key=lambda each: -each["probability"])

def open_image(data, shrink_to):
    try:
        return Image.open(BytesIO(data)).convert("RGB")
    except OSError as error:
        raise ValueError(f"this is no picture: {error}.") from error
"""
RED = picture(1, "red")
BLUE = picture(2, "blue")
PUBLISHED = "project-1/classify/iterations/Live%20One"


@dataclass
class Program:
    """A running server."""

    port: int
    process: subprocess.Popen[str]
    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def best(self) -> str:
        assert self.status == 200, self.body
        return self.json["predictions"][0]["tagName"]


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Program]:
    shutil.copytree(APP, folder, ignore=shutil.ignore_patterns("__pycache__", "predict.py"))
    (folder / "predict.py").write_text(SEAM)
    variables = {**os.environ, "PORT": "0", "HOST": HOST, "PYTHONDONTWRITEBYTECODE": "1", "no_proxy": "*"}
    command = [sys.executable, *(arguments or ("app/server.py",))]
    with (folder / "log").open("w") as log:
        started = subprocess.Popen(
            command, cwd=folder.parent, env=variables, text=True, stdout=subprocess.PIPE, stderr=log
        )
    with started as process:
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            assert first.startswith("Listening on "), (folder / "log").read_text()
            yield Program(int(first.rpartition(":")[2]), process, folder)
        finally:
            process.kill()


@contextmanager
def connected(server: Program) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(HOST, server.port, timeout=20)
    try:
        yield connection
    finally:
        connection.close()


def on(connection: HTTPConnection, method: str, path: str, body: Any = None, kind: str = "", **more: Any) -> Reply:
    connection.request(method, path, body, {"Content-Type": kind} if kind else {}, **more)
    response: HTTPResponse = connection.getresponse()
    return Reply(response.status, response.headers, response.read())


def ask(server: Program, method: str, path: str, body: Any = None, kind: str = "", **more: Any) -> Reply:
    with connected(server) as connection:
        return on(connection, method, path, body, kind, **more)


def post(server: Program, body: Any, kind: str = "application/octet-stream", path: str = "/image") -> Reply:
    return ask(server, "POST", path, body, kind)


def raw(server: Program, text: bytes) -> bytes:
    """Send exactly these bytes, and nothing after them; return all that comes back."""
    with socket.create_connection((HOST, server.port), timeout=20) as wire:
        wire.sendall(text)
        wire.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: wire.recv(65536), b""))


def form(*parts: tuple[str, bytes], end: bytes = b"--\r\n", break_: bytes = b"\r\n") -> tuple[bytes, str]:
    lines = [b"--edge" + break_ + headers.encode() + 2 * break_ + data + break_ for headers, data in parts]
    return b"".join(lines) + b"--edge" + end, 'multipart/form-data; boundary="edge"'


FILE_PART = (
    'Content-Disposition: form-data; name="imageData"; filename="a;b \\"1\\".png"\r\nContent-Type: image/png',
    RED,
)
BARE_PART = ("Content-Disposition: form-data; name=imageData", RED)
OTHER_PART = ('Content-Disposition: form-data; name="note"', b"--edg\r\n--edges\r\n\r\n")
