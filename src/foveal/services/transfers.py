"""A project on its way to another server: what is sent, in pieces that each have a link of their own.

The head names the project, its tags and the links of the other pieces; a page holds up to some hundred images; an
iteration comes with its tags, its images and the files of its model. Pictures and files are linked, not enclosed.
"""

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from foveal.blobs import Blobs, image_key, model_prefix
from foveal.db.tables import Image, ImageTag, Iteration, IterationImage, IterationTag, Project, Region, Tag
from foveal.errors import Invalid, NotFound
from foveal.services import iterations, projects

FORMAT = 1
PAGE = 500
PREFIX = "/transfers"
FILES = "/files/"
# Of an import, for the client's patience: most of it is fetching pictures.
MILLISECONDS_AT_LEAST = 1_000
MILLISECONDS_PER_IMAGE = 20
MILLISECONDS_PER_ITERATION = 500
PROJECT_COLUMNS = (
    "name",
    "description",
    "classification_type",
    "target_export_platforms",
    "augmentation_methods",
    "iterations_started",
)
ITERATION_COLUMNS = (
    "name",
    "status",
    "classification_type",
    "training_type",
    "reserved_budget_hours",
    "error_details",
    "metrics",
)
ITERATION_MOMENTS = ("created_at", "started_at", "last_modified_at", "trained_at")
TAG_COLUMNS = ("name", "description", "type")
IMAGE_COLUMNS = ("digest", "width", "height", "rendered", "attributes")
BOX = ("left", "top", "width", "height")

ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
PATH = re.compile(rf"{PREFIX}/(?P<project>{ID})(?:/images/(?P<page>\d{{1,9}})|/iterations/(?P<iteration>{ID}))?")

