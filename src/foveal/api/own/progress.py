"""How far a training has come, what became of it on the way, and its cancelling."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy.orm import Session

from foveal.api.deps import NowDep, ReadDep, WriteDep
from foveal.api.wire import Moment, Wire
from foveal.db.tables import Iteration, Job
from foveal.errors import Invalid
from foveal.services import iterations, jobs, projects

router = APIRouter(prefix="/projects/{project_id}/iterations/{iteration_id}", tags=["Foveal"])


class LogLine(Wire):
    """A line in the log of a training; `level` is info, warning or error."""

    at: Moment
    level: str
    text: str


class Progress(Wire):
    """How far a training has come, from 0 to 1, what it does now and what it did before."""

    status: str
    stage: str
    progress: float
    attempts: int
    """How many workers began it."""
    ahead: int
    """How many other jobs come first while it waits for a worker."""
    details: dict[str, Any]
    """Any of candidate, epoch, epochs, bestScore, secondsLeft."""
    log: list[LogLine]
    """The newest 1000 lines, oldest first."""


@router.get("/progress", operation_id="GetIterationProgress")
def progress(project_id: UUID, iteration_id: UUID, session: ReadDep, now: NowDep) -> Progress:
    """How far a training has come, from 0 to 1, what it does now, and its log.

    `ahead` counts the jobs that come first while it waits for a worker.
    """
    iteration = iterations.get(session, projects.get(session, project_id), iteration_id)
    return _shape(session, iteration, jobs.of_subject(session, iteration.id), now)


@router.post("/cancel", operation_id="CancelIteration")
def cancel(project_id: UUID, iteration_id: UUID, session: WriteDep, now: NowDep) -> Progress:
    """End a training that waits or runs: it is `Failed` at once, and another one may begin.

    Nobody is told by e-mail, queue or webhook.
    """
    project = projects.get(session, project_id)
    iteration = iterations.get(session, project, iteration_id)
    job = jobs.of_subject(session, iteration.id)
    if job is None or not jobs.cancel(session, job, now=now):
        session.expire(iteration)  # it may have ended, or have been deleted, just now
        iteration = iterations.get(session, project, iteration_id)
        raise Invalid(
            f"{iteration.name} is not in training: its status is {iteration.status}, Training is needed to cancel it.",
            "BadRequestIterationValidationFailed",
        )
    return _shape(session, iteration, job, now)


def _shape(session: Session, iteration: Iteration, job: Job | None, now: datetime) -> Progress:
    if job is None:  # it came from another server
        return Progress(status=iteration.status, stage="done", progress=1.0, attempts=0, ahead=0, details={}, log=[])
    return Progress(
        status=iteration.status,
        stage=job.stage,
        progress=job.progress,
        attempts=job.attempts,
        ahead=jobs.ahead(session, job, now=now),
        details=job.details,
        log=[LogLine(at=event.at, level=event.level, text=event.text) for event in jobs.events(session, job)],
    )
