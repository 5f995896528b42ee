"""Which image bears which tag, in the workspace and in the iterations that remember it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, String, cast, delete, exists, func, select
from sqlalchemy.orm import Session

from foveal.db.tables import Image, ImageTag, IterationImage, IterationTag, Project, Region, Tag
from foveal.domains import MULTICLASS
from foveal.errors import Invalid
from foveal.services import limits
from foveal.services.tags import NEGATIVE

MAX_TAGS_PER_IMAGE = 100
MAX_BATCH = 128
EACH_ELEMENT = {"sqlite": func.json_each, "postgresql": func.json_array_elements_text}
TAG_LIMIT = "ErrorTagLimitExceed"
NEGATIVE_AND_REGULAR = "ErrorNegativeAndRegularTagOnSameImage"

Pair = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Bearing:
    """A tag that an image bears."""

    tag_id: UUID
    tag_name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the (image, tag) pairs that were asked for."""

    created: list[Pair]
    duplicated: list[Pair]
    exceeded: list[Pair]


def check_together(project: Project, tags: int) -> None:
    """Refuse several tags for one image of a Multiclass project."""
    if project.classification_type == MULTICLASS and tags > 1:
        raise Invalid(
            f"An image of a Multiclass project bears one tag; {tags} were given. Use a Multilabel project for several.",
            "BadRequestImageTags",
        )


def mixes_negative(tags: Iterable[Tag]) -> bool:
    """Tell whether a Negative tag stands beside another one."""
    kinds = [tag.type for tag in tags]
    return NEGATIVE in kinds and len(kinds) > 1


def problem(session: Session, image: Image, tags: Sequence[Tag]) -> str:
    """Return the status that tells why the image cannot get these tags beside its own; empty if it can."""
    together = {tag.id: tag for tag in [*_borne(session, image), *tags]}
    if len(together) > MAX_TAGS_PER_IMAGE:
        return TAG_LIMIT
    return NEGATIVE_AND_REGULAR if mixes_negative(together.values()) else ""


def create(session: Session, project: Project, pairs: Sequence[Pair], *, now: datetime) -> Outcome:
    """Tag images; a pair that is there already is duplicated, one over the limit of its image is exceeded.

    Raises:
        Invalid: Too many pairs, an unknown image or tag, or Negative beside a regular tag; nothing is changed then.
    """
    limits.check_size(len(pairs), MAX_BATCH, "image tags")
    images, tags = known(session, project, pairs)
    outcome = Outcome([], [], [])
    for image_id, tag_id in pairs:
        getattr(outcome, add(session, project, images[image_id], [tags[tag_id]], now=now)[0]).append((image_id, tag_id))
    return outcome


def known(session: Session, project: Project, pairs: Sequence[Pair]) -> tuple[dict[UUID, Image], dict[UUID, Tag]]:
    """Return the images of the pairs and the tags of the project, or raise `Invalid` at an id that is neither."""
    images = _images(session, project, {image for image, _ in pairs})
    tags = {tag.id: tag for tag in session.scalars(select(Tag).where(Tag.project_id == project.id))}
    for image_id, tag_id in pairs:
        if image_id not in images:
            raise Invalid(f"Image {image_id} does not exist in this project.", "BadRequestInvalidIds")
        if tag_id not in tags:
            raise Invalid(f"Tag {tag_id} does not exist in this project.", "BadRequestInvalidIds")
    return images, tags


def add(session: Session, project: Project, image: Image, tags: Sequence[Tag], *, now: datetime) -> list[str]:
    """Tag one image; return for each tag `created`, `duplicated` or `exceeded`."""
    borne = {tag.id: tag for tag in _borne(session, image)} if tags else {}
    limit = 1 if project.classification_type == MULTICLASS else MAX_TAGS_PER_IMAGE
    outcomes: list[str] = []
    for tag in tags:
        if tag.id in borne:
            outcomes.append("duplicated")
        elif len(borne) >= limit:
            outcomes.append("exceeded")
        else:
            _check_negative(image, [*borne.values(), tag])
            session.add(ImageTag(image_id=image.id, tag_id=tag.id, created_at=now))
            borne[tag.id] = tag
            outcomes.append("created")
    session.flush()
    return outcomes


