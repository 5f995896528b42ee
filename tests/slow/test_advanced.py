"""Advanced trainings that are killed or cancelled in the middle."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.slow.remote import Remote, alive, remote, until
from tests.support.flows import fill, make_project
from tests.support.server import Server

pytestmark = pytest.mark.slow

COMPACT = "0732100f-1a38-4e49-a514-c9b44c697ab5"
ADVANCED = {"trainingType": "Advanced", "reservedBudgetInHours": "1"}
FREE_WITHIN_SECONDS = 5
PATIENCE_SECONDS = 300
FEW, MANY = 7, 10  # images per tag: too few for networks to be trained on, which takes minutes; and enough


def begin(api: Remote, per_tag: int) -> tuple[str, str]:
    """Start an Advanced training; return its project and iteration once something of it is kept."""
    project = make_project(api, "fruit", classificationType="Multiclass", domainId=COMPACT)
    fill(api, project, count=per_tag)
    iteration = api.ok("POST", f"/projects/{project}/train", params=ADVANCED)["id"]
    until(lambda: api.progress(project, iteration)["stage"].startswith("trying: two sizes"))
    return project, iteration


def kept(data: Path, iteration: str) -> dict[str, float]:
    """The pieces of work that are kept, and when each was written."""
    return {path.name: path.stat().st_mtime for path in (data / "blobs" / "work" / iteration).glob("*-*")}


def ended(api: Remote, project: str, iteration: str) -> Any:
    until(lambda: api.progress(project, iteration)["status"] != "Training", PATIENCE_SECONDS)
    return api.end(project, iteration)


class TestKilled:
    @pytest.mark.parametrize("what", ["child", "server"])
    def test_it_goes_on_where_it_was(self, tmp_path: Path, what: str) -> None:
        data = tmp_path / "data"
        with Server(data) as server, remote(server) as api:
            project, iteration = begin(api, FEW)
            before = until(lambda: kept(data, iteration))
            if what == "child":
                [pid] = [pid for pid in server.children() if alive(pid)]
                os.kill(pid, signal.SIGKILL)
            else:
                server.kill()
            after = kept(data, iteration)
            if what == "child":
                found = ended(api, project, iteration)
                lines = [line["text"] for line in api.progress(project, iteration)["log"]]
        if what == "server":
            with Server(data) as server, remote(server) as api:
                found = ended(api, project, iteration)
                lines = [line["text"] for line in api.progress(project, iteration)["log"]]
        assert found["status"] == "Completed", found["trainingErrorDetails"]
        assert before.items() <= after.items()
        assert sum("attempt" in line.lower() for line in lines) >= 2, lines
        assert not kept(data, iteration)


class TestCancelled:
    def test_the_worker_is_free_in_seconds(self, tmp_path: Path) -> None:
        with Server(tmp_path / "data") as server, remote(server) as api:
            project, iteration = begin(api, MANY)
            other = make_project(api, "other", classificationType="Multiclass", domainId=COMPACT)
            fill(api, other)
            [pid] = [pid for pid in server.children() if alive(pid)]
            api.cancel(project, iteration)
            until(lambda: not alive(pid), FREE_WITHIN_SECONDS)
            assert ended(api, other, api.start(other))["status"] == "Completed"
            found = ended(api, project, iteration)
            assert found["status"] == "Failed"
            assert "cancelled" in found["trainingErrorDetails"]
