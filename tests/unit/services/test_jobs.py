"""Claims and leases."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from foveal.db.engine import Sessions
from foveal.db.tables import Iteration, Job, Project
from foveal.errors import Conflict
from foveal.services import jobs
from foveal.services.jobs import Claim

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LEASE = timedelta(seconds=10)


@pytest.fixture
def iteration_id(sessions: Sessions) -> UUID:
    """An iteration in training and the job that is about it."""
    moments = {"created_at": NOW, "last_modified_at": NOW}
    with sessions.write.begin() as session:
        project = Project(name="p", name_key="p", domain_id=uuid4(), workspace_created_at=NOW, **moments)
        session.add(project)
        session.flush()
        iteration = Iteration(
            project_id=project.id,
            name="i",
            name_key="i",
            status="Training",
            started_at=NOW,
            domain_id=project.domain_id,
            training_type="Regular",
            data_digest="0" * 64,
            **moments,
        )
        session.add(iteration)
        session.flush()
        jobs.enqueue(session, jobs.TRAIN, project_id=project.id, subject_id=iteration.id, now=NOW)
        return iteration.id


def claim(sessions: Sessions, worker: str = "w", now: datetime = NOW) -> Claim | None:
    with sessions.write.begin() as session:
        return jobs.claim(session, worker=worker, now=now, lease=LEASE)


def taken(sessions: Sessions, now: datetime = NOW) -> Claim:
    found = claim(sessions, now=now)
    assert found is not None
    return found


def status(sessions: Sessions, iteration_id: UUID) -> tuple[str, str]:
    with sessions.read.begin() as session:
        job = jobs.of_subject(session, iteration_id)
        assert job is not None
        return job.status, session.get_one(Iteration, iteration_id).status


@pytest.mark.usefixtures("iteration_id")
class TestClaim:
    def test_goes_to_one_worker(self, sessions: Sessions) -> None:
        assert claim(sessions, "one") is not None
        assert claim(sessions, "two") is None

    def test_passes_on_when_the_lease_has_run_out(self, sessions: Sessions) -> None:
        first = taken(sessions)
        assert claim(sessions, now=NOW + LEASE) is None
        second = claim(sessions, now=NOW + LEASE * 1.1)
        assert second == Claim(first.job_id, 2)

    def test_stays_while_it_is_renewed(self, sessions: Sessions) -> None:
        first = taken(sessions)
        with sessions.write.begin() as session:
            assert jobs.renew(session, first, now=NOW + LEASE, lease=LEASE)
        assert claim(sessions, now=NOW + LEASE * 1.5) is None


class TestAttempts:
    def test_a_lost_claim_can_write_nothing(self, sessions: Sessions, iteration_id: UUID) -> None:
        first = taken(sessions)
        taken(sessions, NOW + LEASE * 2)
        with sessions.write.begin() as session:
            assert not jobs.renew(session, first, now=NOW, lease=LEASE)
            jobs.report(session, first, stage="late", progress=0.9)
        for end in (jobs.finish, lambda *args, **more: jobs.fail(*args, **more, error="late")):
            with pytest.raises(Conflict), sessions.write.begin() as session:
                end(session, first, now=NOW)
        with sessions.read.begin() as session:
            job = jobs.of_subject(session, iteration_id)
            assert job is not None
            assert (job.status, job.stage, job.progress) == ("running", "waiting for a worker", 0)

    def test_a_broken_attempt_is_tried_again_and_then_fails(self, sessions: Sessions, iteration_id: UUID) -> None:
        for expected in (("queued", "Training"), ("failed", "Failed")):
            found = taken(sessions)
            with sessions.write.begin() as session:
                jobs.abandon(session, found, now=NOW, reason="The process ended.")
            assert status(sessions, iteration_id) == expected
        with sessions.read.begin() as session:
            assert session.get_one(Iteration, iteration_id).error_details == "The process ended."

    def test_workers_that_vanish_twice_fail_the_iteration(self, sessions: Sessions, iteration_id: UUID) -> None:
        for at in range(2):
            taken(sessions, NOW + LEASE * 2 * at)
        assert claim(sessions, now=NOW + LEASE * 9) is None
        assert status(sessions, iteration_id) == ("failed", "Failed")

    def test_a_worker_that_stops_in_good_order_uses_no_attempt_up(self, sessions: Sessions, iteration_id: UUID) -> None:
        for _ in range(5):
            found = taken(sessions)
            with sessions.write.begin() as session:
                jobs.give_back(session, found)
        assert status(sessions, iteration_id) == ("queued", "Training")

    def test_a_failure_reaches_the_iteration(self, sessions: Sessions, iteration_id: UUID) -> None:
        found = taken(sessions)
        with sessions.write.begin() as session:
            jobs.fail(session, found, now=NOW, error="why")
        assert status(sessions, iteration_id) == ("failed", "Failed")
        assert claim(sessions) is None


def test_a_deleted_job_gives_its_claim_up(sessions: Sessions, iteration_id: UUID) -> None:
    found = taken(sessions)
    with sessions.write.begin() as session:
        session.delete(session.get_one(Job, found.job_id))
    with sessions.write.begin() as session:
        assert not jobs.renew(session, found, now=NOW, lease=LEASE)
    assert iteration_id
