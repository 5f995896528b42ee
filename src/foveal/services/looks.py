"""Looks: having a worker embed the pictures of a workspace that no network has looked at yet."""

from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from foveal.db.tables import Embedding, Image, ImageTag, Job, Project
from foveal.engine.backbones import Backbone
from foveal.services import jobs

BATCH = 1_024  # pictures of one job; a training that waits goes between two of them
PAUSE = timedelta(minutes=5)  # after a look that failed


def ask(session: Session, project: Project, backbone: Backbone, *, now: datetime) -> bool:
    """Enqueue a look, unless one is on its way or one has just failed; tell whether it was enqueued."""
    session.refresh(project, with_for_update=True)  # two who ask at once get one job
    last = session.scalar(
        select(Job)
        .where(Job.project_id == project.id, Job.kind == jobs.LOOK)
        .order_by(Job.created_at.desc(), Job.id)
        .limit(1)
    )
    if last is not None and (last.finished_at is None or (last.status == "failed" and last.finished_at > now - PAUSE)):
        return False
    if not batch(session, project, backbone, most=1):
        return False
    _enqueue(session, project, now=now)
    return True


def batch(session: Session, project: Project, backbone: Backbone, *, most: int) -> list[Image]:
    """Return images of the workspace that the backbone has not seen: untagged ones first, then the newest."""
    seen = exists().where(
        Embedding.digest == Image.digest,
        Embedding.backbone == backbone.fingerprint,
        Embedding.view == backbone.view,
    )
    tagged = exists().where(ImageTag.image_id == Image.id)
    found = select(Image).where(Image.project_id == project.id, Image.deleted_at.is_(None), ~seen)
    return list(session.scalars(found.order_by(tagged, Image.created_at.desc(), Image.id).limit(most)))


def go_on(session: Session, project: Project, backbone: Backbone, *, now: datetime) -> None:
    """Enqueue the next look if pictures are left; the one before must have ended."""
    if batch(session, project, backbone, most=1):
        _enqueue(session, project, now=now)


def _enqueue(session: Session, project: Project, *, now: datetime) -> None:
    jobs.enqueue(session, jobs.LOOK, project_id=project.id, subject_id=project.id, now=now)
