"""The tag operations."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session

from foveal.api.deps import PartsDep, ReadDep, WriteDep, json_body
from foveal.api.training import schemas
from foveal.db.tables import Project
from foveal.services import iterations, projects, tags
from foveal.services.tags import CountedTag, TagDraft

router = APIRouter(prefix="/projects/{project_id}/tags", tags=["Tags"])

IterationId = Annotated[UUID | None, Query(alias="iterationId")]


@router.get("", operation_id="GetTags")
def every(project_id: UUID, session: ReadDep, iteration_id: IterationId = None) -> list[schemas.Tag]:
    """In the order of their making (our choice). With `iterationId`: as that iteration was trained."""
    project = projects.get(session, project_id)
    return [_shape(tag) for tag in _counted(session, project, iteration_id)]


@router.post("", operation_id="CreateTag")
def create(  # Azure's parameters
    project_id: UUID,
    session: WriteDep,
    parts: PartsDep,
    name: str,
    description: str | None = None,
    type: str | None = None,
) -> schemas.Tag:
    """Names are unique without regard to case (our choice). At most one Negative and one GeneralProduct tag."""
    project = projects.get(session, project_id)
    about = TagDraft(name=name, description=description, type=type)
    return _shape(tags.create(session, project, about, now=parts.clock(), limits=parts.limits))


@router.get("/{tag_id}", operation_id="GetTag")
def get(project_id: UUID, tag_id: UUID, session: ReadDep, iteration_id: IterationId = None) -> schemas.Tag:
    """One tag."""
    return _find(session, projects.get(session, project_id), tag_id, iteration_id)


@router.patch("/{tag_id}", operation_id="UpdateTag")
def update(
    project_id: UUID,
    tag_id: UUID,
    patch: Annotated[schemas.TagPatch, Depends(json_body(schemas.TagPatch))],
    session: WriteDep,
) -> schemas.Tag:
    """What is absent or null stays as it is."""
    project = projects.get(session, project_id)
    tag = tags.get(session, project, tag_id)
    tags.update(session, tag, TagDraft(name=patch.name, description=patch.description, type=patch.type))
    return _find(session, project, tag_id, None)


@router.delete("/{tag_id}", operation_id="DeleteTag", status_code=204)
def delete(project_id: UUID, tag_id: UUID, session: WriteDep) -> None:
    """Images lose the tag and its regions; trained iterations keep it."""
    tags.delete(session, tags.get(session, projects.get(session, project_id), tag_id))


def _find(session: Session, project: Project, tag_id: UUID, iteration_id: UUID | None) -> schemas.Tag:
    for tag in _counted(session, project, iteration_id):
        if tag.id == tag_id:
            return _shape(tag)
    raise tags.not_found(tag_id)


def _counted(session: Session, project: Project, iteration_id: UUID | None) -> list[CountedTag]:
    if iteration_id is None:
        return tags.every(session, project)
    return tags.of_iteration(session, iterations.get(session, project, iteration_id))


def _shape(tag: CountedTag) -> schemas.Tag:
    return schemas.Tag(
        id=tag.id, name=tag.name, description=tag.description, type=tag.type, image_count=tag.image_count
    )
