"""Jobs: enqueue, claim in fair order, keep alive, give way, cancel, finish, fail; and the log of each.

A claim is one worker's hold on a job. Whoever lost its lease, was cancelled or gave the job back finds that its claim
no longer holds: each claim of a job has a number of its own, so that two holders never both write a result.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, func, or_, select, update
from sqlalchemy.orm import Session

from foveal.db.tables import Export, Iteration, Job, JobEvent, Project, rowcount
from foveal.errors import Conflict
from foveal.services import notifications

MAX_ATTEMPTS = 2
TRAIN = "train"
EXPORT = "export"
IMPORT = "import"
NOTIFY = "notify"
LOOK = "look"
NEWS = {TRAIN: notifications.of_training, EXPORT: notifications.of_export}
"""What the outside world may want to hear of the end of a job."""
OPEN = ("queued", "running")
CANCELLED = "The training was cancelled. Train again when you want to."
MAX_TEXT = 1_000
"""Characters of a reason or of a line in a log; the rest is cut off."""
MAX_EVENTS = 1_000
"""Lines of a log that are shown: the newest."""
LOCK = 8352  # of PostgreSQL; SQLite has one writer at a time anyway

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's hold on a job; the number is never given twice for the same job."""

    job_id: UUID
    number: int


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
    job = Job(kind=kind, project_id=project_id, subject_id=subject_id, created_at=now, queued_at=now)
    job.payload = dict(payload or {})
    session.add(job)
    session.flush()
    return job


def claim(session: Session, *, worker: str, now: datetime, lease: timedelta, webhook: bool = False) -> Claim | None:
    """Take the next job in fair order that waits or whose worker gave no sign of life; None when there is none.

    The project with the fewest jobs at work comes first, then who has waited longest. With `webhook` the job remembers
    that a webhook hears of its end, whoever records it.
    """
    job = _next(session, now)
    if job is None:
        return None
    if webhook and job.kind in NEWS:
        job.payload = {**job.payload, notifications.WEBHOOK: True}
    if job.status == "running":
        note(session, job, f"Cut off: worker {job.worker} gave no sign of life.", now=now, level="warning")
    if job.attempts >= MAX_ATTEMPTS:
        _close(session, job, now=now, error=f"The work was cut off {job.attempts} times; train again to retry.")
        return None
    job.status, job.worker, job.leased_until = "running", worker, now + lease
    job.attempts, job.claims = job.attempts + 1, job.claims + 1
    note(session, job, f"Taken up by worker {worker}, attempt {job.attempts} of {MAX_ATTEMPTS}.", now=now)
    return Claim(job.id, job.claims)


def renew(session: Session, claim: Claim, *, now: datetime, lease: timedelta) -> bool:
    """Extend the lease; False when the claim no longer holds."""
    result = session.execute(update(Job).where(_held(claim)).values(leased_until=now + lease))
    return rowcount(result) == 1


def report(
    session: Session, claim: Claim, *, stage: str, progress: float, details: Mapping[str, Any] | None = None
) -> None:
    """Record how far the work has come, from 0 to 1; without new details, those recorded before stay."""
    values: dict[str, Any] = {"stage": stage, "progress": progress}
    if details is not None:
        values["details"] = dict(details)
    session.execute(update(Job).where(_held(claim)).values(values))


def kept(session: Session, claim: Claim) -> None:
    """Take note that a piece of the work is durable: earlier attempts that broke off do not count any more."""
    session.execute(update(Job).where(_held(claim)).values(attempts=1))


def note(session: Session, whose: Claim | Job, text: str, *, now: datetime, level: Level = "info") -> None:
    """Add a line to the log of a job; one with a claim that no longer holds is dropped."""
    # Locked, so that no line of a claim comes after the line that ended it.
    held = isinstance(whose, Job) or session.scalar(select(Job.id).where(_held(whose)).with_for_update())
    if held:
        id = whose.id if isinstance(whose, Job) else whose.job_id
        session.add(JobEvent(job_id=id, at=now, level=level, text=_bounded(text)))
        session.flush()