def remove(session: Session, project: Project, image_ids: Sequence[UUID], tag_ids: Sequence[UUID]) -> None:
    """Take each of the tags, with its regions, from each of the images; what is not there is passed over."""
    own = select(Image.id).where(Image.project_id == project.id, Image.id.in_(image_ids))
    session.execute(delete(Region).where(Region.image_id.in_(own), Region.tag_id.in_(tag_ids)))
    session.execute(delete(ImageTag).where(ImageTag.image_id.in_(own), ImageTag.tag_id.in_(tag_ids)))
    session.flush()


def of_images(session: Session, images: Sequence[Image], iteration_id: UUID | None = None) -> dict[UUID, list[Bearing]]:
    """Return the tags of each image, in the workspace or as an iteration remembers them."""
    if iteration_id is not None:
        return _remembered(session, images, iteration_id)
    rows = session.execute(
        select(ImageTag.image_id, ImageTag.tag_id, Tag.name, ImageTag.created_at)
        .join(Tag, Tag.id == ImageTag.tag_id)
        .where(ImageTag.image_id.in_([image.id for image in images]))
        .order_by(ImageTag.created_at, Tag.created_at, Tag.id)
    )
    found: dict[UUID, list[Bearing]] = defaultdict(list)
    for image_id, tag_id, name, created_at in rows:
        found[image_id].append(Bearing(tag_id, name, created_at))
    return found


def by_position(session: Session, iteration_id: UUID) -> dict[int, IterationTag]:
    """Return the tags of an iteration by their places among the model's outputs."""
    rows = session.scalars(select(IterationTag).where(IterationTag.iteration_id == iteration_id))
    return {row.position: row for row in rows}


def in_iteration(session: Session, iteration_id: UUID, tag_ids: Sequence[UUID]) -> Select[UUID]:
    """Select the ids of the images that an iteration holds, those with any of the tags where some are named."""
    held = select(IterationImage.image_id).where(IterationImage.iteration_id == iteration_id)
    if not tag_ids:
        return held
    named = select(IterationTag.position).where(
        IterationTag.iteration_id == iteration_id, IterationTag.tag_id.in_(tag_ids)
    )
    each = EACH_ELEMENT[session.get_bind().dialect.name](IterationImage.positions).table_valued("value")
    wanted = [str(position) for position in session.scalars(named)]
    return held.where(exists(select(1).select_from(each).where(cast(each.c.value, String).in_(wanted))))


def counts(session: Session, project: Project) -> dict[UUID, int]:
    """Return for each tag of the workspace how many images bear it."""
    rows = session.execute(
        select(ImageTag.tag_id, func.count())
        .join(Image, Image.id == ImageTag.image_id)
        .where(Image.project_id == project.id, Image.deleted_at.is_(None))
        .group_by(ImageTag.tag_id)
    )
    return dict(iter(rows))


def _images(session: Session, project: Project, ids: set[UUID]) -> dict[UUID, Image]:
    rows = session.scalars(
        select(Image).where(Image.project_id == project.id, Image.deleted_at.is_(None), Image.id.in_(ids))
    )
    return {image.id: image for image in rows}


def _borne(session: Session, image: Image) -> list[Tag]:
    return list(
        session.scalars(select(Tag).join(ImageTag, ImageTag.tag_id == Tag.id).where(ImageTag.image_id == image.id))
    )


def _check_negative(image: Image, tags: Sequence[Tag]) -> None:
    if mixes_negative(tags):
        raise Invalid(
            f"Image {image.id} cannot bear a Negative tag beside another one: Negative means none of the others.",
            "BadRequestNegativeAndRegularTagOnSameImage",
        )


def _remembered(session: Session, images: Sequence[Image], iteration_id: UUID) -> dict[UUID, list[Bearing]]:
    tags = by_position(session, iteration_id)
    by_id = {image.id: image for image in images}
    rows = session.execute(
        select(IterationImage.image_id, IterationImage.positions).where(
            IterationImage.iteration_id == iteration_id, IterationImage.image_id.in_(by_id)
        )
    )
    return {
        image_id: [Bearing(tags[at].tag_id, tags[at].name, by_id[image_id].created_at) for at in positions]
        for image_id, positions in rows
    }
