"""Processes that die: whatever is killed, an iteration ends, and what was acknowledged is there."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import psycopg
import pytest
from tests.slow.remote import LOOKING, PER_TAG, SLOWLY, Remote, alive, remote, stocked, until, worker
from tests.support import postgres
from tests.support.flows import entry, make_project, upload
from tests.support.pictures import picture
from tests.support.server import Server

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Stock:
    """A data folder with a project that is ready to be trained."""

    data: Path
    project: str

    def copied(self, target: Path) -> Path:
        return Path(shutil.copytree(self.data, target))


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    data = tmp_path_factory.mktemp("stock") / "data"
    with Server(data, SLOWLY, ("--no-worker",)) as server, remote(server) as api:
        return Stock(data, stocked(api))


@pytest.fixture
def data(stock: Stock, tmp_path: Path) -> Path:
    return stock.copied(tmp_path / "data")


@pytest.fixture
def server(data: Path) -> Iterator[Server]:
    with Server(data, SLOWLY) as server:
        yield server


@pytest.fixture
def api(server: Server) -> Iterator[Remote]:
    with remote(server) as api:
        yield api


@pytest.fixture(scope="module")
def token(stock: Stock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What imports a project with an iteration, from a server that nobody kills."""
    data = stock.copied(tmp_path_factory.mktemp("sender") / "data")
    with Server(data) as server, remote(server) as api:
        assert api.end(stock.project, api.start(stock.project))["status"] == "Completed"
        yield api.ok("GET", f"/projects/{stock.project}/export")["token"]


def kill(pid: int) -> int:
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid))
    return pid


def only_child(server: Server, *, besides: int = 0) -> int:
    return until(lambda: next((pid for pid in server.children() if pid != besides and alive(pid)), None))


class TestChild:
    def test_a_killed_training_is_tried_again(self, server: Server, api: Remote, stock: Stock) -> None:
        iteration = api.begin(stock.project)
        kill(only_child(server))
        assert api.end(stock.project, iteration)["status"] == "Completed"

    def test_killed_twice_it_fails_with_a_reason(self, server: Server, api: Remote, stock: Stock) -> None:
        iteration = api.begin(stock.project)
        first = kill(only_child(server))
        kill(only_child(server, besides=first))
        failed = api.end(stock.project, iteration)
        assert (failed["status"], failed["exportable"]) == ("Failed", False)
        assert "ended unexpectedly (signal 9)" in failed["trainingErrorDetails"]

    def test_after_a_failure_the_project_trains_again(self, server: Server, api: Remote, stock: Stock) -> None:
        iteration = api.begin(stock.project)
        first = kill(only_child(server))
        kill(only_child(server, besides=first))
        api.end(stock.project, iteration)
        assert api.end(stock.project, api.start(stock.project))["status"] == "Completed"

    def test_one_killed_while_it_waits_for_work_is_replaced(self, server: Server, api: Remote, stock: Stock) -> None:
        kill(only_child(server))
        iteration = api.start(stock.project)
        assert api.end(stock.project, iteration)["status"] == "Completed"


class TestServer:
    def test_killed_while_it_trains_the_iteration_ends_after_a_restart(self, tmp_path: Path, database_url: str) -> None:
        server = Server(tmp_path / "data", {**SLOWLY, "FOVEAL_DATABASE_URL": database_url})
        with server, remote(server) as api:
            project = stocked(api)
            iteration = api.begin(project)
            server.kill()
        with server, remote(server) as api:
            assert api.end(project, iteration)["status"] == "Completed"
            assert api.end(project, api.start(project))["status"] == "Completed"

    def test_its_children_end_with_it(self, server: Server, api: Remote, stock: Stock) -> None:
        api.begin(stock.project)
        children = server.children()
        assert children
        server.kill()
        until(lambda: not any(alive(pid) for pid in children), seconds=10)

    def test_killed_while_pictures_arrive_it_keeps_what_it_acknowledged(self, tmp_path: Path) -> None:
        server = Server(tmp_path / "data")
        acknowledged: dict[str, bytes] = {}
        with server, remote(server) as api:
            project = make_project(api)
            client = Thread(target=upload_until_it_breaks, args=(api, project, acknowledged))
            client.start()
            until(lambda: len(acknowledged) >= 24)
            server.kill()
            client.join()
        with server, remote(server) as api:
            found = dict(pictures(api, project, list(acknowledged)))
        assert found == acknowledged

    def test_told_to_stop_it_ends_at_once_and_the_training_goes_on_later(
        self, data: Path, server: Server, api: Remote, stock: Stock
    ) -> None:
        iteration = api.begin(stock.project)
        children = server.children()
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 10
        assert not any(alive(pid) for pid in children)
        with Server(data) as later, remote(later) as after:
            assert after.end(stock.project, iteration)["status"] == "Completed"

    def test_a_stop_does_not_count_as_a_failed_attempt(
        self, data: Path, server: Server, api: Remote, stock: Stock
    ) -> None:
        iteration = api.begin(stock.project)
        server.stop()
        with Server(data, SLOWLY) as later, remote(later) as after:
            until(lambda: after.progress(stock.project, iteration)["stage"] == LOOKING)
            kill(only_child(later))
            assert after.end(stock.project, iteration)["status"] == "Completed"


