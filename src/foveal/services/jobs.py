"""Jobs: enqueue, claim, keep alive, finish, fail.

A claim is one attempt of one worker at a job. Whoever lost its lease finds that its claim no longer holds, so that two
attempts never both write a result.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from foveal.db.tables import Export, Iteration, Job, Project, rowcount
from foveal.errors import Conflict
from foveal.services import notifications

MAX_ATTEMPTS = 2
TRAIN = "train"
EXPORT = "export"
IMPORT = "import"
NOTIFY = "notify"
NEWS = {TRAIN: notifications.of_training, EXPORT: notifications.of_export}
"""What the outside world may want to hear of the end of a job."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt at a job."""

    job_id: UUID
    attempt: int


def enqueue(  # one job's worth of values
    session: Session,
    kind: str,
    *,
    project_id: UUID,
    subject_id: UUID,
    now: datetime,
    payload: Mapping[str, Any] | None = None,
) -> Job:
    """Add a job for whichever worker is free first; the payload is what its handler needs beside the subject."""
    job = Job(kind=kind, project_id=project_id, subject_id=subject_id, payload=dict(payload or {}), created_at=now)
    session.add(job)
    session.flush()
    return job


def claim(session: Session, *, worker: str, now: datetime, lease: timedelta, webhook: bool = False) -> Claim | None:
    """Take the oldest job that waits or whose worker gave no sign of life; None when there is nothing to do.

    With `webhook` the job remembers that a webhook hears of its end, whoever records it.
    """
    job = session.scalar(
        select(Job).where(_due(now)).order_by(Job.created_at, Job.id).limit(1).with_for_update(skip_locked=True)
    )
    if job is None:
        return None
    if webhook and job.kind in NEWS:
        job.payload = {**job.payload, notifications.WEBHOOK: True}
    if job.attempts >= MAX_ATTEMPTS:
        _close(session, job, now=now, error=f"The work was cut off {job.attempts} times; train again to retry.")
        return None
    job.status, job.worker, job.leased_until, job.attempts = "running", worker, now + lease, job.attempts + 1
    session.flush()
    return Claim(job.id, job.attempts)


def renew(session: Session, claim: Claim, *, now: datetime, lease: timedelta) -> bool:
    """Extend the lease; False when the claim no longer holds."""
    result = session.execute(_held(claim).values(leased_until=now + lease))
    return rowcount(result) == 1


def report(session: Session, claim: Claim, *, stage: str, progress: float) -> None:
    """Record how far the work has come, from 0 to 1."""
    session.execute(_held(claim).values(stage=stage, progress=progress))


def hold(session: Session, claim: Claim) -> Job:
    """Return the job, locked until the transaction ends, or raise `Conflict` when the claim no longer holds."""
    job = session.scalar(select(Job).where(Job.id == claim.job_id).with_for_update())
    if job is None or job.status != "running" or job.attempts != claim.attempt:
        raise Conflict(f"Job {claim.job_id} was cancelled or taken over by another worker.")
    return job


def finish(session: Session, claim: Claim, *, now: datetime) -> None:
    """Mark the job as done."""
    job = hold(session, claim)
    job.status, job.stage, job.progress, job.finished_at = "done", "done", 1.0, now
    session.flush()
    _tell(session, job, now=now)


def fail(session: Session, claim: Claim, *, now: datetime, error: str) -> None:
    """Mark the job, and the iteration, export or import that it is about, as failed with the reason."""
    _close(session, hold(session, claim), now=now, error=error)


def abandon(session: Session, claim: Claim, *, now: datetime, reason: str) -> None:
    """Take note that the attempt broke off: the job waits for another one, or fails after the last."""
    job = hold(session, claim)
    if job.attempts >= MAX_ATTEMPTS:
        return _close(session, job, now=now, error=reason)
    job.status, job.worker, job.leased_until, job.stage = "queued", None, None, "waiting to try again"
    return session.flush()


def give_back(session: Session, claim: Claim) -> None:
    """Return the job to the queue as if it had not been tried: its worker stops in good order."""
    job = hold(session, claim)
    job.status, job.worker, job.leased_until, job.stage = "queued", None, None, "waiting for a worker"
    job.attempts -= 1
    session.flush()


def put_off(session: Session, claim: Claim, *, until: datetime, payload: Mapping[str, Any]) -> None:
    """Return the job to the queue for a later time, with what its next attempt needs to know."""
    give_back(session, claim)
    job = session.get_one(Job, claim.job_id)
    job.leased_until, job.stage, job.payload = until, "waiting to try again", dict(payload)
    session.flush()


def of_subject(session: Session, subject_id: UUID) -> Job | None:
    """Return the newest job about an iteration or export."""
    return session.scalar(select(Job).where(Job.subject_id == subject_id).order_by(Job.created_at.desc()).limit(1))


def any_due(session: Session, *, now: datetime) -> bool:
    """Tell whether a worker would find something to do; takes no write lock."""
    return session.scalar(select(Job.id).where(_due(now)).limit(1)) is not None


def waiting(session: Session) -> int:
    """Return how many jobs are queued or running."""
    statement = select(func.count()).select_from(Job).where(Job.status.in_(("queued", "running")))
    return session.scalar(statement) or 0


def _due(now: datetime) -> ColumnElement[bool]:
    queued = (Job.status == "queued") & or_(Job.leased_until.is_(None), Job.leased_until <= now)
    return or_(queued, (Job.status == "running") & (Job.leased_until < now))


def _held(claim: Claim):  # noqa: ANN202  # an Update, whose type parameters SQLAlchemy does not export plainly
    return update(Job).where(Job.id == claim.job_id, Job.status == "running", Job.attempts == claim.attempt)


def _close(session: Session, job: Job, *, now: datetime, error: str) -> None:
    job.status, job.stage, job.error, job.finished_at = "failed", "failed", error, now
    iteration = session.get(Iteration, job.subject_id)
    if iteration is not None and iteration.status == "Training":
        iteration.status, iteration.error_details, iteration.last_modified_at = "Failed", error, now
    project = session.get(Project, job.subject_id)
    if project is not None and project.status == "Importing":
        project.status, project.last_modified_at = "Failed", now
    export = session.get(Export, job.subject_id)
    if export is not None:
        export.status, export.error_details = "Failed", error
    session.flush()
    _tell(session, job, now=now)


def _tell(session: Session, job: Job, *, now: datetime) -> None:
    """Have the outside world told of the end by a job of its own, as durable as the end itself."""
    news_of = NEWS.get(job.kind)
    news = news_of(session, job) if news_of else None
    if news is not None:
        enqueue(session, NOTIFY, project_id=job.project_id, subject_id=job.id, now=now, payload=news.payload())
