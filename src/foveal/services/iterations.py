"""Iterations: starting a training, keeping its outcome, publishing, deleting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from sqlalchemy import delete as sql_delete
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from foveal import domains
from foveal.db.tables import NAME_LENGTH, Iteration, IterationImage, IterationTag, Job, Project, name_key
from foveal.engine import backbones
from foveal.errors import Invalid, NotFound
from foveal.services import images, jobs, regions, training_sets
from foveal.services.limits import OFF, Limits
from foveal.services.training_sets import TrainingSet

MAX_PUBLISH_NAME = 128
TRAINING = "Training"
COMPLETED = "Completed"
FAILED = "Failed"
REGULAR = "Regular"
ADVANCED = "Advanced"
TYPES = (REGULAR, ADVANCED)
UNTRAINABLE_PLATFORMS = ("VAIDK",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a training shall be like."""

    type: str = REGULAR
    budget_hours: int = 0
    """How long an Advanced training may take."""
    selected_tags: Sequence[UUID] = ()
    force: bool = False
    base: Iteration | None = None
    """An earlier iteration to continue from."""
    notification_address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Under which name an iteration shall answer, and whom."""

    name: str
    resource_id: str
    """What the client calls the prediction resource."""
    published_to: UUID | None = None
    """The resource that it means; None: the server's own key."""
    overwrite: bool = False


def start(session: Session, project: Project, order: Order, *, now: datetime, limits: Limits = OFF) -> Iteration:
    """Begin a training: check what it needs, remember what it is about, enqueue the job.

    Raises:
        Invalid: One of the preconditions is not met; the code and the message tell which.
    """
    session.refresh(project, with_for_update=True)
    existing = every(session, project)
    if any(iteration.status == TRAINING for iteration in existing):
        raise _already_training(project)
    if len(existing) >= limits.iterations:
        raise Invalid(
            f"The project has {limits.iterations} iterations, the most it may have: delete some first.",
            "BadRequestExceedIterationPerProjectLimit",
        )
    training_set = training_sets.gather(session, project, order.selected_tags)
    training_sets.check(project, training_set)
    if order.type == ADVANCED:
        _check_advanced(project, order)
    if order.base is not None:
        _check_base(project, order.base)
    last = next((iteration for iteration in existing if iteration.status == COMPLETED), None)
    if last is not None and _same(last, training_set, order) and not order.force:
        _refuse_again(last)
    iteration = _add(session, project, training_set, order, now=now)
    jobs.enqueue(session, jobs.TRAIN, project_id=project.id, subject_id=iteration.id, now=now)
    return iteration


def every(session: Session, project: Project) -> list[Iteration]:
    """Return all iterations of the project, newest first."""
    statement = select(Iteration).where(Iteration.project_id == project.id)
    return list(session.scalars(statement.order_by(Iteration.started_at.desc(), Iteration.id)))


def get(session: Session, project: Project, iteration_id: UUID) -> Iteration:
    """Return the iteration, or raise `NotFound` when this project has no such iteration."""
    iteration = session.get(Iteration, iteration_id)
    if iteration is None or iteration.project_id != project.id:
        raise NotFound(f"Iteration {iteration_id} does not exist in this project.", "NotFoundIteration")
    return iteration


def completed(session: Session, project: Project, iteration_id: UUID) -> Iteration:
    """Return the iteration, or raise `Invalid` when its training did not complete."""
    iteration = get(session, project, iteration_id)
    if iteration.status != COMPLETED:
        raise Invalid(
            f"{iteration.name} is not trained: its status is {iteration.status}, Completed is needed.",
            "BadRequestIterationIsNotTrained",
        )
    return iteration


def newest_completed(session: Session, project: Project) -> Iteration:
    """Return the iteration used where none is named, or raise `NotFound` before the first training."""
    for iteration in every(session, project):
        if iteration.status == COMPLETED:
            return iteration
    raise NotFound("Project has no default iteration: train it first.", "NotFoundProjectDefaultIteration")


def complete(session: Session, iteration: Iteration, *, metrics: Mapping[str, Any], now: datetime) -> None:
    """Record that the training has ended well."""
    iteration.status, iteration.trained_at, iteration.last_modified_at = COMPLETED, now, now
    iteration.metrics = dict(metrics)
    session.flush()


