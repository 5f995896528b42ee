"""Whose turn it is: the fair order of jobs, and those that make way for others."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from tests.support.queue import LEASE, NOW, claim, export, found, taken, training

from foveal.db.engine import Sessions
from foveal.db.tables import Iteration, Job
from foveal.services import jobs
from foveal.services.jobs import Claim


@pytest.fixture
def iteration_id(sessions: Sessions) -> UUID:
    return training(sessions, "p")


class TestFairOrder:
    @pytest.fixture
    def three(self, sessions: Sessions) -> list[UUID]:
        """Trainings of three projects; behind the first, two exports of its project that came before the others."""
        first = training(sessions, "a", NOW)
        for seconds in (1, 2):
            export(sessions, first, NOW + timedelta(seconds=seconds))
        others = [training(sessions, name, NOW + timedelta(seconds=at)) for name, at in (("b", 3), ("c", 4))]
        return [first, *others]

    def test_each_project_has_its_turn_before_one_has_two(self, sessions: Sessions, three: list[UUID]) -> None:
        assert self.projects(sessions, self.five(sessions)) == self.projects_of(sessions, three) + 2 * [
            self.projects_of(sessions, three)[0]
        ]

    def test_holds_for_workers_that_look_at_once(self, sessions: Sessions, three: list[UUID]) -> None:
        now = NOW + timedelta(seconds=5)
        with ThreadPoolExecutor(3) as pool:
            claims = list(pool.map(lambda _: claim(sessions, now=now), range(3)))
        assert set(self.projects(sessions, claims)) == set(self.projects_of(sessions, three))

    def test_no_job_goes_to_two_of_many_workers(self, sessions: Sessions, three: list[UUID]) -> None:
        assert three
        with ThreadPoolExecutor(8) as pool:
            claims = list(pool.map(lambda _: claim(sessions, now=NOW + timedelta(seconds=5)), range(16)))
        assert len({each.job_id for each in claims if each}) == len([each for each in claims if each]) == 5

    def test_a_project_whose_worker_is_lost_has_no_job_at_work(self, sessions: Sessions) -> None:
        lost = training(sessions, "a")
        held = taken(sessions)
        now = NOW + LEASE * 2
        training(sessions, "b", now)
        export(sessions, lost, NOW + timedelta(seconds=1))
        again = claim(sessions, now=now)
        assert again is not None
        assert again.job_id == held.job_id

    def test_tells_how_many_come_first(self, sessions: Sessions, three: list[UUID]) -> None:
        taken(sessions, NOW)
        with sessions.read.begin() as session:
            now = NOW + timedelta(seconds=5)
            assert [jobs.ahead(session, found(session, id), now=now) for id in three] == [0, 0, 1]

    def five(self, sessions: Sessions) -> list[Claim | None]:
        return [claim(sessions, now=NOW + timedelta(seconds=5)) for _ in range(5)]

    def projects(self, sessions: Sessions, claims: list[Claim | None]) -> list[UUID]:
        with sessions.read.begin() as session:
            return [session.get_one(Job, each.job_id).project_id for each in claims if each]

    def projects_of(self, sessions: Sessions, subjects: list[UUID]) -> list[UUID]:
        with sessions.read.begin() as session:
            return [found(session, id).project_id for id in subjects]


class TestMakeWay:
    def test_others_come_first_and_then_it_goes_on(self, sessions: Sessions, iteration_id: UUID) -> None:
        long = taken(sessions)
        training(sessions, "short", NOW + timedelta(seconds=1))
        now = NOW + timedelta(seconds=2)
        with sessions.write.begin() as session:
            assert jobs.others_wait(session, long, now=now)
            jobs.make_way(session, long, now=now)
        short, again = claim(sessions, now=now), claim(sessions, now=now)
        assert short is not None
        assert again is not None
        assert (short.job_id == long.job_id, again.job_id == long.job_id) == (False, True)
        with sessions.read.begin() as session:
            assert session.get_one(Iteration, iteration_id).status == "Training"

    def test_uses_no_attempt_up(self, sessions: Sessions, iteration_id: UUID) -> None:
        for _ in range(5):
            with sessions.write.begin() as session:
                held = jobs.claim(session, worker="w", now=NOW, lease=LEASE)
                assert held is not None
                jobs.make_way(session, held, now=NOW)
        with sessions.read.begin() as session:
            job = found(session, iteration_id)
            assert (job.status, job.attempts, job.claims) == ("queued", 0, 5)

    def test_keeps_what_was_reported(self, sessions: Sessions, iteration_id: UUID) -> None:
        held = taken(sessions)
        with sessions.write.begin() as session:
            jobs.report(session, held, stage="s", progress=0.5, details={"candidate": "x"})
            jobs.make_way(session, held, now=NOW)
        with sessions.read.begin() as session:
            job = found(session, iteration_id)
            assert (job.stage, job.progress, job.details) == ("waiting for its turn", 0.5, {"candidate": "x"})

    def test_nobody_waits(self, sessions: Sessions, iteration_id: UUID) -> None:
        assert iteration_id
        assert not self.others_wait(sessions, taken(sessions))

    def test_whoever_is_put_off_does_not_wait(self, sessions: Sessions, iteration_id: UUID) -> None:
        held = taken(sessions)
        later = NOW + timedelta(seconds=60)
        export(sessions, iteration_id, NOW)
        with sessions.write.begin() as session:
            other = jobs.claim(session, worker="w", now=NOW, lease=LEASE)
            assert other is not None
            jobs.put_off(session, other, until=later, payload={})
        assert not self.others_wait(sessions, held)
        assert self.others_wait(sessions, held, later)

    def test_not_for_a_project_that_has_more_at_work(self, sessions: Sessions, iteration_id: UUID) -> None:
        assert iteration_id
        held = taken(sessions)
        busy = training(sessions, "busy")
        taken(sessions)
        export(sessions, busy, NOW)
        assert not self.others_wait(sessions, held)

    def others_wait(self, sessions: Sessions, held: Claim, now: datetime = NOW) -> bool:
        with sessions.read.begin() as session:
            return jobs.others_wait(session, held, now=now)
