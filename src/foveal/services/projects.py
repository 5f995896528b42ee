"""Projects."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from foveal import domains
from foveal.db.tables import NAME_LENGTH, Image, Iteration, Project, name_key
from foveal.domains import CLASSIFICATION_TYPES, MULTILABEL, Domain
from foveal.errors import Invalid, NotFound
from foveal.services.limits import OFF, Limits

MAX_DESCRIPTION = 2_000
SUCCEEDED = "Succeeded"
IMPORTING = "Importing"
FAILED = "Failed"
AUGMENTATION_METHODS = (
    "rotation",
    "scaling",
    "translation",
    "horizontal flip",
    "equalize",
    "solarize",
    "padtosquare",
)
EXPORT_PLATFORMS = ("CoreML", "TensorFlow", "DockerFile", "ONNX", "VAIDK", "OpenVino")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a new project or a change of one asks for; None leaves a value as it is, an empty address takes it away."""

    name: str | None = None
    description: str | None = None
    domain: str | None = None
    classification_type: str | None = None
    target_export_platforms: list[str] | None = None
    augmentation_methods: Mapping[str, bool] | None = None
    export_model_container_uri: str | None = None
    notification_queue_uri: str | None = None


def create(
    session: Session, draft: Draft, *, now: datetime, resource_id: UUID | None = None, limits: Limits = OFF
) -> Project:
    """Add a project; its name is unique without regard to case."""
    if (session.scalar(select(func.count()).select_from(Project)) or 0) >= limits.projects:
        raise Invalid(f"This server holds at most {limits.projects} projects.", "BadRequestExceedProjectLimit")
    domain = domains.parse(draft.domain) if draft.domain else domains.DEFAULT
    project = Project(
        name="",
        name_key="",
        resource_id=resource_id,
        domain_id=domain.id,
        classification_type=MULTILABEL if domain.type == domains.CLASSIFICATION else None,
        augmentation_methods=dict.fromkeys(AUGMENTATION_METHODS, True),
        target_export_platforms=[],
        created_at=now,
        last_modified_at=now,
        workspace_created_at=now,
    )
    _rename(session, project, draft.name or "")
    _apply(project, draft)
    session.add(project)
    _flush(session, project)
    return project


def every(session: Session, resource_id: UUID | None = None) -> list[Project]:
    """Return all projects, or those of one resource, newest first."""
    own = true() if resource_id is None else Project.resource_id == resource_id
    return list(session.scalars(select(Project).where(own).order_by(Project.created_at.desc(), Project.id)))


def get(session: Session, project_id: UUID) -> Project:
    """Return the project, or raise `NotFound`."""
    project = session.get(Project, project_id)
    if project is None:
        raise not_found(project_id)
    return project


def update(session: Session, project: Project, draft: Draft, *, now: datetime) -> Project:
    """Change what the draft names; the domain may change within its type only."""
    if draft.name is not None:
        _rename(session, project, draft.name)
    if draft.domain is not None:
        _change_domain(project, domains.parse(draft.domain))
    _apply(project, draft)
    project.last_modified_at = now
    _flush(session, project)
    return project


def delete(session: Session, project: Project) -> None:
    """Delete the project with all it holds; refused while an iteration is published."""
    published = session.scalar(
        select(Iteration.publish_name).where(Iteration.project_id == project.id, Iteration.publish_name.is_not(None))
    )
    if published is not None:
        raise Invalid(
            f"Project {project.name!r} has an iteration published as {published!r}: unpublish it first.",
            "BadRequestIterationIsPublished",
        )
    session.delete(project)
    session.flush()


def not_found(project_id: UUID) -> NotFound:
    return NotFound(f"Project {project_id} does not exist.", "NotFoundProject")


