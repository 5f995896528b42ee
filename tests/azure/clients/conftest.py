"""Pictures in files, a web server that shows them, and the programs run on both."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tests.azure import sdk
from tests.azure.clients import programs
from tests.azure.clients.programs import Client
from tests.support.pictures import picture
from tests.support.server import PREDICTION_KEY, TRAINING_KEY, Server

pytest.register_assert_rewrite("tests.azure.clients.promises")


class Silent(SimpleHTTPRequestHandler):
    """Shows the files of a folder and writes no log."""

    def log_message(self, format: str, *arguments: object) -> None:
        """Stay silent."""


@pytest.fixture(scope="session")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures to train on, one to upload by itself, and some that no model has seen."""
    album = tmp_path_factory.mktemp("album")
    for at, colour in enumerate(("blue", "red")):
        for n in range(9):
            folder = f"train/{colour}" if n < 6 else "unseen"
            _write(album / folder / f"{colour}-{n}.png", picture(70_000 + 100 * at + n, colour))
    _write(album / "single/red.png", picture(71_000, "red"))
    return album


@pytest.fixture(scope="session")
def address(album: Path) -> Iterator[str]:
    """Where a web server shows a blue picture."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=album)) as httpd:
        thread = Thread(target=httpd.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/unseen/blue-7.png"
        httpd.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def run(server: Server, album: Path, address: str) -> Callable[[Client], dict[str, Any]]:
    """Run a client's program, once for all tests; give what it saw."""
    errand = {
        "endpoint": server.endpoint,
        "training_key": TRAINING_KEY,
        "prediction_key": PREDICTION_KEY,
        "resource": sdk.RESOURCE,
        "album": str(album),
        "address": address,
    }
    return cache(partial(programs.run, errand=errand))


@pytest.fixture
def seen(run: Callable[[Client], dict[str, Any]], client: Client) -> dict[str, Any]:
    return run(client)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
