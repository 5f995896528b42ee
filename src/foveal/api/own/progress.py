"""How far a training has come."""

from uuid import UUID

from fastapi import APIRouter

from foveal.api.deps import ReadDep
from foveal.api.wire import Wire
from foveal.services import iterations, jobs, projects

router = APIRouter(prefix="/projects/{project_id}/iterations/{iteration_id}", tags=["Foveal"])


class Progress(Wire):
    """How far a training has come, from 0 to 1, and what it does now."""

    status: str
    stage: str
    progress: float


@router.get("/progress", operation_id="GetIterationProgress")
def progress(project_id: UUID, iteration_id: UUID, session: ReadDep) -> Progress:
    """How far a training has come, from 0 to 1, and what it does now."""
    iteration = iterations.get(session, projects.get(session, project_id), iteration_id)
    job = jobs.of_subject(session, iteration.id)
    return Progress(status=iteration.status, stage=job.stage if job else "done", progress=job.progress if job else 1.0)
