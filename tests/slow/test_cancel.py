"""Trainings that are cancelled, and several at the same time."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.slow.remote import SLOWLY, Remote, alive, remote, stocked, until, worker
from tests.support.server import Server

from foveal.settings import MEBIBYTE

pytestmark = pytest.mark.slow

CANCELLED = "The training was cancelled. Train again when you want to."
# Longer than a look each second and a child that must be killed.
FREE_WITHIN_SECONDS = 5
NAMES = ("one", "two")


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A data folder with two projects that are ready to be trained, and their ids."""
    data = tmp_path_factory.mktemp("stock") / "data"
    with Server(data, SLOWLY, ("--no-worker",)) as server, remote(server) as api:
        return data, [stocked(api, name) for name in NAMES]


@pytest.fixture
def data(stock: tuple[Path, list[str]], tmp_path: Path) -> Path:
    return Path(shutil.copytree(stock[0], tmp_path / "data"))


@pytest.fixture
def projects(stock: tuple[Path, list[str]]) -> list[str]:
    return stock[1]


@contextmanager
def serving(data: Path, *arguments: str, **variables: str) -> Iterator[tuple[Server, Remote]]:
    with Server(data, {**SLOWLY, **variables}, arguments) as server, remote(server) as api:
        yield server, api


def child(server: Server) -> int:
    """Give the process that does the job: while its worker is busy, no other waits."""
    [pid] = [pid for pid in server.children() if alive(pid)]
    return pid


def at_work(api: Remote, project: str, iteration: str) -> bool:
    found = api.progress(project, iteration)
    return (found["status"], found["attempts"]) == ("Training", 1)


def data_limit(pid: int) -> str:
    _, _, found = Path(f"/proc/{pid}/limits").read_text().partition("Max data size")
    return found.split()[0]


def lines(api: Remote, project: str, iteration: str) -> list[str]:
    return [line["text"] for line in api.progress(project, iteration)["log"]]


class TestCancel:
    def test_frees_the_worker_whatever_the_child_does(self, tmp_path: Path, database_url: str) -> None:
        # A lease so long that no renewal finds the claim lost, and a child that does not end when it is asked to.
        variables = {"FOVEAL_DATABASE_URL": database_url, "FOVEAL_LEASE_SECONDS": "60"}
        with serving(tmp_path / "data", **variables) as (server, api):
            first, second = (stocked(api, name) for name in NAMES)
            cancelled = api.begin(first)
            waits = api.start(second)
            pid = child(server)
            os.kill(pid, signal.SIGSTOP)
            assert api.progress(second, waits)["attempts"] == 0
            assert api.cancel(first, cancelled)["status"] == "Failed"
            until(lambda: at_work(api, second, waits), seconds=FREE_WITHIN_SECONDS)
            assert not alive(pid)
            assert api.end(second, waits)["status"] == "Completed"
            assert api.end(first, cancelled)["trainingErrorDetails"] == CANCELLED

    def test_lets_the_same_project_train_again_at_once(self, data: Path, projects: list[str]) -> None:
        project = projects[0]
        with serving(data) as (_, api):
            cancelled = api.begin(project)
            api.cancel(project, cancelled)
            assert api.end(project, api.start(project))["status"] == "Completed"
            assert api.end(project, cancelled)["status"] == "Failed"

    def test_stays_when_the_child_is_killed_before_it_is_stopped(self, data: Path, projects: list[str]) -> None:
        project = projects[0]
        with serving(data) as (server, api):
            cancelled = api.begin(project)
            pid = child(server)
            api.cancel(project, cancelled)
            os.kill(pid, signal.SIGKILL)
            assert api.end(project, api.start(project))["status"] == "Completed"
            assert api.end(project, cancelled)["trainingErrorDetails"] == CANCELLED
            assert lines(api, project, cancelled)[-1] == "Cancelled."

    def test_stays_when_the_server_is_killed(self, data: Path, projects: list[str]) -> None:
        project = projects[0]
        with serving(data) as (server, api):
            cancelled = api.begin(project)
            api.cancel(project, cancelled)
            server.kill()
        with serving(data) as (_, api):
            assert api.end(project, api.start(project))["status"] == "Completed"
            assert api.end(project, cancelled)["trainingErrorDetails"] == CANCELLED


class TestSeveralWorkers:
    def test_train_several_projects_at_the_same_time(self, data: Path, projects: list[str]) -> None:
        with serving(data, "--jobs", "2", FOVEAL_JOB_MEMORY_MIB="512") as (server, api):
            trainings = [(project, api.start(project)) for project in projects]
            until(lambda: all(at_work(api, *training) for training in trainings))
            # A child holds itself to the limit before it begins.
            until(lambda: [data_limit(pid) for pid in server.children()] == [str(512 * MEBIBYTE)] * 2)
            assert [api.end(*training)["status"] for training in trainings] == ["Completed"] * 2
            takers = {lines(api, *training)[0] for training in trainings}
        assert len(takers) == 2

    def test_give_their_jobs_back_when_the_server_stops(self, data: Path, projects: list[str]) -> None:
        with serving(data, FOVEAL_WORKERS="2") as (server, api):
            trainings = [(project, api.start(project)) for project in projects]
            until(lambda: all(at_work(api, *training) for training in trainings))
            children = server.children()
            server.stop()
            assert not any(alive(pid) for pid in children)
        with serving(data) as (_, api):
            assert [api.end(*training)["status"] for training in trainings] == ["Completed"] * 2
            assert all("Given back: " in lines(api, *training)[1] for training in trainings)

    def test_alone_they_train_for_a_server_that_does_not(self, data: Path, projects: list[str]) -> None:
        with serving(data, "--no-worker") as (_, api), worker(data, jobs=2) as process:
            trainings = [(project, api.start(project)) for project in projects]
            until(lambda: all(at_work(api, *training) for training in trainings))
            assert [api.end(*training)["status"] for training in trainings] == ["Completed"] * 2
        assert process.returncode == 0
