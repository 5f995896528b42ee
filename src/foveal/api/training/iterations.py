"""The iteration operations: training, reading, publishing, deleting."""

import re
from math import ceil
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session

from foveal.api.deps import NowDep, Parts, PartsDep, PlatformsDep, ReadDep, WriteDep, json_body
from foveal.api.training import schemas
from foveal.api.wire import Wire
from foveal.db import tables
from foveal.errors import Invalid
from foveal.services import iterations, projects, resources
from foveal.services.iterations import Order, Publication

router = APIRouter(prefix="/projects/{project_id}", tags=["Iterations"])

EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class TrainQuery(Wire):
    """The query of a training."""

    training_type: str | None = None
    reserved_budget_in_hours: int = 0
    force_train: bool = False
    notification_email_address: str | None = None


class PublishQuery(Wire):
    """The query of a publication."""

    publish_name: str
    prediction_id: str
    overwrite: bool = False


@router.post("/train", operation_id="TrainProject")
def train(
    project_id: UUID,
    parameters: Annotated[schemas.TrainingParameters, Depends(json_body(schemas.TrainingParameters))],
    query: Annotated[TrainQuery, Query()],
    parts: PartsDep,
    platforms: PlatformsDep,
) -> schemas.Iteration:
    """`Regular` is Quick training, seconds long; `Advanced` takes up to `reservedBudgetInHours`, at least 1.

    Advanced training tries several ways to a model, Quick's among them, and keeps the best; it needs the extra `train`
    where the worker runs. Refused when nothing changed, unless `forceTrain`. With
    `customBaseModelInfo` the model also learns from the images that the earlier iteration knew and this project lacks;
    it is judged on the project's own.
    """
    kind = _checked_type(query)
    with parts.sessions.write.begin() as session:
        project = projects.get(session, project_id)
        order = Order(
            type=kind,
            budget_hours=query.reserved_budget_in_hours if kind == iterations.ADVANCED else 0,
            selected_tags=parameters.selected_tags or [],
            force=query.force_train,
            base=_base(session, project, parameters.custom_base_model_info),
            notification_address=query.notification_email_address or None,
        )
        iteration = iterations.start(session, project, order, now=parts.clock(), limits=parts.limits)
        shape = _shape(iteration, platforms)
    parts.wake_worker()
    return shape


@router.get("/iterations", operation_id="GetIterations")
def every(project_id: UUID, session: ReadDep, platforms: PlatformsDep) -> list[schemas.Iteration]:
    """Newest first (our choice; Azure's order is not established)."""
    project = projects.get(session, project_id)
    return [_shape(iteration, platforms) for iteration in iterations.every(session, project)]


@router.get("/iterations/{iteration_id}", operation_id="GetIteration")
def get(project_id: UUID, iteration_id: UUID, session: ReadDep, platforms: PlatformsDep) -> schemas.Iteration:
    """Poll it until `status` is `Completed` or `Failed`; `trainingErrorDetails` tells why it failed."""
    return _shape(iterations.get(session, projects.get(session, project_id), iteration_id), platforms)


@router.patch("/iterations/{iteration_id}", operation_id="UpdateIteration")
def update(
    project_id: UUID,
    iteration_id: UUID,
    patch: Annotated[schemas.IterationPatch, Depends(json_body(schemas.IterationPatch))],
    session: WriteDep,
    now: NowDep,
    platforms: PlatformsDep,
) -> schemas.Iteration:
    """Its name."""
    iteration = iterations.get(session, projects.get(session, project_id), iteration_id)
    if patch.name is not None:
        iterations.rename(session, iteration, patch.name, now=now)
    return _shape(iteration, platforms)


@router.delete("/iterations/{iteration_id}", operation_id="DeleteIteration", status_code=204)
def delete(project_id: UUID, iteration_id: UUID, parts: PartsDep) -> None:
    """Refused while it is published. Images that only it held are deleted too."""
    with parts.sessions.write.begin() as session:
        project = projects.get(session, project_id)
        iterations.delete(session, project, iterations.get(session, project, iteration_id))
    parts.models.discard(iteration_id)