def hold(session: Session, claim: Claim) -> Job:
    """Return the job, locked until the transaction ends, or raise `Conflict` when the claim no longer holds."""
    job = _locked(session, claim.job_id)
    if job is None or job.status != "running" or job.claims != claim.number:
        raise Conflict(f"Job {claim.job_id} was cancelled or taken over by another worker.")
    return job


def revoked(session: Session, claim: Claim) -> bool:
    """Tell whether somebody else ended the claim: the job was cancelled, deleted or given to another worker."""
    job = session.execute(select(Job.status, Job.claims).where(Job.id == claim.job_id)).one_or_none()
    return job is None or job.status == "cancelled" or job.claims != claim.number


def finish(session: Session, claim: Claim, *, now: datetime) -> None:
    """Mark the job as done."""
    job = hold(session, claim)
    job.status, job.stage, job.progress, job.finished_at = "done", "done", 1.0, now
    note(session, job, "Done.", now=now)
    _tell(session, job, now=now)


def fail(session: Session, claim: Claim, *, now: datetime, error: str) -> None:
    """Mark the job, and the iteration, export or import that it is about, as failed with the reason."""
    _close(session, hold(session, claim), now=now, error=error)


def cancel(session: Session, job: Job, *, now: datetime) -> bool:
    """End a job that waits or runs, and fail what it is about; False when it has ended already.

    Its claim no longer holds from now on, so that another job about the same project may begin at once; the worker
    finds out and stops the child. Nobody is told by e-mail, queue or webhook: a person asked for it and knows.
    """
    found = _locked(session, job.id)
    if found is None or found.status not in OPEN:
        return False
    note(session, found, "Cancelled.", now=now, level="warning")
    _end(session, found, "cancelled", now=now, error=CANCELLED)
    return True


def abandon(session: Session, claim: Claim, *, now: datetime, reason: str) -> None:
    """Take note that the attempt broke off: the job waits for another one, or fails after the last."""
    job = hold(session, claim)
    if job.attempts >= MAX_ATTEMPTS:
        return _close(session, job, now=now, error=reason)
    _requeue(job, "waiting to try again")
    return note(session, job, f"Cut off, to be tried again. {reason}", now=now, level="warning")


def give_back(session: Session, claim: Claim, *, now: datetime) -> None:
    """Return the job to its place in the queue as if it had not been tried: its worker stops in good order."""
    job = hold(session, claim)
    _requeue(job, "waiting for a worker")
    job.attempts -= 1
    note(session, job, "Given back: its worker stops. It goes on with the next worker.", now=now)


def make_way(session: Session, claim: Claim, *, now: datetime) -> None:
    """Return the job to the end of the queue as if it had not been tried: what it did so far is durable."""
    job = hold(session, claim)
    _requeue(job, "waiting for its turn")
    job.attempts, job.queued_at = job.attempts - 1, now
    note(session, job, "Made way for others that wait. It goes on when its turn comes.", now=now)


def put_off(session: Session, claim: Claim, *, until: datetime, payload: Mapping[str, Any]) -> None:
    """Return the job to the queue for a later time, with what its next attempt needs to know."""
    job = hold(session, claim)
    _requeue(job, "waiting to try again")
    job.attempts, job.leased_until, job.payload = job.attempts - 1, until, dict(payload)
    session.flush()


def others_wait(session: Session, claim: Claim, *, now: datetime) -> bool:
    """Tell whether another job would be taken up first if this one made way now; takes no lock."""
    load = _load(now, besides=claim.job_id)
    project_id = select(Job.project_id).where(Job.id == claim.job_id).scalar_subquery()
    own = session.scalar(select(load.c.jobs).where(load.c.project_id == project_id)) or 0
    others = select(Job.id).outerjoin(load, load.c.project_id == Job.project_id)
    before = others.where(_due(now), Job.id != claim.job_id, func.coalesce(load.c.jobs, 0) <= own)
    return session.scalar(before.limit(1)) is not None