class TestWorker:
    @pytest.fixture
    def api(self, data: Path) -> Iterator[Remote]:
        with Server(data, SLOWLY, ("--no-worker",)) as server, remote(server) as api:
            yield api

    def test_alone_it_trains_for_a_server_that_does_not(self, data: Path, api: Remote, stock: Stock) -> None:
        with worker(data) as process:
            assert api.end(stock.project, api.begin(stock.project))["status"] == "Completed"
        assert process.returncode == 0

    def test_another_takes_over_when_it_is_killed(self, data: Path, api: Remote, stock: Stock) -> None:
        with worker(data) as first:
            iteration = api.begin(stock.project)
            kill(first.pid)
            with worker(data):
                assert api.end(stock.project, iteration)["status"] == "Completed"


@pytest.mark.xdist_group("import")  # the sender is made once
class TestImport:
    @pytest.fixture
    def target(self, tmp_path: Path) -> Server:
        return Server(tmp_path / "target", {**SLOWLY, "FOVEAL_FETCH_ALLOWED_HOSTS": "127.0.0.1"})

    def test_killed_once_the_copy_is_whole_after_a_restart(self, token: str, target: Server) -> None:
        with target, remote(target) as api:
            project = api.ok("POST", "/projects/import", params={"token": token})["id"]
            kill_as_pictures_arrive(target)
        with target, remote(target) as api:
            assert imported(api, project) == "Succeeded"
            assert held(api, project) == (2 * PER_TAG, 2, ["Completed"])

    def test_killed_twice_it_fails_with_nothing_half_done(self, token: str, target: Server) -> None:
        with target, remote(target) as api:
            project = api.ok("POST", "/projects/import", params={"token": token})["id"]
            kill_as_pictures_arrive(target)
        with target:
            kill_as_pictures_arrive(target)
        with target, remote(target) as api:
            assert imported(api, project) == "Failed"
            assert held(api, project) == (0, 0, [])


@pytest.mark.postgres
class TestDatabase:
    def test_the_worker_outlives_an_outage(self, tmp_path: Path, postgres_server: str) -> None:
        url = postgres.new_database(postgres_server)
        with Server(tmp_path / "data", {"FOVEAL_DATABASE_URL": url}) as server, remote(server) as api:
            project = stocked(api)
            with outage(postgres_server, url.rpartition("/")[2]):
                time.sleep(2)
            iteration = api.start(project)
            assert api.end(project, iteration)["status"] == "Completed"


@contextmanager
def outage(server: str, database: str) -> Iterator[None]:
    """Cut all connections to the database and let no new ones in."""
    address = server.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")  # pyright: ignore[reportArgumentType]
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])
        yield
        connection.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")  # pyright: ignore[reportArgumentType]


def kill_as_pictures_arrive(server: Server) -> None:
    """Kill the server once there is a picture more in its data folder."""
    folder = server.data / "blobs" / "images"

    def pictures() -> int:
        return sum(path.is_file() for path in folder.rglob("*"))

    before = pictures()
    until(lambda: pictures() > before)
    server.kill()


def imported(api: Remote, project: str) -> str:
    """Wait until the import has ended; tell how."""
    path = f"/projects/{project}"
    until(lambda: api.ok("GET", path)["status"] != "Importing")
    return api.ok("GET", path)["status"]


def held(api: Remote, project: str) -> tuple[int, int, list[str]]:
    """Count images and tags, and give the statuses of the iterations."""
    images, tags, iterations = (
        api.ok("GET", f"/projects/{project}/{noun}") for noun in ("images/count", "tags", "iterations")
    )
    return images, len(tags), [iteration["status"] for iteration in iterations]


def upload_until_it_breaks(api: Remote, project: str, acknowledged: dict[str, bytes]) -> None:
    """Upload small batches until the server is gone; note what it said it has."""
    for first in range(0, 8_000, 8):
        data = {str(n): picture(n) for n in range(first, first + 8)}
        try:
            answer: Any = upload(api, project, *(entry(name, each) for name, each in data.items()))
        except httpx2.TransportError:
            return
        assert answer.status_code == 200, answer.text
        acknowledged.update({image["image"]["id"]: data[image["sourceUrl"]] for image in answer.json()["images"]})


def pictures(api: Remote, project: str, ids: list[str]) -> Iterator[tuple[str, bytes]]:
    """Read each picture back by the link that the server gives for it."""
    for at in range(0, len(ids), 200):
        for image in api.ok("GET", f"/projects/{project}/images/id", params={"imageIds": ",".join(ids[at : at + 200])}):
            yield image["id"], httpx2.get(image["originalImageUri"]).content