def rename(session: Session, iteration: Iteration, name: str, *, now: datetime) -> None:
    """Give the iteration another name; it is unique within the project, without regard to case."""
    name = name.strip()
    if not 0 < len(name) <= NAME_LENGTH:
        raise Invalid(
            f"An iteration name has 1 to {NAME_LENGTH} characters; this one has {len(name)}.",
            "BadRequestIterationName",
        )
    if iteration.name == name:
        return
    same = select(Iteration.id).where(Iteration.project_id == iteration.project_id, Iteration.id != iteration.id)
    if session.scalar(same.where(Iteration.name_key == name_key(name))):
        raise Invalid(f"The project already has an iteration named {name!r}.", "BadRequestIterationNameNotUnique")
    iteration.name, iteration.name_key, iteration.last_modified_at = name, name_key(name), now
    session.flush()


def delete(session: Session, project: Project, iteration: Iteration) -> None:
    """Delete the iteration and the images that only it holds; refused while it is published."""
    if iteration.publish_name is not None:
        raise Invalid(
            f"{iteration.name} is published as {iteration.publish_name!r}: unpublish it first.",
            "BadRequestIterationIsPublished",
        )
    session.execute(sql_delete(Job).where(Job.subject_id == iteration.id))
    session.delete(iteration)
    session.flush()
    images.drop_unheld(session, project)


def publishable(session: Session, project: Project, iteration: Iteration, publication: Publication) -> Iteration | None:
    """Check that the iteration can be published under the name; return the one that must give the name up, if any."""
    if iteration.publish_name is not None:
        raise Invalid(f"Iteration is already published as: {iteration.publish_name}", "BadRequestIterationIsPublished")
    name = publication.name
    if not 0 < len(name.strip()) <= MAX_PUBLISH_NAME or "/" in name or name.strip(".") == "":
        raise Invalid(
            f"A published name has 1 to {MAX_PUBLISH_NAME} characters and no slash; got {name!r}.",
            "BadRequestInvalidPublishName",
        )
    holder = by_publish_name(session, project, name)
    if holder is not None and not publication.overwrite:
        raise Invalid(
            f"The name {name!r} is taken by {holder.name}: unpublish it, choose another name or use overwrite=true.",
            "BadRequestInvalidPublishName",
        )
    return holder


def publish(session: Session, project: Project, iteration: Iteration, publication: Publication) -> None:
    """Let the name point at the iteration, in one step; its model should be warm by now."""
    holder = publishable(session, project, iteration, publication)
    if holder is not None:
        unpublish(session, holder)
    iteration.publish_name, iteration.publish_resource_id = publication.name, publication.resource_id
    iteration.published_to = publication.published_to
    try:
        session.flush()
    except IntegrityError as error:
        raise Invalid(f"The name {publication.name!r} was just taken.", "BadRequestInvalidPublishName") from error


def unpublish(session: Session, iteration: Iteration) -> None:
    """Take the published name back."""
    if iteration.publish_name is None:
        raise Invalid(f"{iteration.name} is not published.", "BadRequestIterationNotPublished")
    iteration.publish_name = iteration.publish_resource_id = iteration.published_to = None
    session.flush()


def by_publish_name(session: Session, project: Project, name: str) -> Iteration | None:
    return session.scalar(select(Iteration).where(Iteration.project_id == project.id, Iteration.publish_name == name))


def published(session: Session, project: Project, name: str, resource_id: UUID | None = None) -> Iteration:
    """Return the iteration published under the name to the resource, or raise `NotFound`."""
    iteration = by_publish_name(session, project, name)
    if iteration is None or iteration.published_to != resource_id:
        raise NotFound(
            f"Invalid iteration: project {project.id} has nothing published as {name!r} that this key may call.",
            "NotFoundIteration",
        )
    return iteration


def _check_base(project: Project, base: Iteration) -> None:
    if base.status != COMPLETED:
        raise Invalid(
            f"customBaseModelInfo names {base.name}, whose status is {base.status}: Completed is needed.",
            "BadRequestCustomBaseModelIterationStatusNotCompleted",
        )
    ours, theirs = domains.get(project.domain_id), domains.get(base.domain_id)
    if (ours.id, project.classification_type) != (theirs.id, base.classification_type):
        raise Invalid(
            f"customBaseModelInfo names {base.name} of domain {theirs.name!r} ({base.classification_type}); this "
            f"project has {ours.name!r} ({project.classification_type}).",
            "BadRequestCustomBaseModelDomainNotCompatible",
        )
    if base.metrics.get("backbone", backbone := backbones.find(ours.backbone).fingerprint) != backbone:
        raise Invalid(
            f"customBaseModelInfo names {base.name}, which stands on a network that this version no longer has.",
            "BadRequestCustomBaseModelArchitectureRetired",
        )


