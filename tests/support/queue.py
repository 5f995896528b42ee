"""Trainings that wait in the queue, without pictures, and workers that claim them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from foveal.db.engine import Sessions
from foveal.db.tables import Iteration, Job, Project
from foveal.services import jobs
from foveal.services.jobs import Claim

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LEASE = timedelta(seconds=10)


def training(sessions: Sessions, name: str, now: datetime = NOW) -> UUID:
    """Make a project with an iteration in training, and the job that is about it; give the iteration's id."""
    moments = {"created_at": now, "last_modified_at": now}
    with sessions.write.begin() as session:
        project = Project(name=name, name_key=name, domain_id=uuid4(), workspace_created_at=now, **moments)
        session.add(project)
        session.flush()
        iteration = Iteration(
            project_id=project.id,
            name="i",
            name_key="i",
            status="Training",
            started_at=now,
            domain_id=project.domain_id,
            training_type="Regular",
            data_digest="0" * 64,
            **moments,
        )
        session.add(iteration)
        session.flush()
        jobs.enqueue(session, jobs.TRAIN, project_id=project.id, subject_id=iteration.id, now=now)
        return iteration.id


def claim(sessions: Sessions, worker: str = "w", now: datetime = NOW) -> Claim | None:
    with sessions.write.begin() as session:
        return jobs.claim(session, worker=worker, now=now, lease=LEASE)


def taken(sessions: Sessions, now: datetime = NOW) -> Claim:
    found = claim(sessions, now=now)
    assert found is not None
    return found


def found(session: Session, subject_id: UUID) -> Job:
    job = jobs.of_subject(session, subject_id)
    assert job is not None
    return job


def export(sessions: Sessions, iteration_id: UUID, now: datetime) -> UUID:
    """Have another job of the same project wait; give its id."""
    with sessions.write.begin() as session:
        project_id = found(session, iteration_id).project_id
        return jobs.enqueue(session, jobs.EXPORT, project_id=project_id, subject_id=uuid4(), now=now).id
