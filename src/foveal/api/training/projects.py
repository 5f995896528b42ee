"""The project operations."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session

from foveal.api.callers import CallerDep
from foveal.api.deps import NowDep, PartsDep, ReadDep, WriteDep, json_body
from foveal.api.links import Links, LinksDep
from foveal.api.training import schemas
from foveal.api.wire import Wire
from foveal.db import tables
from foveal.services import iterations, projects
from foveal.services.projects import Draft

router = APIRouter(prefix="/projects", tags=["Projects"])


class CreateQuery(Wire):
    """The query of a project's creation; Azure sends everything but the two addresses here."""

    name: str
    description: str | None = None
    domain_id: str | None = None
    classification_type: str | None = None
    target_export_platforms: str | None = None
    export_model_container_uri: str | None = None
    notification_queue_uri: str | None = None


@router.get("", operation_id="GetProjects")
def every(session: ReadDep, links: LinksDep, caller: CallerDep) -> list[schemas.Project]:
    return project_shapes(session, links, projects.every(session, caller.resource_id))


@router.post("", operation_id="CreateProject")
def create(
    options: Annotated[schemas.CreateProjectOptions, Depends(json_body(schemas.CreateProjectOptions))],
    query: Annotated[CreateQuery, Query()],
    session: WriteDep,
    links: LinksDep,
    parts: PartsDep,
    caller: CallerDep,
) -> schemas.Project:
    draft = Draft(
        name=query.name,
        description=query.description,
        domain=query.domain_id or None,
        classification_type=query.classification_type or None,
        target_export_platforms=[part for part in (query.target_export_platforms or "").split(",") if part],
        export_model_container_uri=options.export_model_container_uri or query.export_model_container_uri,
        notification_queue_uri=options.notification_queue_uri or query.notification_queue_uri,
    )
    project = projects.create(session, draft, now=parts.clock(), resource_id=caller.resource_id, limits=parts.limits)
    return project_shapes(session, links, [project])[0]


@router.get("/{project_id}", operation_id="GetProject")
def get(project_id: UUID, session: ReadDep, links: LinksDep) -> schemas.Project:
    return project_shapes(session, links, [projects.get(session, project_id)])[0]


@router.patch("/{project_id}", operation_id="UpdateProject")
def update(
    project_id: UUID,
    patch: Annotated[schemas.ProjectPatch, Depends(json_body(schemas.ProjectPatch))],
    session: WriteDep,
    links: LinksDep,
    now: NowDep,
) -> schemas.Project:
    project = projects.get(session, project_id)
    return project_shapes(session, links, [projects.update(session, project, _draft(patch), now=now)])[0]


@router.delete("/{project_id}", operation_id="DeleteProject", status_code=204)
def delete(project_id: UUID, parts: PartsDep) -> None:
    with parts.sessions.write.begin() as session:
        project = projects.get(session, project_id)
        gone = [iteration.id for iteration in iterations.every(session, project)]
        projects.delete(session, project)
    for iteration_id in gone:  # only after the commit: a model is never lost to a deletion that failed
        parts.models.discard(iteration_id)


def _draft(patch: schemas.ProjectPatch) -> Draft:
    settings = patch.settings or schemas.ProjectSettings()
    processing = settings.image_processing_settings
    return Draft(
        name=patch.name,
        description=patch.description,
        domain=settings.domain_id,
        classification_type=settings.classification_type,
        target_export_platforms=settings.target_export_platforms,
        augmentation_methods=processing.augmentation_methods if processing else None,
        export_model_container_uri=settings.export_model_container_uri,
        notification_queue_uri=settings.notification_queue_uri,
    )


def project_shapes(session: Session, links: Links, found: list[tables.Project]) -> list[schemas.Project]:
    thumbnails = projects.thumbnail_digests(session, found)
    return [_shape(project, links, thumbnails.get(project.id)) for project in found]


def _shape(project: tables.Project, links: Links, thumbnail: str | None) -> schemas.Project:
    return schemas.Project(
        id=project.id,
        name=project.name,
        description=project.description,
        settings=schemas.ProjectSettings(
            domain_id=str(project.domain_id),
            classification_type=project.classification_type,
            target_export_platforms=project.target_export_platforms,
            use_negative_set=True,
            image_processing_settings=schemas.ImageProcessingSettings(
                augmentation_methods=project.augmentation_methods
            ),
            export_model_container_uri=project.export_model_container_uri,
            notification_queue_uri=project.notification_queue_uri,
        ),
        created=project.created_at,
        last_modified=project.last_modified_at,
        thumbnail_uri=links.thumbnail(thumbnail) if thumbnail else None,
        dr_mode_enabled=False,
        status=project.status,
    )