@router.post("/iterations/{iteration_id}/publish", operation_id="PublishIteration")
def publish(project_id: UUID, iteration_id: UUID, query: Annotated[PublishQuery, Query()], parts: PartsDep) -> bool:
    """`predictionId` takes any text while there are no [prediction resources](resources.md), and is given back.

    The name answers at once.
    """
    with parts.sessions.read.begin() as session:
        project = projects.get(session, project_id)
        iteration = iterations.completed(session, project, iteration_id)
        iterations.publishable(session, project, iteration, _publication(session, project, query, parts))
    parts.models.model(iteration_id)  # warm before the name switches: the first caller does not wait
    with parts.sessions.write.begin() as session:
        project = projects.get(session, project_id)
        iteration = iterations.completed(session, project, iteration_id)
        iterations.publish(session, project, iteration, _publication(session, project, query, parts))
    return True


@router.delete("/iterations/{iteration_id}/publish", operation_id="UnpublishIteration", status_code=204)
def unpublish(project_id: UUID, iteration_id: UUID, session: WriteDep) -> None:
    """The name is free again at once."""
    iterations.unpublish(session, iterations.get(session, projects.get(session, project_id), iteration_id))


def _publication(session: Session, project: tables.Project, query: PublishQuery, parts: Parts) -> Publication:
    return Publication(
        name=query.publish_name,
        resource_id=query.prediction_id,
        published_to=resources.publish_target(session, project, query.prediction_id, server_region=parts.region),
        overwrite=query.overwrite,
    )


def _base(
    session: Session, project: tables.Project, info: schemas.CustomBaseModelInfo | None
) -> tables.Iteration | None:
    if info is None:
        return None
    other = projects.get(session, info.project_id)
    if other.resource_id != project.resource_id:
        raise projects.not_found(info.project_id)
    return iterations.get(session, other, info.iteration_id)


def _checked_type(query: TrainQuery) -> str:
    wanted = query.training_type or iterations.REGULAR
    kind = next((each for each in iterations.TYPES if each.lower() == wanted.lower()), None)
    if kind is None:
        raise Invalid(f"trainingType {wanted!r} is unknown: expected {' or '.join(iterations.TYPES)}.")
    address = query.notification_email_address
    if address and not EMAIL.fullmatch(address):
        raise Invalid(f"notificationEmailAddress {address!r} is no e-mail address.", "BadRequestInvalidEmailAddress")
    return kind


def _shape(iteration: tables.Iteration, platforms: list[str]) -> schemas.Iteration:
    training = iteration.status == iterations.TRAINING
    completed = iteration.status == iterations.COMPLETED
    return schemas.Iteration(
        id=iteration.id,
        name=iteration.name,
        status=iteration.status,
        created=iteration.created_at,
        last_modified=iteration.last_modified_at,
        trained_at=iteration.trained_at,
        project_id=iteration.project_id,
        exportable=completed,
        exportable_to=platforms if completed else None,
        domain_id=None if training else iteration.domain_id,
        classification_type=None if training else iteration.classification_type,
        training_type=iteration.training_type,
        reserved_budget_in_hours=iteration.reserved_budget_hours,
        training_time_in_minutes=_minutes(iteration),
        publish_name=iteration.publish_name,
        original_publish_resource_id=iteration.publish_resource_id,
        custom_base_model_info=schemas.CustomBaseModelInfo(
            project_id=iteration.base_project_id, iteration_id=iteration.base_iteration_id
        )
        if iteration.base_project_id and iteration.base_iteration_id
        else None,
        training_error_details=iteration.error_details,
    )


def _minutes(iteration: tables.Iteration) -> int:
    if iteration.trained_at is None:
        return 0
    return max(1, ceil((iteration.trained_at - iteration.started_at).total_seconds() / 60))
