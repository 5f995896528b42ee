"""Azurite, Microsoft's emulator of Azure Storage, in a process of its own; and shared access signatures for it."""

import base64
import hashlib
import hmac
import json
import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen
from xml.etree import ElementTree as ET

import pytest
from tests.azure.clients.programs import COPIES, NODE

PROGRAM = COPIES / "node" / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
# The published account that every emulator has.
ACCOUNT = "devstoreaccount1"
KEY = base64.b64decode("Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==")
VERSION = "2021-12-02"
LISTENS = re.compile(r"Azurite (Blob|Queue) service is successfully listening at (\S+)")
EVERYTHING = "rwdlacup"


@dataclass(frozen=True)
class Storage:
    """The emulator's two services, and what a user's own program does with them."""

    blobs: str
    queues: str

    def new_container(self, name: str) -> None:
        self._call("PUT", f"{self.blobs}/{name}", restype="container")

    def delete_container(self, name: str) -> None:
        self._call("DELETE", f"{self.blobs}/{name}", restype="container")

    def new_queue(self, name: str) -> None:
        self._call("PUT", f"{self.queues}/{name}")

    def delete_queue(self, name: str) -> None:
        self._call("DELETE", f"{self.queues}/{name}")

    def container_uri(self, name: str, permissions: str = "cw") -> str:
        return f"{self.blobs}/{name}?{signature(permissions)}"

    def queue_uri(self, name: str, permissions: str = "a") -> str:
        return f"{self.queues}/{name}?{signature(permissions)}"

    def files(self, container: str) -> set[str]:
        listing = self._call("GET", f"{self.blobs}/{container}", restype="container", comp="list")
        return {str(name.text) for name in ET.fromstring(listing).iter("Name")}

    def file(self, container: str, name: str) -> bytes:
        return self._call("GET", f"{self.blobs}/{container}/{quote(name)}")

    def messages(self, queue: str) -> list[Any]:
        """Take up to 32 messages off the queue and read them."""
        answer = self._call("GET", f"{self.queues}/{queue}/messages", numofmessages="32")
        texts = [str(text.text) for text in ET.fromstring(answer).iter("MessageText")]
        return [json.loads(base64.b64decode(text)) for text in texts]

    def _call(self, method: str, url: str, **query: str) -> bytes:
        request = Request(f"{url}?{urlencode(query)}&{signature()}", method=method, headers={"x-ms-version": VERSION})
        with urlopen(request, timeout=30) as answer:
            return answer.read()


def signature(permissions: str = EVERYTHING, expiry: str = "2099-01-01T00:00:00Z") -> str:
    """Sign for the whole account, as Azure's portal does; see "Create an account SAS" in its reference."""
    services, types, protocols = "bq", "sco", "https,http"
    values = (ACCOUNT, permissions, services, types, "", expiry, "", protocols, VERSION, "", "")
    digest = hmac.digest(KEY, "\n".join(values).encode(), hashlib.sha256)
    return urlencode(
        {
            "sv": VERSION,
            "ss": services,
            "srt": types,
            "sp": permissions,
            "se": expiry,
            "spr": protocols,
            "sig": base64.b64encode(digest).decode(),
        }
    )


@contextmanager
def running(folder: Path) -> Generator[Storage]:
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} is missing: `make setup-dev` installs it.", pytrace=False)
    ports = [word for service in ("blob", "queue", "table") for word in (f"--{service}Port", "0")]
    options = ["--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck", *ports]
    process = subprocess.Popen([NODE, PROGRAM, *options], stdout=subprocess.PIPE, text=True, cwd=folder)
    assert process.stdout is not None
    try:
        urls: dict[str, str] = {}
        while len(urls) < 2:
            line = process.stdout.readline()
            assert line, "Azurite ended before it was ready."
            urls |= LISTENS.findall(line)
        yield Storage(f"{urls['Blob']}/{ACCOUNT}", f"{urls['Queue']}/{ACCOUNT}")
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