Piece = dict[str, Any]
Sign = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a copy would hold; tags and regions are counted in the workspace and again in each iteration."""

    iterations: int
    images: int
    tags: int
    regions: int

    @property
    def milliseconds(self) -> int:
        return (
            MILLISECONDS_AT_LEAST + self.images * MILLISECONDS_PER_IMAGE + self.iterations * MILLISECONDS_PER_ITERATION
        )


def check(session: Session, project: Project) -> None:
    """Refuse to export a project that is training or being imported."""
    if any(iteration.status == iterations.TRAINING for iteration in iterations.every(session, project)):
        raise Invalid(
            f"Project {project.name!r} is training: export it when that has ended.", "BadRequestExportWhileTraining"
        )
    if project.status != projects.SUCCEEDED:
        raise Invalid(
            f"Project {project.name!r} has the status {project.status}: only a whole one is exported.",
            "BadRequestOperationNotSupported",
        )


def counts(session: Session, project: Project) -> Counts:
    """Count what a copy of the project would hold."""
    own = Image.project_id == project.id
    kept = [iteration.id for iteration in _iterations(session, project)]
    remembered = session.scalars(select(IterationImage.regions).where(IterationImage.iteration_id.in_(kept)))
    return Counts(
        iterations=len(kept),
        images=_count(session, select(func.count()).select_from(Image).where(own)),
        tags=_count(session, select(func.count()).select_from(Tag).where(Tag.project_id == project.id))
        + _count(session, select(func.count()).select_from(IterationTag).where(IterationTag.iteration_id.in_(kept))),
        regions=_count(session, select(func.count()).select_from(Region).join(Image).where(own))
        + sum(len(regions) for regions in remembered),
    )


def path(project: Project) -> str:
    """Return the path of the first piece."""
    return f"{PREFIX}/{project.id}"


def piece(session: Session, blobs: Blobs, path: str, sign: Sign) -> Piece:
    """Return the piece at a path; `sign` makes links of the paths in it."""
    match = PATH.fullmatch(path)
    if match is None:
        raise NotFound(f"There is nothing to transfer at {path}.")
    project = projects.get(session, UUID(match["project"]))
    if match["page"]:
        return _page(session, project, int(match["page"]), sign)
    if match["iteration"]:
        return _iteration(session, blobs, iterations.get(session, project, UUID(match["iteration"])), sign)
    return _head(session, project, sign)


def _head(session: Session, project: Project, sign: Sign) -> Piece:
    images = _count(session, select(func.count()).select_from(Image).where(Image.project_id == project.id))
    tags = session.scalars(select(Tag).where(Tag.project_id == project.id).order_by(Tag.created_at, Tag.id))
    return {
        "format": FORMAT,
        "project": {**_columns(project, PROJECT_COLUMNS), "domain_id": str(project.domain_id)},
        "tags": [
            {"id": str(tag.id), "created_at": _written(tag.created_at), **_columns(tag, TAG_COLUMNS)} for tag in tags
        ],
        "images": images,
        "pages": [sign(f"{path(project)}/images/{at}") for at in range(-(-images // PAGE))],
        "iterations": [
            sign(f"{path(project)}/iterations/{iteration.id}") for iteration in _iterations(session, project)
        ],
    }


def _page(session: Session, project: Project, number: int, sign: Sign) -> Piece:
    """Return a page of images, those of the workspace and those that only iterations hold."""
    statement = select(Image).where(Image.project_id == project.id).order_by(Image.created_at, Image.id)
    images = list(session.scalars(statement.offset(number * PAGE).limit(PAGE)))
    ids = [image.id for image in images]
    tags = session.scalars(select(ImageTag).where(ImageTag.image_id.in_(ids)).order_by(ImageTag.created_at))
    regions = session.scalars(select(Region).where(Region.image_id.in_(ids)).order_by(Region.created_at, Region.id))
    borne: dict[UUID, list[Any]] = {id: [] for id in ids}
    drawn: dict[UUID, list[Any]] = {id: [] for id in ids}
    for tag in tags:
        borne[tag.image_id].append([str(tag.tag_id), _written(tag.created_at)])
    for region in regions:
        box = [getattr(region, edge) for edge in BOX]
        drawn[region.image_id].append([str(region.id), str(region.tag_id), *box, _written(region.created_at)])
    return {
        "images": [
            {
                "id": str(image.id),
                "created_at": _written(image.created_at),
                "deleted_at": _written(image.deleted_at),
                "link": sign(FILES + image_key(image.digest)),
                "tags": borne[image.id],
                "regions": drawn[image.id],
                **_columns(image, IMAGE_COLUMNS),
            }
            for image in images
        ]
    }


def _iteration(session: Session, blobs: Blobs, found: Iteration, sign: Sign) -> Piece:
    """Return an iteration with what it remembers and the links of its model's files."""
    tags = session.scalars(
        select(IterationTag).where(IterationTag.iteration_id == found.id).order_by(IterationTag.position)
    )
    images = session.scalars(select(IterationImage).where(IterationImage.iteration_id == found.id))
    return {
        "id": str(found.id),
        **_columns(found, ITERATION_COLUMNS),
        **{name: _written(getattr(found, name)) for name in ITERATION_MOMENTS},
        "domain_id": str(found.domain_id),
        "tags": [{"id": str(tag.tag_id), "image_count": tag.image_count, **_columns(tag, TAG_COLUMNS)} for tag in tags],
        "images": [
            [str(image.image_id), image.positions, image.regions, _encoded(image.held_out), image.test]
            for image in images
        ],
        "files": {key.rsplit("/", 1)[-1]: sign(FILES + key) for key in _model_keys(blobs, found)},
    }


def _iterations(session: Session, project: Project) -> list[Iteration]:
    """Return the iterations whose training has ended, oldest first."""
    return [each for each in reversed(iterations.every(session, project)) if each.status != iterations.TRAINING]


def _model_keys(blobs: Blobs, found: Iteration) -> Iterator[str]:
    for listed in blobs.pages(model_prefix(found.id)):
        yield from (each.key for each in listed)


def _columns(row: Any, names: tuple[str, ...]) -> Piece:
    return {name: getattr(row, name) for name in names}


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _encoded(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _count(session: Session, statement: Any) -> int:
    return session.scalar(statement) or 0