def thumbnail_digests(session: Session, projects: list[Project]) -> dict[UUID, str]:
    """Return for each project with images the digest of its oldest one, as the picture of the project."""
    # One by one along the index: a rank over all images would read each of them.
    oldest = (
        select(Image.digest)
        .where(Image.project_id == Project.id, Image.deleted_at.is_(None))
        .order_by(Image.created_at, Image.id)
        .limit(1)
        .scalar_subquery()
    )
    ids = [project.id for project in projects]
    found = select(Project.id, oldest.label("digest")).where(Project.id.in_(ids)).subquery()
    return dict(iter(session.execute(select(found.c.id, found.c.digest).where(found.c.digest.is_not(None)))))


def _rename(session: Session, project: Project, name: str) -> None:
    name = name.strip()
    if not 0 < len(name) <= NAME_LENGTH:
        raise Invalid(
            f"A project name has 1 to {NAME_LENGTH} characters; this one has {len(name)}.", "BadRequestProjectName"
        )
    taken = select(Project.id).where(Project.name_key == name_key(name), Project.id != project.id)
    if session.scalar(taken if project.id else select(Project.id).where(Project.name_key == name_key(name))):
        raise _name_taken(name)
    project.name, project.name_key = name, name_key(name)


def _apply(project: Project, draft: Draft) -> None:
    if draft.description is not None:
        project.description = _description(draft.description)
    if draft.classification_type is not None:
        project.classification_type = _classification_type(project, draft.classification_type)
    if draft.target_export_platforms is not None:
        project.target_export_platforms = [_platform(name) for name in draft.target_export_platforms]
    if draft.augmentation_methods is not None:
        project.augmentation_methods = {**project.augmentation_methods, **_augmentations(draft.augmentation_methods)}
    if draft.export_model_container_uri is not None:
        project.export_model_container_uri = draft.export_model_container_uri or None
    if draft.notification_queue_uri is not None:
        project.notification_queue_uri = draft.notification_queue_uri or None


def _change_domain(project: Project, domain: Domain) -> None:
    if domain.type != domains.get(project.domain_id).type:
        raise Invalid(
            f"A project of type {domains.get(project.domain_id).type} cannot change to the domain {domain.name!r} "
            f"of type {domain.type}: create a new project.",
            "BadRequestProjectUnsupportedDomainTypeChange",
        )
    project.domain_id = domain.id


def _description(text: str) -> str:
    if len(text) > MAX_DESCRIPTION:
        raise Invalid(
            f"A description has at most {MAX_DESCRIPTION} characters; this one has {len(text)}.",
            "BadRequestProjectDescription",
        )
    return text


def _classification_type(project: Project, text: str) -> str | None:
    if domains.get(project.domain_id).type == domains.OBJECT_DETECTION:
        return None  # it means nothing there; clients send it along
    for known in CLASSIFICATION_TYPES:
        if text.lower() == known.lower():
            return known
    raise Invalid(
        f"classificationType {text!r} is unknown: expected {' or '.join(CLASSIFICATION_TYPES)}.",
        "BadRequestProjectUnknownClassification",
    )


def _platform(text: str) -> str:
    for known in EXPORT_PLATFORMS:
        if text.lower() == known.lower():
            return known
    raise Invalid(
        f"Export platform {text!r} is unknown: expected some of {', '.join(EXPORT_PLATFORMS)}.",
        "BadRequestProjectUnsupportedExportPlatform",
    )


def _augmentations(methods: Mapping[str, bool]) -> dict[str, bool]:
    for name in methods:
        if name not in AUGMENTATION_METHODS:
            raise Invalid(
                f"Augmentation {name!r} is unknown: expected some of {', '.join(AUGMENTATION_METHODS)}.",
                "BadRequestProjectImagePreprocessingSettings",
            )
    return dict(methods)


def _flush(session: Session, project: Project) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise _name_taken(project.name) from error


def _name_taken(name: str) -> Invalid:
    return Invalid(f"There is already a project named {name!r}.", "BadRequestProjectNameNotUnique")
