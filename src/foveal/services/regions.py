"""Boxes on images: adding, removing, finding them in the workspace and in the iterations that remember them.

An image bears the tag of each of its regions, and loses it with the last region of that tag.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from foveal import domains
from foveal.db.tables import Image, ImageTag, IterationImage, Project, Region, Tag
from foveal.domains import OBJECT_DETECTION
from foveal.errors import Invalid
from foveal.geometry import Box
from foveal.services import image_tags, limits

MAX_BATCH = 64
MAX_PER_IMAGE = 300
# Clients compute in single precision: what sticks out this little is cut off, what sticks out more is a mistake.
OVERHANG = 1e-3
SAME = 1e-6


@dataclass(frozen=True, slots=True)
class Placed:
    """A box for a tag, as a client asks for it."""

    tag_id: UUID
    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the boxes that were asked for, each with its image."""

    created: list[Region]
    duplicated: list[tuple[UUID, Placed]]
    exceeded: list[tuple[UUID, Placed]]


@dataclass(frozen=True, slots=True)
class Remembered:
    """A region of the workspace or of an iteration."""

    id: UUID
    tag_id: UUID
    tag_name: str
    box: Box
    created_at: datetime


def check(project: Project, placed: Sequence[Placed]) -> None:
    """Refuse regions in a classification project, and boxes that do not lie in the image."""
    if not placed:
        return
    if domains.get(project.domain_id).type != OBJECT_DETECTION:
        raise Invalid(
            f"Regions belong to object detection projects; {project.name!r} is a classifier.", "BadRequestNotSupported"
        )
    for each in placed:
        _check_box(each)


def create(session: Session, project: Project, wanted: Sequence[tuple[UUID, Placed]], *, now: datetime) -> Outcome:
    """Draw boxes on images; one that is there already is duplicated, one over the limit of its image is exceeded.

    Raises:
        Invalid: Too many boxes, an unknown image or tag, or a box outside its image; nothing is changed then.
    """
    limits.check_size(len(wanted), MAX_BATCH, "regions")
    check(project, [placed for _, placed in wanted])
    images, tags = image_tags.known(session, project, [(image_id, placed.tag_id) for image_id, placed in wanted])
    outcome = Outcome([], [], [])
    for image_id, placed in wanted:
        made = add(session, project, images[image_id], [(tags[placed.tag_id], placed)], now=now)[0]
        if isinstance(made, Region):
            outcome.created.append(made)
        else:
            (outcome.duplicated if made == "duplicated" else outcome.exceeded).append((image_id, placed))
    return outcome


def add(
    session: Session, project: Project, image: Image, wanted: Sequence[tuple[Tag, Placed]], *, now: datetime
) -> list[Region | str]:
    """Draw boxes on one image; return for each the region made, or `duplicated` or `exceeded`."""
    if not wanted:
        return []
    there = list(session.scalars(select(Region).where(Region.image_id == image.id)))
    outcomes: list[Region | str] = []
    for tag, placed in wanted:
        if any(_same(region, placed) for region in there):
            outcomes.append("duplicated")
        elif len(there) >= MAX_PER_IMAGE:
            outcomes.append("exceeded")
        else:
            image_tags.add(session, project, image, [tag], now=now)
            region = _region(image, placed, now)
            session.add(region)
            there.append(region)
            outcomes.append(region)
    session.flush()
    return outcomes


def remove(session: Session, project: Project, ids: Sequence[UUID]) -> None:
    """Remove boxes; those that are not there are passed over. An image loses a tag with its last box of it."""
    limits.check_size(len(ids), MAX_BATCH, "regions")
    own = select(Image.id).where(Image.project_id == project.id)
    found = list(session.scalars(select(Region).where(Region.id.in_(ids), Region.image_id.in_(own))))
    for region in found:
        session.delete(region)
    session.flush()
    for image_id, tag_id in {(region.image_id, region.tag_id) for region in found}:
        left = exists().where(Region.image_id == image_id, Region.tag_id == tag_id)
        session.execute(delete(ImageTag).where(ImageTag.image_id == image_id, ImageTag.tag_id == tag_id, ~left))


def of_images(
    session: Session, images: Sequence[Image], iteration_id: UUID | None = None
) -> dict[UUID, list[Remembered]]:
    """Return the regions of each image, in the workspace or as an iteration remembers them."""
    if iteration_id is not None:
        return _remembered(session, images, iteration_id)
    rows = session.execute(
        select(Region, Tag.name)
        .join(Tag, Tag.id == Region.tag_id)
        .where(Region.image_id.in_([image.id for image in images]))
        .order_by(Region.created_at, Region.id)
    )
    found: dict[UUID, list[Remembered]] = defaultdict(list)
    for region, name in rows:
        box = Box(region.left, region.top, region.width, region.height)
        found[region.image_id].append(Remembered(region.id, region.tag_id, name, box, region.created_at))
    return found


def snapshots(
    session: Session, project: Project, positions: Mapping[UUID, int]
) -> dict[UUID, list[tuple[str, int, float, float, float, float]]]:
    """Return for each image of the workspace the rows that an iteration keeps; see `IterationImage`."""
    rows = session.scalars(
        select(Region)
        .join(Image, Image.id == Region.image_id)
        .where(Image.project_id == project.id, Image.deleted_at.is_(None))
        .order_by(Region.created_at, Region.id)
    )
    found: dict[UUID, list[tuple[str, int, float, float, float, float]]] = defaultdict(list)
    for region in rows:
        if region.tag_id in positions:
            box = (region.left, region.top, region.width, region.height)
            found[region.image_id].append((str(region.id), positions[region.tag_id], *box))
    return found


def _check_box(placed: Placed) -> None:
    right, bottom = placed.left + placed.width, placed.top + placed.height
    inside = min(placed.left, placed.top) >= -OVERHANG and max(right, bottom) <= 1 + OVERHANG
    # Written so that not-a-number fails it too.
    if not (inside and placed.width > 0 and placed.height > 0):
        raise Invalid(
            "A region lies within its image, its edges being fractions of width and height from 0 to 1; got "
            f"left={placed.left:g}, top={placed.top:g}, width={placed.width:g}, height={placed.height:g}.",
            "BadRequestImageRegions",
        )


def _region(image: Image, placed: Placed, now: datetime) -> Region:
    left, top = max(placed.left, 0.0), max(placed.top, 0.0)
    return Region(
        image_id=image.id,
        tag_id=placed.tag_id,
        left=left,
        top=top,
        width=min(placed.width, 1 - left),
        height=min(placed.height, 1 - top),
        created_at=now,
    )


def _same(region: Region, placed: Placed) -> bool:
    edges = ("left", "top", "width", "height")
    return region.tag_id == placed.tag_id and all(
        abs(getattr(region, edge) - getattr(placed, edge)) < SAME for edge in edges
    )


def _remembered(session: Session, images: Sequence[Image], iteration_id: UUID) -> dict[UUID, list[Remembered]]:
    tags = image_tags.by_position(session, iteration_id)
    by_id = {image.id: image for image in images}
    rows = session.execute(
        select(IterationImage.image_id, IterationImage.regions).where(
            IterationImage.iteration_id == iteration_id, IterationImage.image_id.in_(by_id)
        )
    )
    return {
        image_id: [
            Remembered(UUID(id), tags[at].tag_id, tags[at].name, Box(*box), by_id[image_id].created_at)
            for id, at, *box in kept
        ]
        for image_id, kept in rows
    }
