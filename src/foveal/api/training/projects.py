"""The project operations."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session

from foveal.api.callers import CallerDep
from foveal.api.deps import Parts, PartsDep, ReadDep, json_body, listed
from foveal.api.links import Links, LinksDep
from foveal.api.training import schemas
from foveal.api.wire import Wire
from foveal.db import tables
from foveal.outbound.addresses import masked
from foveal.services import iterations, notifications, projects
from foveal.services.projects import Draft

NOT_YET = UUID(int=0)  # the id of a project in the test message that goes before it

router = APIRouter(prefix="/projects", tags=["Projects"])


class CreateQuery(Wire):
    """The query of a project's creation; Azure sends everything but the two addresses here."""

    name: str
    description: str | None = None
    domain_id: str | None = None
    classification_type: str | None = None
    export_model_container_uri: str | None = None
    notification_queue_uri: str | None = None


@router.get("", operation_id="GetProjects")
def every(session: ReadDep, links: LinksDep, caller: CallerDep) -> list[schemas.Project]:
    """Newest first (our choice; Azure's order is not established).

    No paging. A resource's key sees its own projects only.
    """
    return project_shapes(session, links, projects.every(session, caller.resource_id))


@router.post("", operation_id="CreateProject")
def create(
    options: Annotated[schemas.CreateProjectOptions, Depends(json_body(schemas.CreateProjectOptions))],
    query: Annotated[CreateQuery, Query()],
    platforms: Annotated[list[str], Depends(listed("targetExportPlatforms"))],
    links: LinksDep,
    parts: PartsDep,
    caller: CallerDep,
) -> schemas.Project:
    """`domainId` also takes `general`, `generic`, `food`, `landmarks` or `retail`.

    Without `classificationType` a classifier is Multilabel. Names are unique without regard to case (our choice).
    """
    draft = Draft(
        name=query.name,
        description=query.description,
        domain=query.domain_id or None,
        classification_type=query.classification_type or None,
        target_export_platforms=platforms,
        export_model_container_uri=options.export_model_container_uri or query.export_model_container_uri,
        notification_queue_uri=options.notification_queue_uri or query.notification_queue_uri,
    )
    _try_out(NOT_YET, draft, parts)
    with parts.sessions.write.begin() as session:
        project = projects.create(
            session, draft, now=parts.clock(), resource_id=caller.resource_id, limits=parts.limits
        )
        return project_shapes(session, links, [project])[0]


@router.get("/{project_id}", operation_id="GetProject")
def get(project_id: UUID, session: ReadDep, links: LinksDep) -> schemas.Project:
    """One project."""
    return project_shapes(session, links, [projects.get(session, project_id)])[0]


@router.patch("/{project_id}", operation_id="UpdateProject")
def update(
    project_id: UUID,
    patch: Annotated[schemas.ProjectPatch, Depends(json_body(schemas.ProjectPatch))],
    links: LinksDep,
    parts: PartsDep,
) -> schemas.Project:
    """What is absent or null stays as it is. The domain may change within its type only."""
    with parts.sessions.read.begin() as session:
        draft = _draft(patch, projects.get(session, project_id))
    _try_out(project_id, draft, parts)
    with parts.sessions.write.begin() as session:
        project = projects.update(session, projects.get(session, project_id), draft, now=parts.clock())
        return project_shapes(session, links, [project])[0]


@router.delete("/{project_id}", operation_id="DeleteProject", status_code=204)
def delete(project_id: UUID, parts: PartsDep) -> None:
    """Refused while an iteration is published."""
    with parts.sessions.write.begin() as session:
        project = projects.get(session, project_id)
        gone = [iteration.id for iteration in iterations.every(session, project)]
        projects.delete(session, project)
    for iteration_id in gone:  # only after the commit: a model is never lost to a deletion that failed
        parts.models.discard(iteration_id)


def _try_out(project_id: UUID, draft: Draft, parts: Parts) -> None:
    """Use what the draft names outside, between transactions: nobody waits for another's slow server."""
    container, queue = draft.export_model_container_uri, draft.notification_queue_uri
    notifications.try_out(project_id, container, queue, parts.fetch_policy)


def _draft(patch: schemas.ProjectPatch, project: tables.Project) -> Draft:
    settings = patch.settings or schemas.ProjectSettings()
    processing = settings.image_processing_settings
    return Draft(
        name=patch.name,
        description=patch.description,
        domain=settings.domain_id,
        classification_type=settings.classification_type,
        target_export_platforms=settings.target_export_platforms,
        augmentation_methods=processing.augmentation_methods if processing else None,
        export_model_container_uri=_changed(settings.export_model_container_uri, project.export_model_container_uri),
        notification_queue_uri=_changed(settings.notification_queue_uri, project.notification_queue_uri),
    )


def _changed(given: str | None, kept: str | None) -> str | None:
    """Pass over an address that comes back as it is or as we told it, without its signature."""
    return None if kept is not None and given in {kept, masked(kept)} else given


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
            export_model_container_uri=_told(project.export_model_container_uri),
            notification_queue_uri=_told(project.notification_queue_uri),
        ),
        created=project.created_at,
        last_modified=project.last_modified_at,
        thumbnail_uri=links.thumbnail(thumbnail) if thumbnail else None,
        dr_mode_enabled=False,
        status=project.status,
    )


def _told(uri: str | None) -> str | None:
    return masked(uri) if uri else None
