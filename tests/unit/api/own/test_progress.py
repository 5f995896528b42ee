"""How far a training has come, and cancelling it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.support.flows import fill, make_project, train

from foveal.db.engine import Sessions
from foveal.services import jobs, resources
from foveal.services.jobs import Claim

CANCELLED = "The training was cancelled. Train again when you want to."
IDLE = {"attempts": 0, "ahead": 0, "details": {}, "log": []}


@pytest.fixture
def project(api: Any) -> str:
    project = make_project(api, classificationType="Multiclass")
    fill(api, project)
    return project


@pytest.fixture
def iteration(api: Any, project: str) -> str:
    """A training that waits for a worker."""
    return api.ok("POST", f"/projects/{project}/train")["id"]


@pytest.fixture
def ask(api: Any, project: str) -> Callable[..., Any]:
    """Ask for the progress of an iteration, or cancel it."""

    def ask(verb: str, iteration: str, *, project: str = project, key: str = api.training_key) -> Any:
        method = "POST" if verb == "cancel" else "GET"
        path = f"/api/v1/projects/{project}/iterations/{iteration}/{verb}"
        return api.client.request(method, path, headers={"Training-Key": key})

    return ask


@pytest.fixture
def claim(sessions: Sessions) -> Callable[[], Claim]:
    """Have a worker take up the job whose turn it is."""

    def take() -> Claim:
        with sessions.write.begin() as session:
            found = jobs.claim(session, worker="w", now=datetime.now(UTC), lease=timedelta(hours=1))
            assert found is not None
            return found

    return take


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


class TestProgress:
    def test_goes_from_waiting_to_done(self, ask: Any, work: Any, iteration: str) -> None:
        before = ask("progress", iteration).json()
        assert before == {"status": "Training", "stage": "waiting for a worker", "progress": 0, **IDLE}
        work()
        after = ask("progress", iteration).json()
        log = after["log"]
        ended = {"status": "Completed", "stage": "done", "progress": 1, "attempts": 1, "ahead": 0}
        assert ended.items() <= after.items()
        assert (log[0]["text"], log[-1]["text"]) == ("Taken up by worker test, attempt 1 of 2.", "Done.")

    def test_tells_what_the_work_reported(
        self, ask: Any, iteration: str, claim: Callable[[], Claim], sessions: Sessions
    ) -> None:
        details = {"candidate": "B 2", "epoch": 3, "epochs": 10, "bestScore": 0.75, "secondsLeft": 90}
        at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
        held = claim()
        with sessions.write.begin() as session:
            jobs.report(session, held, stage="training", progress=0.25, details=details)
            jobs.note(session, held, "B 1 reached 0.7", now=at, level="warning")
        found = ask("progress", iteration).json()
        assert (found["stage"], found["progress"], found["attempts"], found["details"]) == (
            "training",
            0.25,
            1,
            details,
        )
        assert found["log"][1] == {"at": "2026-01-02T03:04:05.678Z", "level": "warning", "text": "B 1 reached 0.7"}

    def test_counts_who_comes_first(self, api: Any, ask: Any, iteration: str) -> None:
        other = make_project(api, "other", classificationType="Multiclass")
        fill(api, other)
        second = api.ok("POST", f"/projects/{other}/train")["id"]
        assert ask("progress", iteration).json()["ahead"] == 0
        assert ask("progress", second, project=other).json()["ahead"] == 1

    def test_refuses_an_iteration_that_is_not_there(self, ask: Any, iteration: str) -> None:
        assert refusal(ask("progress", str(uuid4()))) == (404, "NotFoundIteration")
        assert refusal(ask("progress", iteration, project=str(uuid4()))) == (404, "NotFoundProject")


class TestCancel:
    def test_ends_a_training_that_waits(self, api: Any, ask: Any, work: Any, project: str, iteration: str) -> None:
        answer = ask("cancel", iteration).json()
        assert (answer["status"], answer["stage"], answer["log"][-1]["text"]) == ("Failed", "cancelled", "Cancelled.")
        assert work() == 0
        ended = api.ok("GET", f"/projects/{project}/iterations/{iteration}")
        assert (ended["status"], ended["trainingErrorDetails"]) == ("Failed", CANCELLED)

    def test_ends_one_that_runs_and_lets_another_begin(
        self, api: Any, ask: Any, work: Any, project: str, iteration: str, claim: Callable[[], Claim]
    ) -> None:
        claim()
        assert ask("cancel", iteration).json()["status"] == "Failed"
        assert train(api, work, project)["status"] == "Completed"
        assert api.ok("GET", f"/projects/{project}/iterations/{iteration}")["status"] == "Failed"

    def test_is_refused_for_what_is_not_in_training(self, ask: Any, work: Any, iteration: str) -> None:
        work()
        refused = ask("cancel", iteration)
        assert refusal(refused) == (400, "BadRequestIterationValidationFailed")
        assert "its status is Completed, Training is needed" in refused.json()["message"]
        assert ask("progress", iteration).json()["status"] == "Completed"

    def test_a_second_time_is_refused(self, ask: Any, iteration: str) -> None:
        ask("cancel", iteration)
        assert refusal(ask("cancel", iteration)) == (400, "BadRequestIterationValidationFailed")

    def test_refuses_an_iteration_that_is_not_there(self, ask: Any, iteration: str) -> None:
        assert refusal(ask("cancel", str(uuid4()))) == (404, "NotFoundIteration")
        assert refusal(ask("cancel", iteration, project=str(uuid4()))) == (404, "NotFoundProject")
        assert ask("progress", iteration).json()["status"] == "Training"

    @pytest.mark.parametrize(("role", "may"), [("Reader", False), ("Labeler", False), ("Trainer", True)])
    def test_takes_a_key_that_may_train(self, api: Any, sessions: Sessions, ask: Any, role: str, *, may: bool) -> None:
        with sessions.write.begin() as session:
            resource, keys = resources.create(session, "vision", resources.COMBINED, "local", now=datetime.now(UTC))
            key = resources.add_key(session, resource, "more", role, now=datetime.now(UTC))
        owner = replace(api, training_key=keys["key1"])
        project = make_project(owner, "theirs", classificationType="Multiclass")
        fill(owner, project)
        iteration = owner.ok("POST", f"/projects/{project}/train")["id"]
        assert ask("progress", iteration, project=project, key=key).status_code == 200
        assert ask("cancel", iteration, project=project, key=key).status_code == (200 if may else 403)
        with sessions.read.begin() as session:
            job = jobs.of_subject(session, UUID(iteration))
            assert job is not None
            assert job.status == ("cancelled" if may else "queued")
