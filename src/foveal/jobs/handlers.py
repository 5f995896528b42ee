"""What each kind of job does: fetch inputs, call the pure engine, store what came out."""

from dataclasses import replace
from functools import partial
from uuid import UUID

from foveal.db.tables import Job, Project
from foveal.jobs.export import export
from foveal.jobs.look import look
from foveal.jobs.notify import notify
from foveal.jobs.train import train
from foveal.jobs.workshop import Workshop, report, scratch
from foveal.services import imports, jobs
from foveal.services.jobs import Claim


def run(workshop: Workshop, claim: Claim) -> None:
    """Do a claimed job to its end.

    Raises:
        Conflict: The claim was lost to another worker; nothing was written.
    """
    with workshop.sessions.write.begin() as session:
        job = jobs.hold(session, claim)
        kind, subject_id = job.kind, job.subject_id
    HANDLERS[kind](workshop, claim, subject_id)


def import_project(workshop: Workshop, claim: Claim, project_id: UUID) -> None:
    """Fill a project with what another server, or this one, sends of the original.

    Raises:
        Invalid: A link cannot be followed, or what lies there is not what a server of this version sends.
    """
    with workshop.sessions.read.begin() as session:
        payload = session.get_one(Job, claim.job_id).payload
    token = payload["token"]
    here = imports.here(workshop.sessions, workshop.blobs)
    patient = replace(workshop.fetch_policy, timeout_seconds=imports.SECONDS_PER_PIECE)
    read = here if payload["own"] else imports.elsewhere(token, patient)
    with imports.understood(), scratch(workshop) as folder:
        told = partial(report, workshop, claim, "fetching images and models")
        arrived = imports.collect(read, token, workshop.blobs, folder, told)
    with imports.understood(), workshop.sessions.write.begin() as session:
        jobs.finish(session, claim, now=workshop.clock())
        project = session.get_one(Project, project_id)
        imports.record(session, workshop.blobs, project, arrived, read, now=workshop.clock())


HANDLERS = {jobs.TRAIN: train, jobs.EXPORT: export, jobs.IMPORT: import_project, jobs.NOTIFY: notify, jobs.LOOK: look}
