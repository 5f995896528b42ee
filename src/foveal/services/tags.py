"""Tags of a project."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from foveal.db.tables import NAME_LENGTH, Image, ImageTag, Iteration, IterationTag, Project, Tag, name_key
from foveal.errors import Invalid, NotFound
from foveal.services.limits import OFF, Limits

MAX_DESCRIPTION = 2_000
REGULAR = "Regular"
NEGATIVE = "Negative"
GENERAL_PRODUCT = "GeneralProduct"
TYPES = (REGULAR, NEGATIVE, GENERAL_PRODUCT)
# A project has at most one tag of each of these types.
SINGLE = {NEGATIVE: "BadRequestMultipleNegativeTag", GENERAL_PRODUCT: "BadRequestMultipleGeneralProductTag"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TagDraft:
    """What a new tag or a change of one asks for; None leaves a value as it is."""

    name: str | None = None
    description: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class CountedTag:
    """A tag of the workspace or of an iteration, with the number of images that bear it there."""

    id: UUID
    name: str
    description: str | None
    type: str
    image_count: int


def create(session: Session, project: Project, about: TagDraft, *, now: datetime, limits: Limits = OFF) -> CountedTag:
    """Add a tag; its name is unique within the project, without regard to case."""
    existing = session.scalar(select(func.count()).select_from(Tag).where(Tag.project_id == project.id)) or 0
    if existing >= limits.tags:
        raise Invalid(f"A project has at most {limits.tags} tags.", "BadRequestExceedTagPerProjectLimit")
    tag = Tag(project_id=project.id, type=REGULAR, name="", name_key="", created_at=now)
    _change(session, tag, replace(about, name=about.name or ""))
    session.add(tag)
    _flush(session, tag)
    return CountedTag(tag.id, tag.name, tag.description, tag.type, 0)


def every(session: Session, project: Project) -> list[CountedTag]:
    """Return the tags of the workspace in the order of their making."""
    count = func.count(Image.id)
    rows = session.execute(
        select(Tag, count)
        .outerjoin(ImageTag, ImageTag.tag_id == Tag.id)
        .outerjoin(Image, (Image.id == ImageTag.image_id) & Image.deleted_at.is_(None))
        .where(Tag.project_id == project.id)
        .group_by(Tag.id)
        .order_by(Tag.created_at, Tag.id)
    )
    return [CountedTag(tag.id, tag.name, tag.description, tag.type, images) for tag, images in rows]


def of_iteration(session: Session, iteration: Iteration) -> list[CountedTag]:
    """Return the tags as the iteration was trained on them, in the order of the model's outputs."""
    rows = session.scalars(
        select(IterationTag).where(IterationTag.iteration_id == iteration.id).order_by(IterationTag.position)
    )
    return [CountedTag(row.tag_id, row.name, row.description, row.type, row.image_count) for row in rows]


def get(session: Session, project: Project, tag_id: UUID) -> Tag:
    """Return the tag, or raise `NotFound` when this project has no such tag."""
    tag = session.get(Tag, tag_id)
    if tag is None or tag.project_id != project.id:
        raise not_found(tag_id)
    return tag


def by_ids(session: Session, project: Project, ids: Sequence[UUID]) -> dict[UUID, Tag]:
    """Return those of the tags that exist in this project."""
    rows = session.scalars(select(Tag).where(Tag.project_id == project.id, Tag.id.in_(set(ids))))
    return {tag.id: tag for tag in rows}


def update(session: Session, tag: Tag, about: TagDraft) -> None:
    """Change what the draft names."""
    _change(session, tag, about)
    _flush(session, tag)


def delete(session: Session, tag: Tag) -> None:
    """Delete the tag from the workspace and its images; trained iterations keep it."""
    session.delete(tag)
    session.flush()


def not_found(tag_id: UUID) -> NotFound:
    return NotFound(f"Tag {tag_id} does not exist in this project.", "NotFoundTag")


def _change(session: Session, tag: Tag, about: TagDraft) -> None:
    if about.name is not None:
        _rename(session, tag, about.name.strip())
    if about.description is not None:
        if len(about.description) > MAX_DESCRIPTION:
            raise Invalid(f"A description has at most {MAX_DESCRIPTION} characters.", "BadRequestTagDescription")
        tag.description = about.description or None
    if about.type is not None and about.type != tag.type:
        _retype(session, tag, about.type)


def _rename(session: Session, tag: Tag, name: str) -> None:
    if not 0 < len(name) <= NAME_LENGTH or "\n" in name:
        raise Invalid(
            f"A tag name has 1 to {NAME_LENGTH} characters on one line; this one has {len(name)}.", "BadRequestTagName"
        )
    same = select(Tag.id).where(Tag.project_id == tag.project_id, Tag.name_key == name_key(name))
    if any(other != tag.id for other in session.scalars(same)):
        raise _name_taken(name)
    tag.name, tag.name_key = name, name_key(name)


def _retype(session: Session, tag: Tag, type: str) -> None:
    if type not in TYPES:
        raise Invalid(f"Tag type {type!r} is unknown: expected one of {', '.join(TYPES)}.", "BadRequestTagType")
    same = select(Tag.name).where(Tag.project_id == tag.project_id, Tag.type == type)
    if type in SINGLE and (other := session.scalar(same)) is not None:
        raise Invalid(f"The project already has a {type} tag: {other!r}.", SINGLE[type])
    if type == NEGATIVE and tag in session and _shares_an_image(session, tag):
        raise Invalid(
            f"Tag {tag.name!r} cannot become Negative: some of its images bear other tags too.",
            "BadRequestNegativeAndRegularTagOnSameImage",
        )
    tag.type = type


def _shares_an_image(session: Session, tag: Tag) -> bool:
    own = select(ImageTag.image_id).where(ImageTag.tag_id == tag.id)
    other = select(ImageTag.image_id).where(ImageTag.image_id.in_(own), ImageTag.tag_id != tag.id).limit(1)
    return session.scalar(other) is not None


def _flush(session: Session, tag: Tag) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise _name_taken(tag.name) from error


def _name_taken(name: str) -> Invalid:
    return Invalid(f"The project already has a tag named {name!r}.", "BadRequestTagNameNotUnique")
