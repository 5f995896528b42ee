"""Training images of a project: adding, finding, tagging, deleting.

Deleting takes an image out of the workspace; its row stays while a trained iteration holds it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, false, func, select, update
from sqlalchemy.orm import Session

from foveal.db.tables import Image, ImageTag, IterationImage, Project, Region, Suggestion, Tag
from foveal.errors import Invalid, NotFound
from foveal.services import image_tags, limits, metadata, regions
from foveal.services.limits import OFF, Limits
from foveal.services.pictures import OK, Arrival, Entry, Picture

MAX_BATCH = 64
MAX_BATCH_TAGS = 20
OK_DUPLICATE = "OKDuplicate"


@dataclass(frozen=True, slots=True)
class Created:
    """What became of one entry of a batch; `image` is None when `status` tells an error."""

    entry: Entry
    status: str
    image: Image | None


def check_batch(project: Project, entries: Sequence[Entry], pairs: Mapping[str, str] | None) -> None:
    """Refuse a batch that is empty, over a limit or wrong for the project, before any picture is looked at."""
    tags = {id for entry in entries for id in entry.tag_ids}
    if not entries:
        raise Invalid("No valid image files: the request holds no image.", "BadRequestImageBatch")
    limits.check_size(len(entries), MAX_BATCH, "images")
    limits.check_size(len(tags), MAX_BATCH_TAGS, "tags")
    for entry in entries:
        image_tags.check_together(project, len(entry.tag_ids))
        regions.check(project, entry.regions)
    metadata.check(pairs or {})


def create(  # one batch's worth of values
    session: Session,
    project: Project,
    arrivals: Sequence[Arrival],
    *,
    pairs: Mapping[str, str] | None,
    now: datetime,
    most: Limits = OFF,
) -> list[Created]:
    """Record the pictures that arrived, with tags, regions and metadata; one already there is told as a duplicate.

    Raises:
        Invalid: The batch is over a limit or wrong for the project, as it is now; nothing is recorded then.
    """
    session.refresh(project, with_for_update=True)  # two uploads of one picture must not both find it missing
    tags = {tag.id: tag for tag in session.scalars(select(Tag).where(Tag.project_id == project.id))}
    check_batch(project, [arrival.entry for arrival in arrivals], pairs)
    room = most.images - count(session, project, Filter())
    known = _by_digest(session, project, [arrival.picture.digest for arrival in arrivals if arrival.picture])
    created: list[Created] = []
    for arrival in arrivals:
        fresh = arrival.picture is not None and arrival.picture.digest not in known
        status = _status(arrival, tags, full=fresh and room <= 0)
        if status != OK or arrival.picture is None:
            created.append(Created(arrival.entry, status, None))
            continue
        if fresh:
            # A microsecond apart, so that the order of a batch is the order of its images.
            moment = now + timedelta(microseconds=len(created))
            known[arrival.picture.digest] = _add(session, project, arrival.picture, pairs or {}, moment)
            room -= 1
        image = known[arrival.picture.digest]
        created.append(_labelled(session, project, arrival.entry, image, tags, fresh=fresh, now=now))
    session.flush()
    return created


@dataclass(frozen=True, slots=True)
class Filter:
    """Which images of the workspace, or of an iteration; several tags mean any of them."""

    tagged: bool | None = None
    tag_ids: tuple[UUID, ...] = ()
    iteration_id: UUID | None = None
    ids: tuple[UUID, ...] | None = None
    metadata: str = ""
    """An expression; see `metadata`."""


def find(
    session: Session, project: Project, filter: Filter, *, oldest_first: bool = False, take: int = 50, skip: int = 0
) -> list[Image]:
    """Return a page of images, newest first unless told otherwise."""
    order = (Image.created_at, Image.id) if oldest_first else (Image.created_at.desc(), Image.id.desc())
    statement = select(Image).where(*_conditions(session, project, filter)).order_by(*order).offset(skip).limit(take)
    return list(session.scalars(statement))


def get(session: Session, project: Project, image_id: UUID) -> Image:
    """Return an image of the workspace, or raise `NotFound` when this project has no such image."""
    image = session.get(Image, image_id)
    if image is None or image.project_id != project.id or image.deleted_at is not None:
        raise NotFound(f"Image {image_id} does not exist in this project.", "NotFoundImage")
    return image


def count(session: Session, project: Project, filter: Filter) -> int:
    statement = select(func.count()).select_from(Image).where(*_conditions(session, project, filter))
    return session.scalar(statement) or 0


def remove(
    session: Session, project: Project, ids: Sequence[UUID] | None, *, all_iterations: bool, now: datetime
) -> None:
    """Take images (None: all) out of the workspace, and with `all_iterations` out of trained iterations too."""
    chosen = [Image.project_id == project.id, *([] if ids is None else [Image.id.in_(ids)])]
    found = select(Image.id).where(*chosen)
    session.execute(delete(ImageTag).where(ImageTag.image_id.in_(found)))
    session.execute(delete(Region).where(Region.image_id.in_(found)))
    session.execute(delete(Suggestion).where(Suggestion.image_id.in_(found)))
    session.execute(update(Image).where(*chosen, Image.deleted_at.is_(None)).values(deleted_at=now))
    if all_iterations:
        session.execute(delete(IterationImage).where(IterationImage.image_id.in_(found)))
    drop_unheld(session, project)


def drop_unheld(session: Session, project: Project) -> None:
    """Delete the rows of images that are neither in the workspace nor in an iteration."""
    held = exists().where(IterationImage.image_id == Image.id)
    session.execute(delete(Image).where(Image.project_id == project.id, Image.deleted_at.is_not(None), ~held))
    session.flush()


def _status(arrival: Arrival, tags: Mapping[UUID, Tag], *, full: bool) -> str:
    if arrival.status != OK:
        return arrival.status
    entry = arrival.entry
    if any(id not in tags for id in entry.tag_ids):
        return "ErrorInvalidTag"
    if len(entry.regions) > regions.MAX_PER_IMAGE:
        return "ErrorRegionLimitExceed"
    if image_tags.mixes_negative([tags[id] for id in entry.tag_ids]):
        return image_tags.NEGATIVE_AND_REGULAR
    return "ErrorLimitExceed" if full else OK


def _labelled(  # noqa: PLR0913  # one entry's worth of values
    session: Session,
    project: Project,
    entry: Entry,
    image: Image,
    tags: Mapping[UUID, Tag],
    *,
    fresh: bool,
    now: datetime,
) -> Created:
    wanted = [tags[id] for id in entry.tag_ids]
    if not fresh and (problem := image_tags.problem(session, image, wanted)):
        return Created(entry, problem, None)
    image_tags.add(session, project, image, wanted, now=now)
    regions.add(session, project, image, [(tags[placed.tag_id], placed) for placed in entry.regions], now=now)
    return Created(entry, OK if fresh else OK_DUPLICATE, image)


def _by_digest(session: Session, project: Project, digests: Sequence[str]) -> dict[str, Image]:
    rows = session.scalars(
        select(Image).where(Image.project_id == project.id, Image.deleted_at.is_(None), Image.digest.in_(digests))
    )
    return {image.digest: image for image in rows}


def _add(session: Session, project: Project, picture: Picture, pairs: Mapping[str, str], now: datetime) -> Image:
    image = Image(
        project_id=project.id,
        digest=picture.digest,
        width=picture.width,
        height=picture.height,
        rendered=picture.rendered,
        attributes=dict(pairs),
        created_at=now,
    )
    session.add(image)
    session.flush()
    return image


def _conditions(session: Session, project: Project, filter: Filter) -> list[ColumnElement[bool]]:
    conditions = [Image.project_id == project.id]
    if filter.ids is not None:
        conditions.append(Image.id.in_(filter.ids))
    if filter.metadata:
        conditions.append(metadata.matches(session, filter.metadata))
    if filter.iteration_id is not None:
        held = image_tags.in_iteration(session, filter.iteration_id, filter.tag_ids)
        # An iteration holds what it was trained on: images with tags.
        return [*conditions, false() if filter.tagged is False else Image.id.in_(held)]
    conditions.append(Image.deleted_at.is_(None))
    bears = exists().where(ImageTag.image_id == Image.id)
    if filter.tag_ids:
        conditions.append(bears.where(ImageTag.tag_id.in_(filter.tag_ids)))
    if filter.tagged is not None:
        conditions.append(bears if filter.tagged else ~bears)
    return conditions
