"""The job that looks at the pictures of a workspace, so that what is labelled next can be chosen."""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from foveal.db.tables import Project
from foveal.jobs.embedding import embed
from foveal.jobs.workshop import Workshop, report
from foveal.services import jobs, labelling, looks
from foveal.services.jobs import Claim


@dataclass(frozen=True, slots=True)
class _Picture:
    """What of an image outlives the transaction."""

    digest: str
    rendered: bool


def look(workshop: Workshop, claim: Claim, project_id: UUID) -> None:
    """Embed a batch of pictures; where more are left, another job goes on."""
    with workshop.sessions.read.begin() as session:
        project = session.get_one(Project, project_id)
        backbone = labelling.backbone_of(project)
        batch = looks.batch(session, project, backbone, most=looks.BATCH)
        seen = [_Picture(image.digest, image.rendered) for image in batch]
    if seen:
        embed(workshop, backbone, seen, partial(report, workshop, claim, "looking at the images"))
    with workshop.sessions.write.begin() as session:
        jobs.finish(session, claim, now=workshop.clock())
        looks.go_on(session, session.get_one(Project, project_id), backbone, now=workshop.clock())
