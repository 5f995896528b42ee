"""A live server as tests that kill parts of it see it: calls, progress, patience."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from tests.support.flows import entry, make_project, make_tag, upload
from tests.support.pictures import picture
from tests.support.server import TRAINING_KEY, Server

PATIENCE_SECONDS = 90
# One thread, so that a training takes long enough to be killed or cancelled.
SLOWLY = {"FOVEAL_THREADS": "1"}
ENDED = {"Completed", "Failed"}
LOOKING = "looking at the images"
PER_TAG = 100
BATCH = 50

Found = TypeVar("Found")


class Remote:
    """Calls the training API of a live server; fits the steps in `tests.support.flows`."""

    def __init__(self, server: Server) -> None:
        self.client = httpx2.Client(base_url=server.endpoint, headers={"Training-Key": TRAINING_KEY}, timeout=60)

    def __call__(self, method: str, path: str, **options: Any) -> Any:
        return self.client.request(method, f"/customvision/v3.4-preview/training{path}", **options)

    def ok(self, method: str, path: str, **options: Any) -> Any:
        response = self(method, path, **options)
        assert response.status_code in {200, 207}, response.text
        return response.json()

    def progress(self, project: str, iteration: str) -> Any:
        return self.client.get(f"/api/v1/projects/{project}/iterations/{iteration}/progress").json()

    def cancel(self, project: str, iteration: str) -> Any:
        response = self.client.post(f"/api/v1/projects/{project}/iterations/{iteration}/cancel")
        assert response.status_code == 200, response.text
        return response.json()

    def start(self, project: str) -> str:
        return self.ok("POST", f"/projects/{project}/train", params={"forceTrain": "true"})["id"]

    def begin(self, project: str) -> str:
        """Start a training; return once it looks at its images."""
        iteration = self.start(project)
        until(lambda: self.progress(project, iteration)["stage"] == LOOKING)
        return iteration

    def end(self, project: str, iteration: str) -> Any:
        """Wait until the iteration has ended; give it."""
        path = f"/projects/{project}/iterations/{iteration}"
        return until(lambda: next((found for found in [self.ok("GET", path)] if found["status"] in ENDED), None))


@contextmanager
def remote(server: Server) -> Iterator[Remote]:
    caller = Remote(server)
    try:
        yield caller
    finally:
        caller.client.close()


@contextmanager
def worker(data: Path, *, jobs: int = 1) -> Iterator[subprocess.Popen[str]]:
    """Run `foveal worker`, whose leases are short."""
    command = [sys.executable, "-m", "foveal", "worker", "--data", str(data), "--jobs", str(jobs)]
    environment = {**os.environ, **SLOWLY, "FOVEAL_LOG_LEVEL": "warning", "FOVEAL_LEASE_SECONDS": "2"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert "Worker is ready" in process.stdout.readline()
        try:
            yield process
        finally:
            process.terminate()


def stocked(api: Remote, name: str = "fruit") -> str:
    """Make a project of red and blue pictures; give its id."""
    project = make_project(api, name, classificationType="Multiclass")
    for at, colour in enumerate(("red", "blue")):
        tag = make_tag(api, project, colour)
        for first in range(0, PER_TAG, BATCH):
            numbers = range(1000 * at + first, 1000 * at + first + BATCH)
            entries = [entry(str(n), picture(n, colour, size=(256, 256), format="JPEG"), tag) for n in numbers]
            assert upload(api, project, *entries).status_code == 200
    return project


def until(look: Callable[[], Found | None], seconds: float = PATIENCE_SECONDS) -> Found:
    """Look again and again until there is something to see; give it."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing happened within {seconds} s"
        time.sleep(0.02)
    return found


def alive(pid: int) -> bool:
    """Tell whether the process runs; one that has ended and waits to be noticed does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