def ahead(session: Session, job: Job, *, now: datetime) -> int:
    """Return how many jobs are to be taken up before this one; 0 when it does not wait."""
    load = _load(now)
    place = func.row_number().over(order_by=_order(load)).label("place")
    waiting = select(Job.id, place).outerjoin(load, load.c.project_id == Job.project_id).where(_due(now)).subquery()
    return (session.scalar(select(waiting.c.place).where(waiting.c.id == job.id)) or 1) - 1


def events(session: Session, job: Job) -> list[JobEvent]:
    """Return the newest lines of the job's log, oldest first."""
    newest = select(JobEvent).where(JobEvent.job_id == job.id).order_by(JobEvent.id.desc()).limit(MAX_EVENTS)
    return list(reversed(session.scalars(newest).all()))


def of_subject(session: Session, subject_id: UUID) -> Job | None:
    """Return the newest job about an iteration or export."""
    return session.scalar(select(Job).where(Job.subject_id == subject_id).order_by(Job.created_at.desc()).limit(1))


def any_due(session: Session, *, now: datetime) -> bool:
    """Tell whether a worker would find something to do; takes no write lock."""
    return session.scalar(select(Job.id).where(_due(now)).limit(1)) is not None


def waiting(session: Session) -> int:
    """Return how many jobs are queued or running."""
    statement = select(func.count()).select_from(Job).where(Job.status.in_(OPEN))
    return session.scalar(statement) or 0


def _next(session: Session, now: datetime) -> Job | None:
    """Return the job whose turn it is, locked.

    Workers look one after the other: two that looked at once would both find the same project idle.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    load = _load(now)
    due = select(Job).outerjoin(load, load.c.project_id == Job.project_id).where(_due(now)).order_by(*_order(load))
    return session.scalar(due.limit(1).with_for_update(skip_locked=True, of=Job))


def _load(now: datetime, besides: UUID | None = None) -> Subquery:
    """Return how many jobs of each project are at work."""
    running = select(Job.project_id, func.count().label("jobs")).where(Job.status == "running", Job.leased_until >= now)
    if besides is not None:
        running = running.where(Job.id != besides)
    return running.group_by(Job.project_id).subquery()


def _order(load: Subquery) -> tuple[ColumnElement[Any], ...]:
    return func.coalesce(load.c.jobs, 0), Job.queued_at.expression, Job.id.expression


def _due(now: datetime) -> ColumnElement[bool]:
    queued = (Job.status == "queued") & or_(Job.leased_until.is_(None), Job.leased_until <= now)
    return or_(queued, (Job.status == "running") & (Job.leased_until < now))


def _held(claim: Claim) -> ColumnElement[bool]:
    return (Job.id == claim.job_id) & (Job.status == "running") & (Job.claims == claim.number)


def _locked(session: Session, job_id: UUID) -> Job | None:
    """Return the job as it is now, whatever the session read of it before."""
    statement = select(Job).where(Job.id == job_id).with_for_update()
    return session.scalar(statement.execution_options(populate_existing=True))


def _requeue(job: Job, stage: str) -> None:
    job.status, job.worker, job.leased_until, job.stage = "queued", None, None, stage


def _close(session: Session, job: Job, *, now: datetime, error: str) -> None:
    note(session, job, f"Failed. {error}", now=now, level="error")
    _end(session, job, "failed", now=now, error=_bounded(error))
    _tell(session, job, now=now)


def _end(session: Session, job: Job, status: str, *, now: datetime, error: str) -> None:
    """Record that the job did not do its work, and mark what it is about as failed."""
    job.status, job.stage, job.error, job.finished_at = status, status, error, now
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


def _tell(session: Session, job: Job, *, now: datetime) -> None:
    """Have the outside world told of the end by a job of its own, as durable as the end itself."""
    news_of = NEWS.get(job.kind)
    news = news_of(session, job) if news_of else None
    if news is not None:
        enqueue(session, NOTIFY, project_id=job.project_id, subject_id=job.id, now=now, payload=news.payload())


def _bounded(text: str) -> str:
    """Return what both databases keep: of a sensible length, and without the character NUL."""
    text = text.replace("\0", "")
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 3]}..."
