"""Claims and leases, cancelling, and the log of each job."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from tests.support.queue import LEASE, NOW, claim, found, taken, training

from foveal.db.engine import Sessions
from foveal.db.tables import Iteration, Job, JobEvent
from foveal.errors import Conflict
from foveal.services import jobs
from foveal.services.jobs import Claim


@pytest.fixture
def iteration_id(sessions: Sessions) -> UUID:
    """An iteration in training and the job that is about it."""
    return training(sessions, "p")


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
                jobs.give_back(session, found, now=NOW)
        assert status(sessions, iteration_id) == ("queued", "Training")

    def test_a_failure_reaches_the_iteration(self, sessions: Sessions, iteration_id: UUID) -> None:
        found = taken(sessions)
        with sessions.write.begin() as session:
            jobs.fail(session, found, now=NOW, error="why")
        assert status(sessions, iteration_id) == ("failed", "Failed")
        assert claim(sessions) is None


def cancel(sessions: Sessions, iteration_id: UUID) -> bool:
    with sessions.write.begin() as session:
        return jobs.cancel(session, found(session, iteration_id), now=NOW)


def log(sessions: Sessions, iteration_id: UUID) -> list[tuple[str, str]]:
    with sessions.read.begin() as session:
        return [(event.level, event.text) for event in jobs.events(session, found(session, iteration_id))]


class TestCancel:
    def test_ends_a_job_that_waits(self, sessions: Sessions, iteration_id: UUID) -> None:
        assert cancel(sessions, iteration_id)
        assert status(sessions, iteration_id) == ("cancelled", "Failed")
        assert claim(sessions) is None

    def test_ends_one_that_runs_with_a_reason(self, sessions: Sessions, iteration_id: UUID) -> None:
        taken(sessions)
        assert cancel(sessions, iteration_id)
        assert status(sessions, iteration_id) == ("cancelled", "Failed")
        assert claim(sessions, now=NOW + LEASE * 2) is None
        with sessions.read.begin() as session:
            iteration = session.get_one(Iteration, iteration_id)
            assert iteration.error_details == "The training was cancelled. Train again when you want to."

    def test_does_nothing_to_one_that_has_ended(self, sessions: Sessions, iteration_id: UUID) -> None:
        held = taken(sessions)
        with sessions.write.begin() as session:
            jobs.fail(session, held, now=NOW, error="why")
        assert not cancel(sessions, iteration_id)
        assert status(sessions, iteration_id) == ("failed", "Failed")

    def test_sees_an_end_that_came_after_the_job_was_read(self, sessions: Sessions, iteration_id: UUID) -> None:
        held = taken(sessions)
        with sessions.read() as session:
            job = found(session, iteration_id)
            session.expunge(job)
        with sessions.write.begin() as session:
            jobs.finish(session, held, now=NOW)
        with sessions.write.begin() as session:
            assert not jobs.cancel(session, job, now=NOW)
        assert status(sessions, iteration_id)[0] == "done"

    def test_tells_nobody(self, sessions: Sessions, iteration_id: UUID) -> None:
        with sessions.write.begin() as session:
            session.get_one(Iteration, iteration_id).notification_address = "ann@example.org"
        cancel(sessions, iteration_id)
        with sessions.read.begin() as session:
            assert jobs.waiting(session) == 0


LOSSES: dict[str, Callable[[Session, Claim], object]] = {
    "cancel": lambda session, held: jobs.cancel(session, session.get_one(Job, held.job_id), now=NOW),
    "make_way": lambda session, held: jobs.make_way(session, held, now=NOW),
    "give_back": lambda session, held: jobs.give_back(session, held, now=NOW),
    "put_off": lambda session, held: jobs.put_off(session, held, until=NOW, payload={}),
}


@pytest.mark.parametrize("again", [False, True], ids=["", "and claimed again"])
@pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))
class TestStaleClaim:
    @pytest.fixture
    def stale(self, sessions: Sessions, iteration_id: UUID, loss: Any, again: bool) -> Claim:  # noqa: FBT001  # a parameter of the test
        assert iteration_id
        held = taken(sessions)
        with sessions.write.begin() as session:
            loss(session, held)
        if again:
            assert claim(sessions) != held
        return held

    def test_can_write_nothing(self, sessions: Sessions, iteration_id: UUID, stale: Claim) -> None:
        before = self.row(sessions, stale), log(sessions, iteration_id)
        with sessions.write.begin() as session:
            assert not jobs.renew(session, stale, now=NOW, lease=LEASE)
            jobs.report(session, stale, stage="late", progress=0.9, details={"epoch": 9})
            jobs.note(session, stale, "late", now=NOW)
        ends = (
            jobs.finish,
            jobs.give_back,
            jobs.make_way,
            partial(jobs.fail, error="late"),
            partial(jobs.abandon, reason="late"),
        )
        for end in ends:
            with pytest.raises(Conflict), sessions.write.begin() as session:
                end(session, stale, now=NOW)
        with pytest.raises(Conflict), sessions.write.begin() as session:
            jobs.put_off(session, stale, until=NOW, payload={"late": True})
        assert (self.row(sessions, stale), log(sessions, iteration_id)) == before

    def row(self, sessions: Sessions, stale: Claim) -> dict[str, Any]:
        with sessions.read.begin() as session:
            return dict(session.execute(select(Job.__table__).where(Job.id == stale.job_id)).mappings().one())


class TestRevoked:
    def test_when_somebody_else_ended_it(self, sessions: Sessions, iteration_id: UUID) -> None:
        first = taken(sessions)
        second = taken(sessions, NOW + LEASE * 2)
        assert (self.revoked(sessions, first), self.revoked(sessions, second)) == (True, False)
        cancel(sessions, iteration_id)
        assert self.revoked(sessions, second)

    def test_not_when_its_holder_did(self, sessions: Sessions, iteration_id: UUID) -> None:
        assert iteration_id
        held = taken(sessions)
        with sessions.write.begin() as session:
            jobs.finish(session, held, now=NOW)
        assert not self.revoked(sessions, held)

    def revoked(self, sessions: Sessions, held: Claim) -> bool:
        with sessions.read.begin() as session:
            return jobs.revoked(session, held)


class TestReport:
    def test_keeps_the_details_when_there_are_no_new_ones(self, sessions: Sessions, iteration_id: UUID) -> None:
        held = taken(sessions)
        with sessions.write.begin() as session:
            jobs.report(session, held, stage="a", progress=0.1, details={"epoch": 1, "epochs": 3})
            jobs.report(session, held, stage="b", progress=0.2)
        with sessions.read.begin() as session:
            assert found(session, iteration_id).details == {"epoch": 1, "epochs": 3}
        with sessions.write.begin() as session:
            jobs.report(session, held, stage="b", progress=0.2, details={})
        with sessions.read.begin() as session:
            assert found(session, iteration_id).details == {}


class TestLog:
    def test_tells_the_story_of_a_job(self, sessions: Sessions, iteration_id: UUID) -> None:
        for end in (
            jobs.make_way,
            jobs.give_back,
            partial(jobs.abandon, reason="It broke."),
            partial(jobs.fail, error="Why."),
        ):
            held = taken(sessions)
            with sessions.write.begin() as session:
                end(session, held, now=NOW)
        first = ("info", "Taken up by worker w, attempt 1 of 2.")
        assert log(sessions, iteration_id) == [
            first,
            ("info", "Made way for others that wait. It goes on when its turn comes."),
            first,
            ("info", "Given back: its worker stops. It goes on with the next worker."),
            first,
            ("warning", "Cut off, to be tried again. It broke."),
            ("info", "Taken up by worker w, attempt 2 of 2."),
            ("error", "Failed. Why."),
        ]

    def test_names_a_worker_that_was_lost(self, sessions: Sessions, iteration_id: UUID) -> None:
        taken(sessions)
        held = taken(sessions, NOW + LEASE * 2)
        assert ("warning", "Cut off: worker w gave no sign of life.") in log(sessions, iteration_id)
        with sessions.write.begin() as session:
            jobs.finish(session, held, now=NOW)
        assert log(sessions, iteration_id)[-1] == ("info", "Done.")

    def test_takes_notes_of_the_work(self, sessions: Sessions, iteration_id: UUID) -> None:
        held = taken(sessions)
        with sessions.write.begin() as session:
            jobs.note(session, held, "an epoch", now=NOW)
            jobs.note(session, found(session, iteration_id), "and another", now=NOW, level="warning")
        assert log(sessions, iteration_id)[1:] == [("info", "an epoch"), ("warning", "and another")]

    def test_a_line_is_bounded_and_fit_for_both_databases(self, sessions: Sessions, iteration_id: UUID) -> None:
        held = taken(sessions)
        with sessions.write.begin() as session:
            jobs.fail(session, held, now=NOW, error="a\0" + "b" * 5_000)
        with sessions.read.begin() as session:
            error = session.get_one(Iteration, iteration_id).error_details or ""
        assert (len(error), error[:2], error[-4:]) == (1_000, "ab", "b...")
        assert len(log(sessions, iteration_id)[-1][1]) == 1_000

    def test_shows_the_newest_thousand(self, sessions: Sessions, iteration_id: UUID) -> None:
        with sessions.write.begin() as session:
            job = found(session, iteration_id)
            session.add_all(JobEvent(job_id=job.id, at=NOW, level="info", text=str(n)) for n in range(1_005))
        lines = [text for _, text in log(sessions, iteration_id)]
        assert (len(lines), lines[0], lines[-1]) == (1_000, "5", "1004")

    def test_goes_with_the_job(self, sessions: Sessions, iteration_id: UUID) -> None:
        held = taken(sessions)
        with sessions.write.begin() as session:
            session.execute(delete(Job).where(Job.id == held.job_id))
        with sessions.read.begin() as session:
            assert session.scalars(select(JobEvent)).all() == []
        assert iteration_id


def test_a_deleted_job_gives_its_claim_up(sessions: Sessions, iteration_id: UUID) -> None:
    found = taken(sessions)
    with sessions.write.begin() as session:
        session.delete(session.get_one(Job, found.job_id))
    with sessions.write.begin() as session:
        assert not jobs.renew(session, found, now=NOW, lease=LEASE)
    assert iteration_id