def _check_advanced(project: Project, order: Order) -> None:
    if order.budget_hours < 1:
        raise Invalid(
            f"Advanced training needs reservedBudgetInHours of at least 1, an upper limit of its time; this is "
            f"{order.budget_hours}.",
            "BadRequestReservedBudgetInHoursNotEnoughForAdvancedTraining",
        )
    if refused := sorted(set(UNTRAINABLE_PLATFORMS) & set(project.target_export_platforms)):
        raise Invalid(
            f"Advanced training does not serve the target export platform {refused[0]}: take it out of the project's "
            "settings.",
            "BadRequestExportPlatformNotSupportedForAdvancedTraining",
        )


def _same(last: Iteration, training_set: TrainingSet, order: Order) -> bool:
    """Tell whether the training would repeat the last one; a longer budget is something new."""
    base_id = order.base.id if order.base else None
    ordered = training_set.digest, base_id, order.type
    return (last.data_digest, last.base_iteration_id, last.training_type) == ordered and (
        order.budget_hours <= last.reserved_budget_hours
    )


def _refuse_again(last: Iteration) -> NoReturn:
    current = backbones.find(domains.get(last.domain_id).backbone).fingerprint
    if last.metrics.get("backbone", current) != current:
        raise Invalid(
            "Nothing changed since last training, but this version of Foveal trains on a newer network: "
            "use forceTrain=true to have it.",
            "BadRequestTrainingNotNeededButTrainingPipelineUpdated",
        )
    raise Invalid("Nothing changed since last training", "BadRequestTrainingNotNeeded")


def _add(session: Session, project: Project, training_set: TrainingSet, order: Order, *, now: datetime) -> Iteration:
    name = _next_name(session, project)
    iteration = Iteration(
        project_id=project.id,
        name=name,
        name_key=name_key(name),
        status=TRAINING,
        created_at=project.workspace_created_at,
        started_at=now,
        last_modified_at=now,
        domain_id=project.domain_id,
        classification_type=project.classification_type,
        training_type=order.type,
        reserved_budget_hours=order.budget_hours,
        base_project_id=order.base.project_id if order.base else None,
        base_iteration_id=order.base.id if order.base else None,
        notification_address=order.notification_address,
        data_digest=training_set.digest,
    )
    project.workspace_created_at = now
    session.add(iteration)
    try:
        session.flush()
    except IntegrityError as error:
        raise _already_training(project) from error
    _remember(session, project, iteration, training_set)
    return iteration


def _next_name(session: Session, project: Project) -> str:
    taken = set(session.scalars(select(Iteration.name_key).where(Iteration.project_id == project.id)))
    while True:
        project.iterations_started += 1
        name = f"Iteration {project.iterations_started}"
        if name_key(name) not in taken:
            return name


def _remember(session: Session, project: Project, iteration: Iteration, training_set: TrainingSet) -> None:
    drawn = regions.snapshots(session, project, {tag.id: at for at, tag in enumerate(training_set.tags)})
    session.execute(
        insert(IterationTag),
        [
            {
                "iteration_id": iteration.id,
                "position": position,
                "tag_id": tag.id,
                "name": tag.name,
                "description": tag.description,
                "type": tag.type,
                "image_count": tag.image_count,
            }
            for position, tag in enumerate(training_set.tags)
        ],
    )
    session.execute(
        insert(IterationImage),
        [
            {
                "iteration_id": iteration.id,
                "image_id": image.id,
                "positions": list(image.positions),
                "regions": drawn.get(image.id, []),
                "test": image.test,
                "held_out": None,
            }
            for image in training_set.images
        ],
    )


def _already_training(project: Project) -> Invalid:
    return Invalid(
        f"A training of project {project.name!r} is running: wait until it has ended.",
        "BadRequestTrainingAlreadyInProgress",
    )
